"""What a room says by its calls: an adult is called, or the call is over. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from fleet.incidents import Event, Fact, Incident, Key, State, resolved
from fleet.own_signals import HELP, OWN
from fleet.store.incidents import OVER, Call
from wire.ledger import ClockTrust

LATE_CALL: Final = timedelta(minutes=30)
"""A call for help that arrives later than this is written down, and nobody is sent to a room because of it."""
THE_ROOM: Final = "the room"
"""Who said that a call is over: whoever stood at the kiosk."""


def key_of(call: Call) -> Key:
    """Of which signal's incident a call is."""
    return HELP[call.kind], None


def is_over(call: Call) -> bool:
    """Whether it says that a call is over."""
    return call.kind == OVER


def is_late(call: Call) -> bool:
    """Whether it arrives so late that nobody is to go; of a clock that was not set nobody can say so."""
    return _is_dated(call) and call.received_at - call.at > LATE_CALL


def fact_of(call: Call) -> Fact:
    """What a call says of its incident."""
    evidence = {"called_at": call.at.isoformat(timespec="seconds")} if _is_dated(call) else {}
    return Fact(OWN[key_of(call)[0]].severity, evidence, said_by="kiosk", call=call.call or "")


def ended(call: Call, incidents: Iterable[Incident], now: datetime) -> tuple[Incident, tuple[Event, ...]] | None:
    """The incident of the call that is over, resolved by the room; None where it is another call's, or over already."""
    for one in incidents:
        if one.reported and one.state is State.OPEN and one.call is not None and one.call == (call.call or ""):
            after, events = resolved(one, now, THE_ROOM)
            return None if after is None else (after, events)
    return None


def arrived_late(incident: Incident, now: datetime) -> tuple[Incident, tuple[Event, ...]]:
    """A call of long ago: over as soon as it is written down."""
    after, events = resolved(incident, now)
    return after or incident, tuple(replace(one, detail={"arrived_late": True}) for one in events)


def _is_dated(call: Call) -> bool:
    return call.clock != ClockTrust.UNSET.value
