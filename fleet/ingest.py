"""MQTT to store: takes what waits, keeps it in one transaction, and only then answers.

What a kiosk says of the moment (presence, readiness, vitals) counts at once, in memory. Ledger rows and replies count
when they are committed. An echo is answered only by a loop that has just committed, so that a fleet whose store does
not work looks to its kiosks like a link that is down, and they keep their rows.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from fleet import consents, wrong_student
from fleet.answers import Answers, latest
from fleet.clock import Clock, Instant
from fleet.errors import SettingsUnusable, StoreDown
from fleet.folding import Folding
from fleet.hearing import Heard, Hearing
from fleet.inbox import Inbox, is_fact
from fleet.incoming import Parcel, Reason
from fleet.metrics import Metrics
from fleet.roll import Roll, Unsaved
from fleet.stills import Stills
from fleet.store import incidents, kiosks, ledger, room_words, sessions
from fleet.store.engine import Database
from fleet.store.ledger import Outcome
from fleet.uploads import Uploads
from fleet.voice import Sender, Voice
from wire.messages import Echo
from wire.topics import Channel, Topic

_log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 500
SAVE_EVERY_S: Final = 2.0
"""How old the store's copy of the roll may be; a crash forgets no more than that of presence."""
PROOF_S: Final = 1.0
"""A commit this recent proves to a kiosk that the store works."""
PROVE_EVERY_S: Final = 10.0
"""Without anything to keep, a transaction shows so often that the store still works."""
STUCK_AFTER_S: Final = 2.0
PACE_S: Final = 0.025
"""Transactions begin so far apart: under load each carries more rows, and a lone row still waits for nothing."""
ANSWER_EVERY_S: Final = 0.25
"""Under load, one acknowledgement stands for all rows of a kiosk that were committed in this time."""
KEEP_SAMPLES: Final = timedelta(days=30)
_LONG_AGO_S: Final = float("-inf")
_TIDY_EVERY_S: Final = 3_600.0
_BACKOFF_S: Final = (0.1, 0.3, 1.0, 2.0, 5.0)


class Ingest:
    """One thread; everything in it happens in order."""

    def __init__(  # noqa: PLR0913  # every part that a transaction touches, named once
        self,
        inbox: Inbox,
        database: Database,
        roll: Roll,
        sender: Sender,
        metrics: Metrics,
        clock: Clock,
        *,
        stills: Stills,
        uploads: Uploads,
        on_change: Callable[[Collection[str]], None] = lambda _kiosks: None,
        on_folded: Callable[[], None] = lambda: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Say where messages come from and where facts go.

        Args:
            inbox: the messages.
            database: keeps facts.
            roll: what is known at the moment; written by this thread alone.
            sender: sends acknowledgements and echoes.
            metrics: counts.
            clock: the time.
            stills: keeps the replies, and apart from them the pictures in them.
            uploads: answers kiosks that want to send a recording, and destroys what may not be kept.
            on_change: told which kiosks changed, on this thread.
            on_folded: told that sessions changed, on this thread and before `on_change`.
            on_failure: told when this thread ends by a defect.
        """
        self._inbox, self._database, self._roll, self._voice = inbox, database, roll, Voice(sender)
        self._metrics, self._clock, self._on_change, self._on_failure = metrics, clock, on_change, on_failure
        self._stills, self._uploads, self._on_folded = stills, uploads, on_folded
        self._to_forget = False
        self._hearing = Hearing(roll, metrics)
        self._answers = Answers()
        self._heard = Heard()
        self._numbers: ledger.Numbers = {}
        self._unanswered: list[Outcome] = []
        self._failures = 0
        self._answered_at_s = self._retry_at_s = _LONG_AGO_S
        self._saved_at_s = self._tidied_at_s = _LONG_AGO_S
        self._proved_at_s: float | None = None
        self._began_s: float | None = None
        self._wrote_at_s: float | None = None
        self._folding = Folding(database, clock)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet.ingest", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Keep what waits and end; whether the thread ended in time."""
        self._stopping.set()
        self._inbox.wake()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def works(self) -> bool:
        """Whether the last transaction was committed, and none hangs now."""
        began_s = self._began_s
        stuck = began_s is not None and self._clock.now().mono_s - began_s > STUCK_AFTER_S
        return self._proved_at_s is not None and not stuck

    def step(self, timeout_s: float) -> None:
        """Take what waits, keep it, answer it."""
        raws = self._inbox.take(MOST_AT_ONCE, timeout_s)
        now, heard = self._clock.now(), self._heard
        self._hearing.hear([raw for raw in raws if not is_fact(raw)], now, heard)
        self._answer_echoes(now)  # before facts are looked at, of which there may be a second's worth
        self._hearing.hear([raw for raw in raws if is_fact(raw)], now, heard)
        flood = self._inbox.take_dropped()
        if flood:
            self._hearing.drops.drop("inbox", Reason.FLOOD, "more came than could wait", flood)
        elif raws:
            self._hearing.drops.good("inbox")
        if now.mono_s >= self._retry_at_s:
            self._try(self._keep_and_say, now)
        if self._unanswered:
            self._answer(now)
        heard.uploads.clear()  # they are asked again
        heard.echoes.clear()  # an echo answered later would hide the trouble
        if now.mono_s >= self._retry_at_s and self._folding.is_due(now, is_idle=not raws):
            self._try(self._fold, now)  # nobody waits for it
        if heard.changed:
            self._on_change(heard.changed)
            heard.changed = set()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                folding_s = self._folding.rest_s if self._folding.wanted else SAVE_EVERY_S
                self.step(_BACKOFF_S[0] if self._failures else folding_s)
                if self._wrote_at_s is not None:
                    self._stopping.wait(PACE_S - (self._clock.now().mono_s - self._wrote_at_s))
                    self._wrote_at_s = None
            self._saved_at_s = self._retry_at_s = _LONG_AGO_S
            self._folding.catch_up()
            self.step(0.0)
        except Exception:  # noqa: BLE001  # the loop's edge: a fleet must not go on without it as if all were well
            _log.exception("the ingest ended by a defect")
            self._on_failure()

    def _try(self, work: Callable[[Instant], None], now: Instant) -> None:
        self._began_s = self._clock.now().mono_s
        try:
            work(now)
        except StoreDown as error:
            self._failed(error, now)
        finally:
            self._began_s = None

    def _keep_and_say(self, now: Instant) -> None:
        if self._must_write(now):
            self._wrote_at_s = now.mono_s
            self._write(now)
        if self._heard.uploads:
            self._answer_uploads(now)
        if self._to_forget:
            self._forget()
        self._answer_echoes(now)

    def _answer_echoes(self, now: Instant) -> None:
        """Say that all is well, if a commit has just shown it."""
        if self._proved_at_s is not None and now.mono_s - self._proved_at_s < PROOF_S:
            for topic, echo in self._heard.echoes:
                self._voice.say(topic, Echo(sender="fleet", n=echo.n, at=self._clock.now().at), qos=0)
            self._heard.echoes.clear()

    def _must_write(self, now: Instant) -> bool:
        proof_age_s = float("inf") if self._proved_at_s is None else now.mono_s - self._proved_at_s
        return (
            self._heard.has_facts
            or self._roll.has_new
            or (bool(self._heard.echoes) and proof_age_s >= PROOF_S)
            or proof_age_s >= PROVE_EVERY_S
            or (self._roll.has_unsaved and now.mono_s - self._saved_at_s >= SAVE_EVERY_S)
        )

    def _write(self, now: Instant) -> None:
        """Keep all that waits; answer the ledgers when it is committed."""
        heard = self._heard
        saves = self._roll.has_new or not heard.has_facts or now.mono_s - self._saved_at_s >= SAVE_EVERY_S
        unsaved = self._roll.take_unsaved() if saves else Unsaved([], [])
        began_s = self._clock.now().mono_s
        try:
            with self._database.write() as connection:
                kiosks.save(connection, unsaved)
                kiosks.add_samples(connection, heard.samples)
                tidies = self._tidy(connection, now)
                outcomes = self._keep(connection, heard.parcels, now)
                for kiosk, reply in heard.replies:
                    self._stills.take_reply(connection, kiosk, reply, now.at)
                says_wrong = tidies or _names_wrong(heard)
                destroyed = self._stills.destroy_due(connection, now.at) if says_wrong or heard.replies else 0
                destroyed += self._uploads.destroy_due(connection, now.at) if says_wrong else 0
                if tidies or heard.replies:  # a still may have been on its way when a consent was taken back
                    destroyed += consents.destroy_due(connection, now.at, self._uploads)
        except StoreDown:
            self._roll.give_back(unsaved)
            raise
        except (SQLAlchemyError, ValueError, OverflowError) as error:
            _log.warning("a transaction was refused, each part is tried alone: %s", error)
            self._roll.give_back(unsaved)
            outcomes, destroyed = self._write_one_by_one(now), 0
        self._to_forget = self._to_forget or bool(destroyed)
        self._saved_at_s = now.mono_s if saves else self._saved_at_s
        self._committed(began_s)
        heard.kept()
        for outcome in outcomes:
            self._note(outcome)
            self._unanswered.append(outcome)

    def _write_one_by_one(self, now: Instant) -> list[Outcome]:
        """Drop what the store refuses, keep the rest: one bad message must not hold up the others."""
        unsaved = self._roll.take_unsaved()
        try:
            with self._database.write() as connection:
                kiosks.save(connection, unsaved)
        except StoreDown:
            self._roll.give_back(unsaved)
            raise
        outcomes = []
        for parcel in self._heard.parcels:
            try:
                with self._database.write() as connection:
                    outcomes += self._keep(connection, [parcel], now)
                    self._to_forget = bool(self._destroy(connection, now)) or self._to_forget
            except (SQLAlchemyError, ValueError, OverflowError) as error:
                topic = str(Topic(parcel.campus, parcel.kiosk, Channel.LEDGER))
                self._hearing.drops.drop(topic, Reason.STORE, f"the store refuses it: {error}")
        for kiosk, reply in self._heard.replies:
            try:
                with self._database.write() as connection:
                    self._stills.take_reply(connection, kiosk, reply, now.at)
                    self._to_forget = bool(self._destroy(connection, now)) or self._to_forget
            except (SQLAlchemyError, ValueError, OverflowError) as error:
                self._hearing.drops.drop(f"…/{kiosk}/reply", Reason.STORE, f"the store refuses it: {error}")
        return outcomes

    def _keep(self, connection: Connection, parcels: Sequence[Parcel], now: Instant) -> list[Outcome]:
        outcomes = ledger.take(connection, parcels, now.at, self._numbers)
        incidents.note_calls(connection, parcels, now.at)
        room_words.note(connection, parcels)
        touched = [(id_, one.kiosk, one.campus) for one in outcomes for id_ in one.sessions]
        foreign = sessions.touch(connection, touched, now.at)
        self._metrics.foreign_sessions.inc(foreign)
        for one in outcomes:
            sessions.touch_joined(connection, one.kiosk, one.joined)
        return outcomes

    def _note(self, outcome: Outcome) -> None:
        self._roll.ledger(outcome.kiosk, outcome.epoch, outcome.through, new=outcome.new_epoch)
        self._heard.changed.add(outcome.kiosk)
        self._metrics.rows.inc(outcome.new_rows)
        self._folding.wanted = self._folding.wanted or bool(outcome.sessions) or bool(outcome.joined)
        if outcome.fork_at is not None or outcome.stranger_at is not None:
            self._metrics.forks.inc()
            at = outcome.fork_at or outcome.stranger_at
            _log.warning("%s: row %s of epoch %s came with another hash", outcome.kiosk, at, outcome.epoch)

    def _answer(self, now: Instant) -> None:
        """Acknowledge what is committed: at once when nothing more waits, else a few times a second."""
        if not self._inbox.is_empty and now.mono_s - self._answered_at_s < ANSWER_EVERY_S:
            return
        self._answered_at_s = now.mono_s
        for outcome in latest(self._unanswered):
            topic = Topic(outcome.campus, outcome.kiosk, Channel.LEDGER_ACK)
            for ack in self._answers.to(outcome, now):
                self._voice.say(topic, ack, qos=1)
        self._unanswered.clear()

    def _answer_uploads(self, now: Instant) -> None:
        """Say who may send a recording; after the rows that came before, which it has to be told by."""
        for topic, asked in self._heard.uploads:
            try:
                with self._database.write() as connection:
                    ticket = self._uploads.answer(connection, topic.kiosk, asked, now.at)
            except SettingsUnusable as error:  # expected with bad rights on a file
                _log.error("%s can send no recording: %s", topic.kiosk, error)
            except (SQLAlchemyError, ValueError, OverflowError) as error:
                self._hearing.drops.drop(str(topic), Reason.STORE, f"the store refuses it: {error}")
            else:
                self._voice.say(Topic(topic.campus, topic.kiosk, Channel.UPLOAD_TICKET), ticket, qos=1)

    def _fold(self, now: Instant) -> None:
        """Bring the sessions that got rows up to date."""
        began_s = self._clock.now().mono_s
        changed = self._folding.turn(now)
        if changed:
            self._committed(began_s)
            self._on_folded()
        self._heard.changed.update(changed)

    def _tidy(self, connection: Connection, now: Instant) -> bool:
        if now.mono_s - self._tidied_at_s < _TIDY_EVERY_S:
            return False
        kiosks.drop_samples(connection, now.at - KEEP_SAMPLES)
        self._uploads.tidy(connection, now.at)
        self._tidied_at_s = now.mono_s
        return True

    def _destroy(self, connection: Connection, now: Instant) -> int:
        """Let go what may not be kept, after a message that was kept alone."""
        return self._stills.destroy_due(connection, now.at) + self._uploads.destroy_due(connection, now.at)

    def _forget(self) -> None:
        """Empty the journal of what was destroyed; while somebody is in the way, again with the next step."""
        try:
            self._to_forget = not self._database.forget()
        except StoreDown as error:  # what was to be kept is kept: no trouble that a kiosk has to know of
            _log.debug("the journal is emptied later: %s", error)

    def _committed(self, began_s: float) -> None:
        ended_s = self._clock.now().mono_s
        self._metrics.batch_seconds.observe(ended_s - began_s)
        self._proved_at_s = ended_s
        if self._failures:
            _log.info("the store works again after %d failures", self._failures)
        self._failures = 0

    def _failed(self, error: StoreDown, now: Instant) -> None:
        _log.log(logging.DEBUG if self._failures else logging.ERROR, "nothing can be kept: %s", error)
        self._metrics.store_failures.inc()
        self._retry_at_s = now.mono_s + _BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)]
        self._failures += 1
        self._proved_at_s = None
        self._heard.samples.clear()  # the next ones come by themselves


def _names_wrong(heard: Heard) -> bool:
    """Whether somebody said that another student sits there: that session's pictures go in the same transaction."""
    return any(row.type == wrong_student.TYPE for parcel in heard.parcels for row in parcel.rows)
