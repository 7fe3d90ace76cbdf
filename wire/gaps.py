"""When the boots of a session were, as far as its rows tell: dates, and the least and the most that gaps can be.

Within a boot every instant is known against every other. Between boots only wall time helps, by what a clock is worth:

- `synced` is right, to the microsecond that a row keeps of it;
- `held` was carried over a restart, in which it may have stood still: it is never ahead of the truth, and so it bounds
  from below only;
- `unset` tells nothing.

Boots follow each other, so each is not before the one before it has been lived through, and not after a later one that
has a date. Several gaps without a date between two dates share what is left between them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from wire.codec import validate
from wire.errors import BadPayload
from wire.ledger import ClockTrust, PowerLost, Row

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_US: Final = 1_000
_DATE_NS: Final = _NS_PER_US
"""A date is cut to microseconds, or rounded to them."""


def power_lost(row: Row) -> PowerLost | None:
    """What a row `power.lost` says; None when it is none, or written by something else than this contract's machine."""
    if row.type != "power.lost":
        return None
    try:
        return validate(PowerLost, row.data)
    except BadPayload:
        return None


class Dates:
    """The wall time of any instant, by its boot's best anchor: the last synchronised row, else the last held one."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._anchors: dict[str, Row] = {}
        for row in rows:
            known = self._anchors.get(row.boot)
            if row.clock is ClockTrust.UNSET or (
                row.clock is ClockTrust.HELD and known is not None and known.clock is ClockTrust.SYNCED
            ):
                continue
            self._anchors[row.boot] = row

    def trust(self, boot: str) -> ClockTrust:
        """How far a date in `boot` may be believed."""
        anchor = self._anchors.get(boot)
        return anchor.clock if anchor else ClockTrust.UNSET

    def at(self, boot: str, mono_ns: int) -> datetime | None:
        """The date of an instant; None when no clock of its boot was ever set."""
        anchor = self._anchors.get(boot)
        if anchor is None:
            return None
        try:
            return anchor.at + timedelta(microseconds=(mono_ns - anchor.mono_ns) / 1_000)
        except OverflowError:  # a date that no calendar has
            return None


@dataclass(slots=True)
class _Boot:
    """What is known of one boot: the stretch of its own clock that rows tell of, and a date of its instant 0."""

    first_ns: int
    last_ns: int
    trust: ClockTrust = ClockTrust.UNSET
    zero_ns: int = 0
    """Nanoseconds since 1970, as far as `trust` goes."""

    def lived(self, mono_ns: int) -> None:
        self.first_ns, self.last_ns = min(self.first_ns, mono_ns), max(self.last_ns, mono_ns)

    def dated(self, at: datetime, mono_ns: int, trust: ClockTrust) -> None:
        """The newest date counts, but a held one never against a synchronised one."""
        if trust is ClockTrust.UNSET or (trust is ClockTrust.HELD and self.trust is ClockTrust.SYNCED):
            return
        self.trust = trust
        self.zero_ns = (at - _EPOCH) // timedelta(microseconds=1) * _NS_PER_US - mono_ns


class Boots:
    """The boots of a session in their order, each with the earliest and the latest that it can have begun."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._boots: dict[str, _Boot] = {}
        for row in rows:
            lost = power_lost(row)
            if lost is not None:  # it speaks of the boot before, also where that one wrote nothing itself
                self._seen(lost.boot, lost.mono_ns).dated(lost.at, lost.mono_ns, lost.clock)
            self._seen(row.boot, row.mono_ns).dated(row.at, row.mono_ns, row.clock)
        self._order = {name: number for number, name in enumerate(self._boots)}
        boots = list(self._boots.values())
        # Taken out of every date: how long the boots before it were lived through. What is left may not go backwards.
        self._lived_ns = [0, *accumulate(boot.last_ns - boot.first_ns for boot in boots)]
        self._right = self._believed(boots)
        self._least_ns, self._most_ns = self._limits(boots)

    def is_dated(self, boot: str) -> bool:
        """Whether a time source vouches for the dates of `boot`, and those of no other boot contradict it."""
        number = self._order.get(boot)
        return number is not None and self._right[number]

    def between(self, boot: str, mono_ns: int, later: str, later_ns: int) -> tuple[int, int | None]:
        """The least and the most nanoseconds from an instant of `boot` to one of a `later` boot; None: no end known."""
        one, two = self._order.get(boot), self._order.get(later)
        if one is None:
            return 0, None
        before_ns = mono_ns - self._boots[boot].first_ns
        if two is None:  # no row tells of it yet
            return max(0, self._boots[boot].last_ns - mono_ns), None
        # Counted from each boot's first instant, in the time that is left when what was lived through is taken out.
        after_ns = later_ns - self._boots[later].first_ns
        chain_ns = self._lived_ns[two] - self._lived_ns[one] + after_ns - before_ns
        floor_ns = max(0, chain_ns)
        start_ns, end_ns = self._most_ns[one], self._least_ns[two]
        if start_ns is not None and end_ns is not None:
            floor_ns = max(floor_ns, chain_ns + end_ns - start_ns)
        start_ns, end_ns = self._least_ns[one], self._most_ns[two]
        if start_ns is None or end_ns is None:
            return floor_ns, None
        return floor_ns, max(floor_ns, chain_ns + end_ns - start_ns)

    def _seen(self, name: str, mono_ns: int) -> _Boot:
        boot = self._boots.setdefault(name, _Boot(mono_ns, mono_ns))
        boot.lived(mono_ns)
        return boot

    def _shifted_ns(self, number: int, boot: _Boot) -> int:
        return boot.zero_ns + boot.first_ns - self._lived_ns[number]

    def _believed(self, boots: list[_Boot]) -> list[bool]:
        """Which boots a time source dates, without those that contradict each other: one of them is wrong."""
        right = [boot.trust is ClockTrust.SYNCED for boot in boots]
        latest_ns: int | None = None
        for number, boot in enumerate(boots):
            if boot.trust is ClockTrust.SYNCED:
                here_ns = self._shifted_ns(number, boot)
                right[number] = latest_ns is None or here_ns + _DATE_NS >= latest_ns - _DATE_NS
                latest_ns = here_ns if latest_ns is None else max(latest_ns, here_ns)
        earliest_ns: int | None = None
        for number, boot in reversed(list(enumerate(boots))):
            if boot.trust is ClockTrust.SYNCED:
                here_ns = self._shifted_ns(number, boot)
                right[number] &= earliest_ns is None or here_ns - _DATE_NS <= earliest_ns + _DATE_NS
                earliest_ns = here_ns if earliest_ns is None else min(earliest_ns, here_ns)
        return right

    def _limits(self, boots: list[_Boot]) -> tuple[list[int | None], list[int | None]]:
        """The least and the most of each boot's date, with what was lived through before it taken out."""
        most: list[int | None] = []
        limit_ns: int | None = None
        for number, boot in reversed(list(enumerate(boots))):
            if self._right[number]:
                here_ns = self._shifted_ns(number, boot) + _DATE_NS
                limit_ns = here_ns if limit_ns is None else min(limit_ns, here_ns)
            most.append(limit_ns)
        most.reverse()
        least: list[int | None] = []
        limit_ns = None
        for number, boot in enumerate(boots):
            here_ns, most_ns = self._shifted_ns(number, boot) - _DATE_NS, most[number]
            # A held clock that is ahead of what can be was set wrong, and bounds nothing.
            believed = self._right[number] or (
                boot.trust is ClockTrust.HELD and (most_ns is None or here_ns <= most_ns)
            )
            if believed:
                limit_ns = here_ns if limit_ns is None else max(limit_ns, here_ns)
            least.append(limit_ns)
        return least, most
