"""An adult called from the room, until somebody has answered and is there: (state, …, now) -> (state, fact). Pure.

It is no emergency call, and the page says so. The row is durable before anything is shown, so that what the room
believes it has sent is on its way; the fleet tells the people and answers with who comes.
"""

import uuid
from dataclasses import replace
from typing import Final

from device.errors import Refused
from device.session.clock import NS_PER_S, Instant
from device.session.states import Fact, HelpAnswered, HelpCall, State
from wire.calls import HelpAnswered as Answer

UNANSWERED_NS: Final = 60 * NS_PER_S
"""From then on the room is told that nobody has answered."""
ANSWERED_SHOWN_NS: Final = 5 * 60 * NS_PER_S
OPEN_NS: Final = 15 * 60 * NS_PER_S
"""A call that nobody answered and nobody ended is shown no longer than this; it is in the ledger and at the fleet."""


def called(state: State, kind: str, now: Instant) -> tuple[State, Fact]:
    """Somebody in the room calls; raises `Refused` at a kind that is none. A call while one is open is a new one."""
    kind = kind or "adult"
    if kind not in {"adult", "other"}:
        raise Refused("Help is called for as: adult, other.")
    call = HelpCall(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{now.boot} {now.mono_ns} help")), now.mono_ns)
    fact = _fact(state, now, "help.called", kind=kind, call=call.call)
    # What is written down for later asks nobody to come: nothing is waited for.
    return (replace(state, help_call=call) if kind == "adult" else state), fact


def over(state: State, now: Instant) -> tuple[State, Fact]:
    """Somebody in the room says that help has come, or is not needed any more; raises `Refused` without a call."""
    if state.help_call is None:
        raise Refused("Nobody was called.")
    return replace(state, help_call=None), _fact(state, now, "help.over", call=state.help_call.call)


def answered(state: State, event: HelpAnswered, now: Instant) -> tuple[State, Fact]:
    """Somebody outside answers; raises `Refused` when no such call is open."""
    call, told = state.help_call, event.answer
    if call is None or (told.call is not None and told.call != call.call):
        raise Refused("No such call is open in this room.")
    told = Answer(by_role=told.by_role, by=told.by, call=call.call)
    after = replace(call, answered_by=told.by_role, answered_ns=now.mono_ns, is_late=False)
    return replace(state, help_call=after), _fact(state, now, "help.answered", **told.model_dump())


def time_passes(state: State, now: Instant) -> State:
    """The call as it stands now."""
    call = state.help_call
    if call is None:
        return state
    if now.mono_ns >= _ends_ns(call):
        return replace(state, help_call=None)
    is_late = call.answered_ns is None and now.mono_ns >= call.at_ns + UNANSWERED_NS
    return replace(state, help_call=replace(call, is_late=True)) if is_late and not call.is_late else state


def moments(state: State) -> list[int]:
    """When time alone will change the call."""
    call = state.help_call
    if call is None:
        return []
    return [_ends_ns(call)] if call.is_late or call.answered_ns is not None else [call.at_ns + UNANSWERED_NS]


def _ends_ns(call: HelpCall) -> int:
    return call.at_ns + OPEN_NS if call.answered_ns is None else call.answered_ns + ANSWERED_SHOWN_NS


def _fact(state: State, now: Instant, type_: str, **data: object) -> Fact:
    return Fact(type_, data, state.session.id if state.session else None, now)
