"""Segments on their way in: who may send one, when it is whole, what the receipt says, and when it has to be gone.

Facts first: a segment is announced by a ledger row, and only what such a row describes is taken. The row of the table
and the file change under one write transaction, so that destroying and completing never cross.
"""

import base64
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from sqlalchemy import Connection, Row

from fleet import upload_keys, wrong_student
from fleet.clock import micros, moment
from fleet.errors import BadValue, Gone, NotAllowed, NotFound
from fleet.segment_store import FolderStore, SegmentStore, StoreFails, StoreFull
from fleet.settings import FleetSettings, is_loopback
from fleet.store import audit
from fleet.store import segments as store
from fleet.store.engine import Database
from fleet.upload_tickets import LIVES, Grant, granted, token
from wire.errors import BadPayload, BadSegment
from wire.ledger import Segment, row_of
from wire.segments import SegmentHeader
from wire.uploads import Receipt, TicketState, UploadRequest, UploadTicket

_log = logging.getLogger(__name__)

PATH: Final = "/api/v1/uploads"
EXPIRES: Final = timedelta(days=7)
"""What did not come whole by then is let go; the kiosk still has it."""
REVOKED: Final = "consent-revoked"
_MOST_MS: Final = 24 * 3_600_000
"""No segment is so long; a number beyond it is no length."""
WHY: Final = {
    wrong_student.REASON: wrong_student.WORDS,
    REVOKED: "a consent was taken back before it was recorded",
}
"""Why a segment is gone, in words."""


@dataclass(frozen=True)
class Uploads:
    """Safe to use from any thread and in several processes of one machine.

    Args:
        settings: where secrets lie, and how kiosks reach us.
        segments: keeps the bytes.
    """

    settings: FleetSettings
    segments: SegmentStore

    @classmethod
    def of(cls, settings: FleetSettings) -> "Uploads":
        """With the folder that the settings name."""
        return cls(settings, FolderStore(settings.segments_dir))

    # Over MQTT

    def answer(self, connection: Connection, kiosk: str, asked: UploadRequest, at: datetime) -> UploadTicket:
        """A ticket, the receipt of what is here already, or why not; to be sent when the transaction is durable.

        Raises:
            SettingsUnusable: one of our secrets cannot be used.
        """
        refusal = self._refusal(connection, kiosk, asked, at)
        if refusal is not None:
            return self._ticket(asked, TicketState.REFUSED, reason=refusal)
        row = store.one(connection, asked.segment)
        if row is not None and row.stored_us is not None:
            return self._ticket(asked, TicketState.STORED, receipt=self._receipt(row))
        until = (at + LIVES).astimezone(UTC)
        grant = Grant(kiosk=kiosk, segment=asked.segment, hash=asked.hash, bytes=asked.bytes, until=until)
        url = f"{self.settings.kiosk_url}{PATH}"
        return self._ticket(asked, TicketState.SEND, url=url, token=token(self._secret, grant), expires_at=until)

    def _refusal(self, connection: Connection, kiosk: str, asked: UploadRequest, at: datetime) -> str | None:
        told = store.told(connection, kiosk, asked.epoch, asked.row)
        if told is None:
            return "row-unknown"
        facts = _facts(told, asked)
        if facts is None:
            return "other-row"
        if (unwanted := _unwanted(connection, kiosk, told.session, facts)) is not None:
            return unwanted
        if not _may_be_told(self.settings.kiosk_url):
            _log.error("kiosks cannot send recordings to %s: set upload_url to https://…", self.settings.kiosk_url)
            return "no-address"
        store.announce(connection, asked.segment, kiosk, at, facts)
        row = store.one(connection, asked.segment)
        if row is None or (row.kiosk, row.hash, row.bytes) != (kiosk, asked.hash, asked.bytes):
            return "another-kiosks" if row is None or row.kiosk != kiosk else "other-row"
        return None if row.destroyed_us is None else "destroyed"

    # Over HTTP

    def grant(self, text: str, segment: str | None, at: datetime) -> Grant:
        """What a token allows, here for this segment.

        Raises:
            NotSignedIn: no token of ours, or one that is over.
            NotAllowed: it is another segment's.
        """
        grant = granted(self._secret, text, at)
        if segment not in {None, grant.segment}:
            raise NotAllowed("This token is for another segment.")
        return grant

    def create(self, database: Database, grant: Grant) -> None:
        """Have an upload to which pieces may be added; raises `Gone`, `NotFound` as `held` does."""
        with database.write() as connection:
            row = _row(connection, grant)
            if row.stored_us is None and self.segments.offset(grant.segment) is None:
                self.segments.begin(grant.segment)

    def held(self, database: Database, grant: Grant) -> tuple[int, Receipt | None]:
        """Up to where it is here durably, and the receipt when it is here whole.

        Raises:
            NotFound: it was never created, or what came of it was let go.
            Gone: it was destroyed, and may not come again.
        """
        with database.read() as connection:
            row = _row(connection, grant)
        if row.stored_us is not None:
            return grant.bytes, self._receipt(row)
        offset = self.segments.offset(grant.segment)
        if offset is None:
            raise NotFound("There is no such upload; create it with POST.")
        return offset, None

    def complete(self, database: Database, grant: Grant, at: datetime) -> Receipt:
        """Judge what came, and keep it under its name; done twice it gives the same receipt.

        Raises:
            BadValue: it is not what was announced; nothing of it is kept.
            Gone, NotFound: as `held`.
        """
        _, receipt = self.held(database, grant)
        if receipt is not None:
            return receipt
        trouble, header = self._judged(grant)
        with database.write() as connection:
            row = _row(connection, grant, to_change=True)
            if row.stored_us is None:
                if trouble is None and header is not None and header.session != (row.session or header.session):
                    trouble = "it is of another session than its row says"
                if trouble is not None:
                    self.segments.destroy(grant.segment)
                    raise BadValue("body", f"The whole is not what was announced: {trouble}. Nothing of it was kept.")
                self.segments.finish(grant.segment)
                store.stored(connection, grant.segment, at)
                row = _row(connection, grant)
        return self._receipt(row)

    def terminate(self, database: Database, grant: Grant) -> None:
        """Let go what came of an unfinished upload; one that is whole stays (tus, termination)."""
        with database.write() as connection:
            if _row(connection, grant, to_change=True).stored_us is None:
                self.segments.destroy(grant.segment)

    def _judged(self, grant: Grant) -> tuple[str | None, SegmentHeader | None]:
        """What is wrong with the whole, if anything, and what its header says."""
        try:
            found = self.segments.scan(grant.segment)
        except BadSegment as error:
            return str(error), None
        said = found.header
        if found.damage is not None or found.good_bytes != found.total_bytes:
            return found.damage or "it has bytes after its end", said
        if (found.hash, found.total_bytes) != (grant.hash, grant.bytes):
            return "its hash is another one", said
        if (said.segment, said.kiosk) != (grant.segment, grant.kiosk):
            return "its header names another segment or kiosk", said
        return None, said

    # Out

    def destroy_due(self, connection: Connection, at: datetime) -> int:
        """Destroy what came of sessions in which another student sat than was booked; how many."""
        return self._destroy(connection, store.of_wrong_students(connection), at, wrong_student.REASON)

    def destroy_since(  # whose and since when are the question itself
        self,
        connection: Connection,
        at: datetime,
        why: str,
        *,
        kiosk: str | None = None,
        session: str | None = None,
        student: str | None = None,
        since: datetime | None = None,
    ) -> int:
        """Destroy, unopened, what may hold a picture taken since then: of a kiosk's session, or of a student.

        Args:
            connection: from `Database.write`.
            at: now.
            why: the reason that stays; see `WHY`.
            kiosk: with `session`, of this session.
            session: with `kiosk`.
            student: of every session that was begun for this reference.
            since: from then on; None is all of it.

        Returns:
            How many were destroyed. What the disk refuses is logged and not called destroyed: ask again.

        Raises:
            ValueError: neither a student nor a kiosk's session is named.
        """
        of = store.sessions_of(connection, student) if student else []
        if kiosk and session:
            of = [*of, (kiosk, session)]
        elif not student:
            raise ValueError("name a student, or a kiosk and its session")
        return self._destroy(connection, store.reaching(connection, of, since), at, why)

    def destroy_rows(self, connection: Connection, rows: Iterable[Row[Any]], at: datetime, why: str) -> int:
        """Destroy these segments, unopened, each with its row in the audit; as `destroy_since`."""
        return self._destroy(connection, rows, at, why)

    def tidy(self, connection: Connection, at: datetime) -> None:
        """Let go what never came whole."""
        before = at - EXPIRES
        for segment in {*store.unfinished(connection, before), *self.segments.unfinished_before(before.timestamp())}:
            row = store.one(connection, segment, to_change=True)
            is_due = row is None or (row.stored_us is None and row.announced_us < micros(before))
            if is_due and self._is_gone(segment):
                store.forget(connection, segment)

    def _destroy(self, connection: Connection, rows: Iterable[Row[Any]], at: datetime, why: str) -> int:
        # The bytes first: if the transaction fails after all, it is tried again, and finds nothing left to destroy.
        count = 0
        for row in rows:
            if not self._is_gone(row.id):
                continue
            audit.note(connection, at, "fleet", "segment.destroyed", row.id, why, campus=row.campus)
            store.destroyed(connection, row.id, at, why)
            count += 1
        return count

    def _is_gone(self, segment: str) -> bool:
        """Destroy its bytes; False, with a line in the log, when the disk refuses: everything else goes on."""
        try:
            self.segments.destroy(segment)
        except (StoreFails, StoreFull) as error:
            _log.error("segment %s cannot be destroyed, it is tried again within the hour: %s", segment, error)
            return False
        return True

    def _ticket(self, asked: UploadRequest, state: TicketState, **more: Any) -> UploadTicket:
        return UploadTicket(segment=asked.segment, hash=asked.hash, state=state, **more)

    def _receipt(self, row: Row[Any]) -> Receipt:
        stored_at = moment(row.stored_us).astimezone(UTC).isoformat()
        bare = Receipt(kiosk=row.kiosk, segment=row.id, hash=row.hash, bytes=row.bytes, stored_at=stored_at)
        signature = self._signing.sign(bare.signed_text().encode()).signature
        return bare.model_copy(update={"signature": base64.b64encode(signature).decode()})

    @cached_property
    def _secret(self) -> bytes:
        return upload_keys.ticket_secret(self.settings.data_dir)

    @cached_property
    def _signing(self) -> Any:
        return upload_keys.receipt_key(self.settings.data_dir)


def stored_path(settings: FleetSettings, segment: str) -> Path:
    """Where a stored segment lies."""
    return FolderStore(settings.segments_dir).path(segment)


def _row(connection: Connection, grant: Grant, *, to_change: bool = False) -> Row[Any]:
    row = store.one(connection, grant.segment, to_change=to_change)
    if row is None or (row.kiosk, row.hash, row.bytes) != (grant.kiosk, grant.hash, grant.bytes):
        raise NotFound("There is no such upload; ask for a ticket over MQTT.")
    if row.destroyed_us is not None:
        raise Gone(f"This recording was destroyed: {WHY.get(row.destroyed_why, row.destroyed_why)}.")
    return row


def _facts(told: Any, asked: UploadRequest) -> dict[str, Any] | None:
    """The columns of a segment as its ledger row has them; None when the row is not about these bytes."""
    if told.type not in store.TELLING:
        return None
    try:
        row = row_of(told.body)
        said = Segment.model_validate(row.data)
        started = said.started_at or row.at
        moment(micros(started))  # a date that no calendar has could never be shown again
    except (ValidationError, BadPayload, ValueError, OverflowError):
        return None
    about = (said.segment, said.hash, said.bytes)
    if about != (asked.segment, asked.hash, asked.bytes) or (said.ms or 0) > _MOST_MS:
        return None
    return {
        "session": told.session, "role": said.role[:40], "started_us": micros(started), "ms": said.ms or 0,
        "clock": (said.clock or row.clock).value, "bytes": asked.bytes, "hash": asked.hash,
    }  # fmt: skip


def _unwanted(connection: Connection, kiosk: str, session: str | None, facts: dict[str, Any]) -> str | None:
    """Why a recording may not be kept whatever it is, if so."""
    if store.is_of_wrong_student(connection, kiosk, session):
        return wrong_student.REASON
    return REVOKED if store.is_without_consent(connection, kiosk, session, facts) else None


def _may_be_told(url: str) -> bool:
    """Sealed or not, pictures cross a network encrypted only; plain http is this machine talking to itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")
