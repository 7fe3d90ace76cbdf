"""What the parts of a view share: the snapshot, the words, and how times and lengths are written."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import Final

from device.screen.press import Does, does
from device.screen.sentences import Words
from device.screen.words import words_in
from device.session.clock import NS_PER_MS, NS_PER_S, zone_of
from device.session.states import State
from device.snapshot import Place, Snapshot
from wire.ledger import ClockTrust
from wire.minutes import SessionRecord
from wire.schedule import Booking

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""What the catalogues call the days of a week."""
_WORTH_AN_AGE_S: Final = 5.0


@dataclass(frozen=True)
class Scene:
    """One snapshot in one language."""

    snapshot: Snapshot
    language: str

    @cached_property
    def w(self) -> Words:
        return words_in(self.language)

    @property
    def state(self) -> State:
        return self.snapshot.state

    @property
    def place(self) -> Place:
        return self.snapshot.place

    @property
    def now_ns(self) -> int:
        return self.snapshot.at.mono_ns

    @cached_property
    def press(self) -> tuple[Does, Booking | None]:
        """What a press would do now."""
        return does(self.state, self.snapshot.at)

    @cached_property
    def record(self) -> SessionRecord | None:
        """The record of the session that runs, or that ended last; None when there is none or it is another's."""
        last = self.state.last
        shown = self.state.session or (last.session if last else None)
        return self.snapshot.record if shown and self.snapshot.record_id == shown.id else None

    @property
    def elapsed_ms(self) -> int | None:
        return self.record.minutes.elapsed_ms if self.record else None

    def left_ms(self, until_ns: int) -> int:
        """What is left until a monotonic instant, never less than nothing."""
        return max(0, (until_ns - self.now_ns) // NS_PER_MS)

    @property
    def clock_set(self) -> bool:
        """Whether a time of day may be shown at all."""
        return self.snapshot.at.trust is not ClockTrust.UNSET

    @cached_property
    def zone(self) -> tzinfo:
        """The room's time zone."""
        return zone_of(self.place.time_zone)

    def time_of_day(self, at: datetime) -> str:
        """`10:15` in the room's time zone, with the day in front when it is not today."""
        here, today = at.astimezone(self.zone), self.snapshot.at.wall.astimezone(self.zone)
        text = f"{here.hour}:{here.minute:02}"
        if here.date() == today.date():
            return text
        return self.w.on_day.format(day=self.w.days[DAYS[here.weekday()]], time=text)

    def wall_at(self, mono_ns: int) -> datetime:
        """The wall time of a monotonic instant of this boot, by the clock as it is now, to the second.

        Not closer: the two clocks were not read in the same moment, and 10:34:59.999 is not to be shown as 10:34.
        """
        at = self.snapshot.at.wall + timedelta(microseconds=(mono_ns - self.now_ns) / 1_000)
        return (at + timedelta(milliseconds=500)).replace(microsecond=0)

    def age_of(self, since: datetime | None) -> str | None:
        """How long ago `since` was; None when it was just now, or the clock cannot tell: stepped, or not set yet."""
        if since is None or not self.clock_set:
            return None
        age_s = (self.snapshot.at.wall - since).total_seconds()
        return self.age(age_s) if _WORTH_AN_AGE_S <= age_s <= self.now_ns / NS_PER_S else None

    def age(self, age_s: float) -> str:
        """`40 s`, `12 min`, `3 h`."""
        seconds = max(0, int(age_s))
        if seconds < 60:
            return self.w.age_s.format(n=seconds)
        return self.w.age_min.format(n=seconds // 60) if seconds < 7_200 else self.w.age_h.format(n=seconds // 3_600)


def duration(ms: int) -> str:
    """`12:41`, from an hour on `1:02:41`; parts of a second are cut. The page counts on by the same rule."""
    minutes, seconds = divmod(max(0, ms) // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def whole_minutes(ms: int) -> int:
    """Minutes still to go: a begun one counts, so that "1 minute" is never less than is left."""
    return max(1, -(-ms // 60_000))


def whole_seconds(ms: int) -> int:
    """Seconds still to go in a countdown: 10 at its start, 1 in its last second."""
    return max(1, -(-ms // 1_000))
