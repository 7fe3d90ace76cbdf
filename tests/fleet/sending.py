"""A kiosk that sends a sealed segment: its row, its request over MQTT, and tus by hand."""

import base64
import hashlib
import io
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests import sealed
from tests.fleet.world import BEGAN, Fleet, Kiosk
from wire.codec import read
from wire.segments import scan
from wire.topics import Channel
from wire.uploads import RECEIPT_HEADER, TUS_TYPE, TUS_VERSION, Receipt, UploadRequest

PATH = "/api/v1/uploads"


def segment(kiosk: Kiosk, session: str, size_bytes: int = 300_000, **change: Any) -> bytes:
    """A sealed file of about that size."""
    about = sealed.facts(kiosk=kiosk.id, campus=kiosk.campus, session=session, **change)
    return sealed.sealed(sealed.pieces(b"init", *(os.urandom(size_bytes // 4) for _ in range(4))), about)


@dataclass
class Sending:
    """One segment on its way to a fleet."""

    fleet: Fleet
    client: httpx.Client
    kiosk: Kiosk
    file: bytes
    ticket: dict[str, Any] = field(default_factory=dict)
    row: int = 0

    @property
    def id(self) -> str:
        return scan(io.BytesIO(self.file)).header.segment

    @property
    def address(self) -> str:
        return f"{PATH}/{self.id}"

    @property
    def stored(self) -> Path:
        return self.fleet.parts.settings.segments_dir / f"{self.id}.seg"

    @property
    def part(self) -> Path:
        return self.stored.with_suffix(".part")

    def write(self, session: str, **change: Any) -> int:
        """The ledger row that tells of it."""
        found = scan(io.BytesIO(self.file))
        data = {
            "segment": self.id, "role": "overhead", "ms": found.duration_ms, "bytes": len(self.file),
            "hash": found.hash, "started_at": BEGAN.isoformat(), "clock": "synced",
        }  # fmt: skip
        self.row = self.kiosk.write("segment.sealed", session, **(data | change))
        return self.row

    def request(self, row: int, **change: Any) -> UploadRequest:
        hash_ = scan(io.BytesIO(self.file)).hash
        told = {"segment": self.id, "bytes": len(self.file), "hash": hash_, "epoch": self.kiosk.epoch, "row": row}
        return UploadRequest.model_validate(told | change)

    def ask(self, row: int | None = None, **change: Any) -> dict[str, Any]:
        """Ask over MQTT; the ticket that came back."""
        asked = self.request(row or self.row, **change)
        self.fleet.take(self.kiosk.says(Channel.UPLOAD, asked))
        self.ticket = self.fleet.post.to(self.kiosk, Channel.UPLOAD_TICKET)[-1]
        return self.ticket

    def headers(self, **more: str) -> dict[str, str]:
        token = self.ticket.get("token", "")
        told = {"Tus-Resumable": TUS_VERSION, "Authorization": f"Bearer {token}"}
        return told | {name.replace("_", "-"): value for name, value in more.items()}

    def create(self, **more: str) -> httpx.Response:
        return self.client.post(PATH, headers=self.headers(**{"Upload_Length": str(len(self.file)), **more}))

    def head(self) -> httpx.Response:
        return self.client.head(self.address, headers=self.headers())

    def patch(self, offset: int, data: bytes, checked: bool = True, **more: str) -> httpx.Response:
        told = {"Content_Type": TUS_TYPE, "Upload_Offset": str(offset)}
        if checked:
            told["Upload_Checksum"] = f"sha256 {base64.b64encode(hashlib.sha256(data).digest()).decode()}"
        return self.client.patch(self.address, content=data, headers=self.headers(**(told | more)))

    def send(self, chunk_bytes: int = 100_000) -> Receipt:
        """The whole of it."""
        assert self.create().status_code == 201
        for offset in range(0, len(self.file), chunk_bytes):
            answer = self.patch(offset, self.file[offset : offset + chunk_bytes])
            assert answer.status_code == 204, answer.text
            assert answer.headers["Upload-Offset"] == str(min(offset + chunk_bytes, len(self.file)))
        return receipt(answer)


def announced(fleet: Fleet, client: httpx.Client, kiosk: Kiosk, session: str = "", **change: Any) -> Sending:
    """A segment of a session that runs, its row at the fleet, and a ticket for it."""
    if not session:
        session = kiosk.press()
    sending = Sending(fleet, client, kiosk, segment(kiosk, session, **change))
    row = sending.write(session)
    fleet.take(kiosk.is_born(), kiosk.sends())
    sending.ask(row)
    return sending


def receipt(answer: httpx.Response) -> Receipt:
    return read(Receipt, base64.b64decode(answer.headers[RECEIPT_HEADER]))


def no_segment() -> str:
    return str(uuid.uuid4())
