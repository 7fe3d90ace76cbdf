"""The clock that the agent goes by: the machine's, judged; kept right by the fleet's time where it is not believed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from device.release import BUILT
from device.session import trust
from device.session.clock import Clock, Instant

_NS_PER_S: Final = 1_000_000_000


class KioskClock:
    """Wraps the machine's clock. Nothing of it can set that one: an agent has no right to."""

    def __init__(self, machine: Clock, floor: datetime = BUILT) -> None:
        """Begin a boot, or an agent's life in it.

        Args:
            machine: the machine's clocks, whose trust says whether NTP set them.
            floor: the newest time that this kiosk once knew for true.
        """
        self._machine = machine
        self._known = trust.Known(max(BUILT, floor))
        self._opinion: trust.Opinion | None = None

    def now(self) -> Instant:
        """This moment, dated by the time to go by."""
        raw = self._machine.now()
        self._known, self._opinion = trust.judge(self._known, raw)
        return replace(raw, wall=self._opinion.wall, trust=self._opinion.trust)

    @property
    def opinion(self) -> trust.Opinion:
        """What is made of the machine's clock at this moment."""
        self.now()
        assert self._opinion is not None
        return self._opinion

    def remember(self, floor: datetime) -> None:
        """A trusted clock of this kiosk once showed `floor`: told when the ledger was read."""
        self._known = trust.Known(max(BUILT, floor))

    def heard(self, at: datetime, round_trip_s: float) -> None:
        """The fleet told its time, in answer to a question asked `round_trip_s` ago.

        When in between it looked at its clock nobody knows: in the middle, true to half of that.
        """
        half = max(0.0, round_trip_s) / 2
        mono_ns = self._machine.now().mono_ns - round(half * _NS_PER_S)
        self._known = trust.hear(self._known, trust.Fix(mono_ns, at, timedelta(seconds=half)), BUILT)
