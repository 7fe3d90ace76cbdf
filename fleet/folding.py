"""When sessions that got rows are folded: in short turns between messages, each session in its turn.

Folding a thousand sessions takes a slow machine minutes. Nobody waits for that: rows are acknowledged and echoes
answered before a turn, and what a turn leaves undone is marked as due in the store.
"""

from typing import Final

from fleet.clock import Clock, Instant
from fleet.sessions import refold
from fleet.store import sessions
from fleet.store.engine import Database

FOLD_EVERY_S: Final = 0.5
FOLD_FOR_S: Final = 0.1
"""One turn; a session is never left half done, so that a very long one may take more."""
MOST_FOLDS: Final = 200
_SILENCE_S: Final = 0.02
"""So long nothing came: nobody waits."""
_LONG_AGO_S: Final = float("-inf")


class Folding:
    """Used by the ingest's thread alone."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._turn_at_s = _LONG_AGO_S
        self._last = ""
        self._is_in_round = False
        self.wanted = True
        """Whether sessions may be due."""

    def is_due(self, now: Instant, *, is_idle: bool) -> bool:
        """Whether a turn is to be made now; nobody has to wait for a turn when nothing else is to be done."""
        rested = now.mono_s - self._turn_at_s >= FOLD_EVERY_S
        return self.wanted and (rested or (is_idle and self._is_in_round))

    @property
    def rest_s(self) -> float:
        """How long the loop may wait for messages while sessions are due."""
        return _SILENCE_S if self._is_in_round else FOLD_EVERY_S

    def catch_up(self) -> None:
        """Let the next turn come at once."""
        self._turn_at_s = _LONG_AGO_S

    def turn(self, now: Instant) -> set[str]:
        """Fold for a moment; the kiosks whose sessions changed.

        Raises:
            StoreDown: nothing of this turn is kept, and all of it is still due.
        """
        with self._database.read() as connection:
            due = sessions.due(connection, MOST_FOLDS, self._last)
        done: list[tuple[str, str]] = []
        if due:
            began_s = self._clock.now().mono_s
            with self._database.write() as connection:
                for session, kiosk in due:
                    refold(connection, session, kiosk)
                    done.append((session, kiosk))
                    if self._clock.now().mono_s - began_s >= FOLD_FOR_S:
                        break
        self._turn_at_s = now.mono_s
        self._is_in_round = len(done) < len(due) or len(due) == MOST_FOLDS
        # A round begins anew after its end: what came meanwhile before the place where it stood is due as well.
        self.wanted = self._is_in_round or bool(self._last)
        self._last = done[-1][0] if self._is_in_round else ""
        return {kiosk for _, kiosk in done}
