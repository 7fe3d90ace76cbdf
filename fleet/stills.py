"""Worksheet stills: taken out of the kiosk's reply, kept as sealed as they came, shown to few, destroyed in time."""

import base64
import binascii
import logging
from datetime import datetime, timedelta
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.public import SealedBox
from sqlalchemy import Connection

from fleet import wrong_student
from fleet.access.roles import Principal
from fleet.clock import Instant, micros, moment
from fleet.errors import Conflict, Gone, NotFound, SettingsUnusable, StoreDown, Unavailable
from fleet.jpeg import size as jpeg_size
from fleet.segment_keys import SegmentKeys
from fleet.store import audit, commands
from fleet.store import stills as store
from fleet.store.engine import Database
from wire import stills as wire
from wire.codec import validate
from wire.errors import BadPayload
from wire.messages import Reply

_log = logging.getLogger(__name__)

COMMAND: Final = "still"
_SEALED: Final = "sealed"
_KEPT: Final = ("session", *wire.StillFigures.model_fields, "key_id")


class Stills:
    """Safe to use from any thread.

    Args:
        keys: the fleet's private keys.
        keep: for how long a picture is kept.
    """

    def __init__(self, keys: SegmentKeys, keep: timedelta) -> None:
        self._keys, self._keep = keys, keep

    def take_reply(self, connection: Connection, kiosk: str, reply: Reply, at: datetime) -> None:
        """Keep a kiosk's first reply to a command, and apart from it the picture that came with it."""
        bare, sealed = _apart(reply)
        if not commands.answer(connection, kiosk, bare, at) or not reply.ok:
            return
        asked = commands.one(connection, kiosk, reply.id)
        if asked is not None and asked.name == COMMAND:
            store.add(connection, reply.id, kiosk, at, self._facts(connection, kiosk, reply, sealed))

    def destroy_due(self, connection: Connection, at: datetime) -> int:
        """Let every picture be gone that may not be kept any more, each with its row in the audit; how many."""
        due = store.due(connection, at - self._keep)
        for id_, campus, why in due:
            audit.note(connection, at, "fleet", "still.destroyed", id_, why, campus=campus)
            store.destroy(connection, id_, why, at)
        return len(due)

    def view(self, database: Database, principal: Principal, id_: str, now: Instant) -> tuple[Any, bytes]:
        """A still's figures and its JPEG, for someone whose view is durably written down first.

        Raises:
            NotFound: there is none for this principal.
            Gone: its picture was destroyed.
            Conflict: it was never fit to be shown; the message says why.
            Unavailable: the view cannot be written down, so there is none, or our key cannot be read.
        """
        try:
            with database.write() as connection:
                row = store.one(connection, id_)
                if row is None or not principal.sees(row.campus):
                    raise NotFound("There is no such still here.")
                if row.destroyed_us is not None:
                    raise Gone(f"This picture was destroyed: {WHY.get(row.destroyed_why, row.destroyed_why)}.")
                sealed = store.sealed(connection, id_)
                if row.unusable is not None or sealed is None:
                    raise Conflict(f"This picture cannot be shown: {row.unusable or 'it did not come'}.")
                about = f"session {row.session}, kiosk {row.kiosk}"
                audit.note(connection, now.at, principal.name, "still.viewed", id_, about, campus=row.campus)
        except StoreDown as error:
            raise Unavailable("Nobody's view can be written down at the moment, so no picture is shown.") from error
        try:
            jpeg, trouble = self._opened(row, sealed)
        except SettingsUnusable as error:
            _log.error("a still cannot be opened: %s", error)  # expected with bad rights on a file
            raise Unavailable("The fleet cannot read its own key at the moment; its log says why.") from error
        if trouble is not None:
            raise Conflict(f"This picture cannot be shown: {trouble}.")
        return row, jpeg

    def _facts(self, connection: Connection, kiosk: str, reply: Reply, sealed: str | None) -> dict[str, Any]:
        """The columns of a still: what cannot be used is kept with the reason, and never opened again."""
        try:
            told = validate(wire.StillReply, {**(reply.result or {}), _SEALED: sealed})
            captured_us = micros(told.captured_at)
            moment(captured_us)  # a date that no calendar has could never be shown again
            box = base64.b64decode(told.sealed, validate=True)
        except (BadPayload, binascii.Error, ValueError, OverflowError) as error:
            # Without a session nobody could find it when it has to be destroyed, so its picture is not kept.
            return {"unusable": f"its figures cannot be read: {error}"[:200]}
        facts = {name: getattr(told, name) for name in _KEPT}
        unusable = None
        if wire.unfit({"role": told.role, "view": told.view}) is not None:
            unusable, box = "it is not what was asked for", b""
        elif store.is_anothers(connection, kiosk, told.session):
            unusable = "its session is another kiosk's"
        else:
            try:
                _, unusable = self._opened(told, box)
            except SettingsUnusable as error:  # our own trouble, maybe over when somebody looks at it
                _log.warning("a still cannot be opened now: %s", error)
        return {**facts, "captured_us": captured_us, _SEALED: box or None, "unusable": unusable}

    def _opened(self, told: Any, sealed: bytes) -> tuple[bytes, str | None]:
        """The JPEG, or why there is none; raises `SettingsUnusable` when our own key cannot be read."""
        key = self._keys.find(told.key_id)
        if key is None:
            return b"", "it is sealed to a key that this fleet does not hold"
        try:
            jpeg = SealedBox(key.private).decrypt(sealed)
        except (CryptoError, ValueError):
            return b"", "its seal does not open"
        if (len(jpeg), wire.hash_of(jpeg)) != (told.bytes, told.hash):
            return b"", "it is not the picture whose hash was told"
        if (found := jpeg_size(jpeg)) != (told.width_px, told.height_px):
            return b"", "it is no JPEG" if found is None else "it has another size than was told"
        return jpeg, None


WHY: Final = {
    wrong_student.REASON: wrong_student.WORDS,
    "consent-revoked": "a consent was taken back before it was made",
    "age": "it was kept as long as the settings allow",
}
"""Why a picture is gone, in words."""


def _apart(reply: Reply) -> tuple[Reply, str | None]:
    """A reply without the picture in it, and the picture."""
    if reply.result is None or _SEALED not in reply.result:
        return reply, None
    rest = {name: value for name, value in reply.result.items() if name != _SEALED}
    sealed = reply.result[_SEALED]
    return reply.model_copy(update={"result": rest}), sealed if isinstance(sealed, str) else None
