"""A worksheet still as kiosk and fleet know it: what may be asked for, what is told of it, how large it may be.

The picture itself travels in the reply to the command, sealed to the fleet's key: neither the broker nor the fleet's
database ever holds it in clear.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field

from wire.codec import MAX_PAYLOAD_BYTES, WireModel

SHARP_PX_PER_MM: Final = 3.0
"""What handwriting needs (house rule): the body of a child's letter, about 4 mm, is then 12 pixels high."""

_ENVELOPE_BYTES: Final = 4 * 1024
"""What a reply is beside its sealed picture, with room to spare."""
_SEAL_BYTES: Final = 48
"""What libsodium's sealed box adds."""
MAX_JPEG_BYTES: Final = (MAX_PAYLOAD_BYTES - _ENVELOPE_BYTES) * 3 // 4 - _SEAL_BYTES
"""A larger picture would not fit a message once it is sealed and written in base64."""

_HASH_BYTES: Final = 32
_ALLOWED: Final = {"role": "overhead", "view": "worksheet"}

_Word = Annotated[str, Field(min_length=1, max_length=40)]
_Side = Annotated[int, Field(ge=1, le=10_000)]


class StillFigures(WireModel):
    """What is told of a still beside its picture."""

    role: _Word
    view: _Word
    origin: _Word
    """What it was set straight by: `mat`, or `page` where no mat was seen."""
    px_per_mm: Annotated[float, Field(gt=0, le=100)] | None
    """Null where only a page was seen: nothing in the picture tells its size."""
    width_px: _Side
    height_px: _Side
    bytes: Annotated[int, Field(ge=1, le=MAX_JPEG_BYTES)]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]
    """BLAKE2b-256 over the JPEG, hex."""
    sharp: bool | None
    """Whether handwriting can be judged at this scale; null without one."""


class StillReply(StillFigures):
    """The `result` of a `still` command."""

    session: _Word
    captured_at: AwareDatetime
    key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}\z")]
    """To which of the fleet's keys it is sealed."""
    sealed: Annotated[str, Field(min_length=1, max_length=MAX_PAYLOAD_BYTES)]
    """The JPEG in a sealed box of libsodium, in base64."""


class StillFact(StillFigures):
    """A still that was made for the fleet: `command` is the request's id."""

    command: Annotated[str, Field(min_length=8, max_length=64)]


def sharp_enough(px_per_mm: float) -> bool:
    """Whether handwriting can be judged at this scale; see `SHARP_PX_PER_MM`."""
    return px_per_mm >= SHARP_PX_PER_MM


def hash_of(jpeg: bytes) -> str:
    """The hash by which a still is known: BLAKE2b-256 in hex."""
    return hashlib.blake2b(jpeg, digest_size=_HASH_BYTES).hexdigest()


def unfit(args: Mapping[str, Any]) -> str | None:
    """Why a still cannot be asked for with these arguments, in words; None when it can.

    For privacy there is no choice: what lies on the desk may be looked at more closely, a face never.
    """
    for name, value in args.items():
        if name not in _ALLOWED:
            return f"A still takes no {name[:40]!r}; it takes `role` and `view`."
        if name == "role" and value == "front":
            return "No still is made of the front camera: it sees a child's face. Ask for the overhead one."
        if value != _ALLOWED[name]:
            return f"The only {name} of which a still is made is {_ALLOWED[name]!r}."
    return None


def whole(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with what was left out."""
    return {**_ALLOWED, **args}
