"""The session machine: (state, event, now) -> (state, facts). No input or output of its own.

`step` is the whole interface: one button, privacy pause on a press, ending on a hold, every window and time-out, and
the three reasons for which a start is refused. Facts become ledger rows before the new state is shown. `wake_at` names
the moment at which the machine wants a `Tick`.
"""

from dataclasses import asdict, replace
from typing import Any

from device.session import asks, calls, cards, limits, sleep, whys, windows
from device.session import states as s
from device.session.clock import Instant
from device.session.states import IN_SESSION, Fact, Phase, State
from wire.schedule import Booking


def step(state: State, event: s.Event, now: Instant) -> tuple[State, tuple[Fact, ...]]:
    """What `event` at `now` makes of `state`, and the facts to write before that is shown.

    Raises:
        Refused: an action on the screen that does not fit the state.
    """
    turn = _Turn(state, now)
    turn.wake()  # before time is judged: what passed in sleep was no minute
    turn.time_passes()  # first, so that an event that overtakes a late tick meets the state that is due
    turn.tell_phase()
    turn.take(event)
    turn.tell_phase()
    turn.mind_cards()
    return turn.state, tuple(turn.facts)


def wake_at(state: State, now: Instant) -> int | None:
    """The next monotonic instant at which a `Tick` would change something, if any is known."""
    return min(limits.moments(state, now), default=None)


class _Turn:
    """One step in the making."""

    def __init__(self, state: State, now: Instant) -> None:
        self.state = state
        self.now = now
        self.facts: list[Fact] = []
        self._told = state

    def tell_phase(self) -> None:
        """Leaving one phase and entering another is a fact of its own."""
        before, after, self._told = self._told, self.state, self.state
        if before.phase is not after.phase:
            session = after.session or before.session
            data = {"before": before.phase.value, "after": after.phase.value}
            self.facts.append(Fact("state.changed", data, session.id if session else None, self.now))

    def mind_cards(self) -> None:
        """What lies on the desk is looked at in whatever has come of everything else."""
        self.state, said = cards.judged(self.state, self.now)
        self.facts += said

    def take(self, event: s.Event) -> None:  # noqa: C901, PLR0912  # one arm for each event there is
        match event:
            case s.Booted():
                self._booted(event)
            case s.Pressed():
                self._pressed(event)
            case s.Held():
                self._held(event)
            case s.Stuck():
                self._stuck(event)
            case s.Freed():
                self._fact("button.freed")
                self._set(stuck=False)
            case s.Tick():
                pass  # the time that passed is all there is to it
            case s.LinkChanged(up=up, reason=reason):
                self._link(up=up, reason=reason)
            case s.CameraChanged(role=role, fact=fact, reason=reason):
                self._camera(role, fact, reason)
            case s.CardsSeen(numbers=numbers):
                self._set(cards=numbers if self.state.cameras["overhead"].open else ())
            case s.ScheduleSet(schedule=schedule):
                self._set(schedule=schedule)
                self._overdue()
            case s.StorageChanged(ok=ok):
                self._storage(ok=ok)
            case s.UpdateChanged(switching=switching):
                self._set(switching=switching)
            case s.ClockStepped():
                self._fact("clock.set", trust=self.now.trust.value, **asdict(event))
            case s.Asked():
                self.state, said = asks.asked(self.state, event, self.now)
                self.facts.append(said)
            case s.HelpAnswered():
                self.state, said = calls.answered(self.state, event, self.now)
                self.facts.append(said)
            case s.Noted():
                self._noted(event)

    # The button

    def _pressed(self, event: s.Pressed) -> None:
        state, now_ns = self.state, self.now.mono_ns
        match state.phase:
            case Phase.BOOTING if state.session is None:
                self._set(boot_press=(event.down_ns, event.by))
            case Phase.IDLE:
                self._pressed_idle(event)
            case Phase.FAULT:  # refused, with its row: the storage cannot hold a session
                self._start(windows.due(state.schedule, self.now, state.done), event)
            case Phase.LIVE | Phase.BUFFERING if now_ns >= state.deaf_until_ns:
                if not self._next_start(event):
                    self._pause(event)
            case Phase.PAUSED if state.countdown_ns is None:
                self._set(countdown_ns=now_ns + limits.RESUME_COUNTDOWN_NS, paused_down_ns=None)
            case Phase.PAUSED:
                self._set(countdown_ns=None)
            case Phase.ENDING:
                self._undo(event.by)
            case _:  # starting, the first seconds of a session, a countdown after a power cut: nothing
                pass

    def _pressed_idle(self, event: s.Pressed) -> None:
        state = self.state
        due = windows.due(state.schedule, self.now, state.done)
        if limits.continues(state.last, due, self.now):
            self._continue(event)
        elif due or windows.usable(state.schedule, self.now) is None or state.asked_until_ns is not None:
            self._start(due, event)
        else:
            self._set(asked_until_ns=self.now.mono_ns + limits.ASK_NS)

    def _held(self, event: s.Held) -> None:
        state = self.state
        if state.phase not in {Phase.LIVE, Phase.BUFFERING, Phase.PAUSED} or self.now.mono_ns < state.deaf_until_ns:
            return
        was_paused = state.phase is Phase.PAUSED and state.paused_down_ns != event.down_ns
        self._fact("session.ending", held_mono_ns=event.down_ns)
        self._set(
            phase=Phase.ENDING,
            countdown_ns=None,
            ending=s.Ending(event.down_ns, self.now.mono_ns + limits.ENDING_NS, was_paused),
        )

    def _stuck(self, event: s.Stuck) -> None:
        if self.state.stuck:
            return
        self._fact("button.stuck", held_ms=event.held_ms)
        self._set(stuck=True)
        state = self.state
        if state.phase in IN_SESSION and state.session and state.started_down_ns == event.down_ns:
            if state.continued:  # what it continued was real, and is over as it was
                self._end("kiosk", self.now.earlier(state.started_ns))
                return
            self._fact("session.cancelled", reason="button.stuck")
            booking = state.session.booking
            self._set(done=state.done - ({booking.id} if booking else set()))
            self._leave(None)
        elif state.phase is Phase.ENDING:
            self._undo("button")
        elif state.boot_press and state.boot_press[0] == event.down_ns:
            self._set(boot_press=None)

    # A session's life

    def _start(self, booking: Booking | None, event: s.Pressed) -> None:
        state, now = self.state, self.now
        session = limits.new_session(booking, now)
        if self._refuses(session):
            return
        self._set(session=session)
        self._fact("session.started", by=event.by, **limits.told_at_start(session, state, now))
        self._set(
            done=state.done | ({booking.id} if booking else set()), started_down_ns=event.down_ns, continued=False,
            pauses=(), last=None, why=None,
        )  # fmt: skip
        self._enter_starting()

    def _refuses(self, session: s.Session) -> bool:
        reason = limits.refusal(self.state, session.needs)
        if reason:
            self._fact("start.refused", reason=reason)
            self._set(refused=s.Refusal(reason, self.now.mono_ns), asked_until_ns=None)
        return reason is not None

    def _enter_starting(self) -> None:
        self._set(
            phase=Phase.STARTING, started_ns=self.now.mono_ns, deaf_until_ns=0, asked_until_ns=None, countdown_ns=None,
            refused=None,
        )  # fmt: skip
        self._first_pictures()

    def _first_pictures(self) -> None:
        """Go live once every needed camera gives pictures, or when waiting longer would only lose minutes."""
        state, session = self.state, self.state.session
        if session and state.phase is Phase.STARTING and self.now.mono_ns >= limits.goes_live_ns(state, session):
            self._set(phase=self._running(), deaf_until_ns=self.now.mono_ns + limits.DEAF_AFTER_PICTURES_NS)

    def _resting(self) -> Phase:
        return Phase.IDLE if self.state.storage_ok else Phase.FAULT

    def _running(self) -> Phase:
        return Phase.LIVE if self.state.link_up else Phase.BUFFERING

    def _pause(self, event: s.Pressed) -> None:
        now_ns = self.now.mono_ns
        recent = tuple(one for one in self.state.pauses if now_ns - one < limits.PAUSES_WITHIN_NS)
        self._fact("session.paused", by=event.by)
        self._set(
            phase=Phase.PAUSED, paused_ns=now_ns, paused_down_ns=event.down_ns, countdown_ns=None,
            pauses=(*recent, now_ns),
        )  # fmt: skip

    def _resume(self, by: str) -> None:
        self._fact("session.resumed", by=by)
        self._set(phase=self._running(), countdown_ns=None, paused_down_ns=None, deaf_until_ns=0)

    def _undo(self, by: str) -> None:
        ending = self.state.ending
        self._set(ending=None)
        if ending and ending.was_paused:
            self._set(phase=Phase.PAUSED, paused_ns=self.now.mono_ns, paused_down_ns=None)
        else:
            self._resume(by)

    def _next_start(self, event: s.Pressed) -> bool:
        """Past its planned end and with another window open, a press ends this session and starts that one."""
        state, session = self.state, self.state.session
        due = windows.due(state.schedule, self.now, state.done)
        planned_end_ns = session.planned_end_ns if session else None
        if due is None or planned_end_ns is None or self.now.mono_ns < planned_end_ns:
            return False
        self._end("next-start", self.now)
        self._start(due, event)
        return True

    def _continue(self, event: s.Pressed) -> None:
        assert self.state.last is not None
        session = self.state.last.session
        if self._refuses(session):
            return
        self._set(
            session=replace(session, ends_ns=max(session.ends_ns, self.now.mono_ns + limits.OVERRUN_NS)), last=None,
            started_down_ns=event.down_ns, continued=True, why=None,
        )  # fmt: skip
        self._fact("session.continued", by=event.by, **limits.seen(self.state))
        self._enter_starting()

    def _end(self, by: str, end: Instant) -> None:
        session = self.state.session
        assert session is not None
        self._fact("session.ended", by=by, boot=end.boot, mono_ns=end.mono_ns, at=end.wall.isoformat())
        # What a power cut ended may be yesterday's: only an end of this boot, and a fresh one, can be continued.
        fresh = end.boot == self.now.boot and self.now.mono_ns - end.mono_ns <= limits.CONTINUE_WITHIN_NS
        self._leave(s.LastSession(session, self.now.mono_ns, by, continuable=fresh))
        self.state = whys.after_end(self.state, session, end, self.now)

    def _leave(self, last: s.LastSession | None) -> None:
        self._set(
            phase=self._resting(), session=None, ending=None, countdown_ns=None,
            last=last, started_down_ns=None, paused_down_ns=None, deaf_until_ns=0,
        )  # fmt: skip

    # Time, boot and the world around

    def wake(self) -> None:
        """The machine may have been suspended since the last step."""
        nap_ns = sleep.slept_ns(self.state, self.now)
        session = sleep.interrupts(self.state)
        if nap_ns or self.state.slept_ns is None:
            self._set(slept_ns=self.now.slept_ns)
        if not nap_ns or session is None:
            return
        last = sleep.fell_asleep(self.now, nap_ns)
        self.facts.append(sleep.lost(session, last, self.now))
        if sleep.resumable(session, self.now, nap_ns):
            self.facts += sleep.told_anew(self.state, session, self.now)
        else:
            self._end("power", last)

    def time_passes(self) -> None:
        """Everything whose moment has come."""
        state, now_ns = self.state, self.now.mono_ns
        self._first_pictures()
        if state.asked_until_ns is not None and now_ns >= state.asked_until_ns:
            self._set(asked_until_ns=None)
        if state.refused and now_ns >= state.refused.at_ns + limits.REFUSAL_SHOWN_NS:
            self._set(refused=None)
        if state.ending and now_ns >= state.ending.deadline_ns:
            self._end("hold", self.now.earlier(state.ending.held_ns))
        elif state.countdown_ns is not None and now_ns >= state.countdown_ns:
            if state.phase is Phase.BOOTING:
                self._fact("session.resumed", by="power")
                self._enter_starting()
            else:
                self._resume("button")
        elif state.session and state.phase in IN_SESSION and state.ending is None:
            ends_ns = limits.ends_ns(state, state.session)
            if now_ns >= ends_ns:
                self._end("kiosk", self.now.earlier(ends_ns))
        self._overdue()
        self.state = whys.time_passes(calls.time_passes(self.state, self.now), self.now)

    def _overdue(self) -> None:
        state = self.state
        if state.phase is Phase.BOOTING:
            return
        for booking in windows.overdue(state.schedule, self.now, state.done | state.overdue):
            self.facts.append(Fact("start.overdue", {"booking": booking.id}, None, self.now))
            self._set(overdue=self.state.overdue | {booking.id})

    def _booted(self, event: s.Booted) -> None:
        boot_press = self.state.boot_press
        self._fact("boot", version=event.version)
        self._set(phase=self._resting(), done=event.done, overdue=event.overdue, made_up=event.made_up, boot_press=None)
        self._set(explained=event.explained)
        if event.open:
            self._reopen(event.open)
        if boot_press and self.state.session is None:
            down_ns, by = boot_press
            if self.now.mono_ns - down_ns <= limits.BOOT_PRESS_NS:
                self._pressed(s.Pressed(by, down_ns))
            elif self.state.phase is Phase.IDLE:
                self._set(asked_until_ns=self.now.mono_ns + limits.ASK_NS)

    def _reopen(self, found: s.OpenSession) -> None:
        """After a power cut: go on with the session if it is young enough, else close it where it was last lived."""
        now, last = self.now, found.last
        self._set(session=limits.reopened(found, now), wrong_student=found.id if found.wrong_student else None)
        self._set(said=found.said)
        self._fact(
            "power.lost", boot=last.boot, mono_ns=last.mono_ns, at=last.wall.isoformat(), clock=last.trust.value,
            cause="unknown" if last.boot == now.boot else "power",
        )  # fmt: skip
        if self.state.link_up:  # it came before the time to resume by: the session's rows know nothing of it
            self._fact("link.up", reason="after-boot")
        if found.held:
            self._end("hold", found.held)
        elif not limits.resumable(found, now):
            self._end("power", last)
        elif found.paused:
            self._fact("session.paused", by="power")
            self._set(phase=Phase.PAUSED, paused_ns=now.mono_ns)
        else:
            self._set(phase=Phase.BOOTING, countdown_ns=now.mono_ns + limits.POWER_COUNTDOWN_NS)

    def _link(self, *, up: bool, reason: str) -> None:
        if up == self.state.link_up:
            return
        self._fact("link.up" if up else "link.down", reason=reason)
        self._set(link_up=up)
        if self.state.phase in {Phase.LIVE, Phase.BUFFERING}:
            self._set(phase=self._running())

    def _camera(self, role: str, fact: s.CameraFact, reason: str) -> None:
        before = self.state.cameras[role]
        if fact.open and not before.open:
            self._fact("camera.opened", role=role, reason=reason)
        if fact.giving and not before.giving:
            self._fact("camera.back", role=role, reason=reason)
        if before.open and not fact.open:
            self._fact("camera.closed", role=role, reason=reason)
        stopped = before.giving and not fact.giving and fact.open
        if (fact.missing or stopped) and not before.missing:
            self._fact("camera.lost", role=role, reason=reason)
        self._set(cameras={**self.state.cameras, role: fact})
        if role == "overhead" and not fact.open:
            self._set(cards=())  # a closed camera sees none, and what lay there may have been taken away
        self._first_pictures()

    def _storage(self, *, ok: bool) -> None:
        self._set(storage_ok=ok)
        if ok and self.state.phase is Phase.FAULT:
            self._set(phase=Phase.IDLE)
        elif not ok and self.state.phase is Phase.IDLE:
            self._set(phase=Phase.FAULT)

    def _noted(self, event: s.Noted) -> None:
        running = self.state.session.id if self.state.session else None
        if running or not event.only_in_session:
            self.facts.append(Fact(event.type, event.data, event.session or running, self.now))

    def _fact(self, type_: str, **data: Any) -> None:
        self.facts.append(Fact(type_, data, self.state.session.id if self.state.session else None, self.now))

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
