"""What a suspended machine makes of a session: time passed, so it counts as elapsed; nothing ran, so it is no minute.

A Pi does not suspend; a laptop as a kit does, when its lid is closed. A pause, and a session on its way to its end,
stay what they are: nothing ran in them anyway.
"""

from typing import Final

from device.session.clock import NS_PER_S, Instant
from device.session.limits import RESUME_WITHIN
from device.session.states import ROLES, Fact, Phase, Session, State

NAP_NS: Final = NS_PER_S
"""Less is no sleep: the two clocks are not read in the same instant."""
_RUNNING: Final = frozenset({Phase.STARTING, Phase.LIVE, Phase.BUFFERING})


def slept_ns(state: State, now: Instant) -> int:
    """How long the machine was suspended since `state` was told last; 0 where it is told for the first time."""
    nap_ns = 0 if state.slept_ns is None else now.slept_ns - state.slept_ns
    return nap_ns if nap_ns >= NAP_NS else 0


def fell_asleep(now: Instant, nap_ns: int) -> Instant:
    """When it began, if it ended just now: its length is exact, its place true to how late it was noticed."""
    return now.earlier(now.mono_ns - nap_ns)


def interrupts(state: State) -> Session | None:
    """The session that was running, and is interrupted by it."""
    return state.session if state.phase in _RUNNING else None


def resumable(session: Session, now: Instant, nap_ns: int) -> bool:
    """As after a power cut: away under 10 minutes, and the booking, if any, still runs."""
    runs = session.planned_end_ns is None or now.mono_ns < session.planned_end_ns
    return runs and nap_ns < RESUME_WITHIN.total_seconds() * NS_PER_S


def lost(session: Session, last: Instant, now: Instant) -> Fact:
    """The row that ends what ran; the same as after the agent alone was restarted."""
    data = {
        "boot": last.boot, "mono_ns": last.mono_ns, "at": last.wall.isoformat(), "clock": last.trust.value,
        "cause": "unknown",
    }  # fmt: skip
    return Fact("power.lost", data, session.id, now)


def told_anew(state: State, session: Session, now: Instant) -> list[Fact]:
    """That it goes on, with what is so now: after an interruption the rows know of no camera and no link."""
    facts = [Fact("session.resumed", {"by": "kiosk"}, session.id, now)]
    for role in ROLES:
        camera = state.cameras[role]
        if camera.giving or camera.missing:
            type_ = "camera.back" if camera.giving else "camera.lost"
            facts.append(Fact(type_, {"role": role, "reason": "after-sleep"}, session.id, now))
    if state.link_up:
        facts.append(Fact("link.up", {"reason": "after-sleep"}, session.id, now))
    return facts
