"""Worksheets as a kiosk sends them: a real JPEG, sealed to the fleet's key."""

import base64
from typing import Any

import cv2
import numpy as np
from nacl.public import PublicKey, SealedBox

from fleet.segment_keys import SegmentKeys
from tests.fleet.calling import Caller
from tests.fleet.world import BEGAN, Fleet, Kiosk
from wire.messages import Reply
from wire.segments import key_id
from wire.stills import hash_of, sharp_enough
from wire.topics import Channel


def jpeg(px_per_mm: float = 3.9, width_mm: float = 120, height_mm: float = 90) -> bytes:
    """White paper with black bars of 20 mm."""
    image = np.full((round(height_mm * px_per_mm), round(width_mm * px_per_mm), 3), 235, np.uint8)
    for line in range(3):
        y = round((25 + 20 * line) * px_per_mm)
        cv2.rectangle(image, (round(30 * px_per_mm), y), (round(50 * px_per_mm), y + 8), (40, 40, 40), -1)
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())


def public_key(fleet: Fleet) -> bytes:
    """The fleet's public key, made if there is none."""
    keys = SegmentKeys(fleet.parts.settings.segment_keys_dir)
    key = keys.current() or keys.make(BEGAN)
    return bytes(key.private.public_key)


def told(fleet: Fleet, session: str, scale: float | None = 3.9, **changes: Any) -> dict[str, Any]:
    """The `result` of a kiosk's reply."""
    public, picture = public_key(fleet), jpeg(scale or 3.0)
    height, width = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE).shape[:2]  # type: ignore[union-attr]
    figures: dict[str, Any] = {
        "role": "overhead", "view": "worksheet", "origin": "mat" if scale else "page", "px_per_mm": scale,
        "width_px": width, "height_px": height, "bytes": len(picture), "hash": hash_of(picture),
        "sharp": sharp_enough(scale) if scale else None, "session": session,
        "captured_at": BEGAN.isoformat(), "key_id": key_id(public), "sealed": sealed(public, picture),
    }  # fmt: skip
    return figures | changes


def sealed(public: bytes, picture: bytes) -> str:
    return base64.b64encode(SealedBox(PublicKey(public)).encrypt(picture)).decode()


def asks(caller: Caller, kiosk: Kiosk, headers: dict[str, str] | None = None, **body: Any) -> str:
    """Somebody asks for a still; the request's id."""
    address = f"/api/v1/kiosks/{kiosk.id}/commands"
    answer = caller.client.post(address, json={"name": "still", **body}, headers=headers or caller.token())
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def arrives(fleet: Fleet, caller: Caller, kiosk: Kiosk, scale: float | None = 3.9, **changes: Any) -> str:
    """A session runs and a still of it comes; the still's id."""
    session = kiosk.press()
    fleet.take(kiosk.is_born(), kiosk.sends(), kiosk.is_ready(state="live", session=session))
    fleet.settle()
    command = asks(caller, kiosk)
    result = told(fleet, changes.pop("session", session), scale, **changes)
    fleet.take(kiosk.says(Channel.REPLY, Reply(id=command, ok=True, result=result)))
    return command
