"""Four soft tones, told apart by more than pitch; which step plays which; and the lamp beside them."""

import cmath
import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from device import effects
from device.chimes import EASE_S, NOTES, PEAK, RATE_HZ, Chime, Silence, chime_for, samples
from device.panel import BLINK_S, Lamp
from device.session import states as s
from device.session.machine import step
from device.session.states import Phase, State
from tests.device.session.kiosk import NINE, Kiosk, booking, in_session


def loudness(part: Sequence[float], hertz: float) -> float:
    """How much of one frequency is in it: a single bin of a Fourier transform, as an amplitude."""
    turn = -2j * cmath.pi * hertz / RATE_HZ
    return abs(sum(one * cmath.exp(turn * n) for n, one in enumerate(part))) * 2 / len(part)


class TestTones:
    @pytest.mark.parametrize("chime", Chime)
    def test_soft_short_and_without_a_click(self, chime: Chime) -> None:
        found = samples(chime)
        assert PEAK * 0.9 < max(map(abs, found)) <= PEAK
        assert len(found) < 0.8 * RATE_HZ
        assert abs(found[0]) < 1e-6
        assert abs(found[-1]) < 1e-6
        steepest = max(abs(one - other) for one, other in itertools.pairwise(found))
        assert steepest < PEAK * 2 * cmath.pi * 523.25 / RATE_HZ * 1.1, "no jump that the highest note does not make"

    @pytest.mark.parametrize("chime", Chime)
    def test_each_note_sounds_where_it_should(self, chime: Chime) -> None:
        found, at = samples(chime), 0
        for hertz, seconds in NOTES[chime]:
            count, ease = round(seconds * RATE_HZ), round(EASE_S * RATE_HZ)
            part = found[at + ease : at + count - ease]
            if hertz:
                others = {note for notes in NOTES.values() for note, _ in notes if note} - {hertz}
                assert loudness(part, hertz) > 3 * max(loudness(part, one) for one in others)
            else:
                assert set(part) == {0.0}
            at += count
        assert at == len(found)

    def test_no_two_are_alike_in_their_notes(self) -> None:
        shapes = set()
        for notes in NOTES.values():
            pitches = [hertz for hertz, _ in notes if hertz]
            ways = tuple((one < other) - (one > other) for one, other in itertools.pairwise(pitches))
            shapes.add((len(notes), ways))
        assert len(shapes) == len(Chime)

    def test_a_kiosk_without_a_speaker_is_silent(self) -> None:
        Silence().play(samples(Chime.START), RATE_HZ)


class TestWhatIsHeard:
    def heard(self, kiosk: Kiosk, *events: s.Event) -> list[Chime | None]:
        """What each event sounds like, on a copy of the kiosk's state."""
        state, found = kiosk.state, []
        for event in events:
            after, facts = step(state, event, kiosk.now())
            found.append(chime_for(state, after, facts))
            state = after
        return found

    def test_start_pause_go_on_end(self, kiosk: Kiosk) -> None:
        assert self.heard(kiosk, s.Pressed("button", 0)) == [Chime.START]
        in_session(kiosk)
        assert self.heard(kiosk, s.Pressed("button", 0), s.Pressed("button", 1)) == [Chime.PAUSE, None]
        kiosk.press()
        kiosk.press()
        before = kiosk.state
        kiosk.wait(seconds=4)
        assert chime_for(before, kiosk.state, ()) is Chime.START, "it goes on"
        kiosk.hold()
        before = kiosk.state
        kiosk.wait(seconds=11)
        assert chime_for(before, kiosk.state, ()) is Chime.END

    def test_refused(self, kiosk: Kiosk) -> None:
        assert self.heard(kiosk, s.UpdateChanged(switching=True), s.Pressed("button", 0)) == [None, Chime.REFUSED]

    def test_a_next_one_that_follows_at_once_is_a_start(self, kiosk: Kiosk) -> None:
        kiosk.hold_schedule(booking("b-0900", NINE))
        in_session(kiosk)
        session = kiosk.state.session
        assert session is not None
        after = replace(kiosk.state, phase=Phase.STARTING, session=replace(session, id="another"))
        assert chime_for(kiosk.state, after, ()) is Chime.START

    def test_nothing_else_is_heard(self, kiosk: Kiosk) -> None:
        in_session(kiosk)
        quiet = (s.Tick(), s.LinkChanged(up=not kiosk.state.link_up), s.Asked("help", "adult"), s.Asked("extend", "5"))
        assert self.heard(kiosk, *quiet) == [None] * 4
        assert self.heard(kiosk, s.Held("button", 0)) == [None], "ending is not the end"


class TestTheLamp:
    def test_four_patterns_of_their_own_and_none_that_flashes_three_times_a_second(self) -> None:
        assert len(set(BLINK_S.values())) == len(BLINK_S) == 4
        assert all(1 / (on_s + off_s) < 3 for on_s, off_s in BLINK_S.values())

    def test_a_refusal_is_seen_as_long_as_it_is_said(self, kiosk: Kiosk) -> None:
        kiosk.update(switching=True)
        kiosk.press()
        assert effects.lamp_for(kiosk.state) is Lamp.REFUSED
        kiosk.wait(seconds=21)
        assert effects.lamp_for(kiosk.state) is Lamp.OFF
        assert effects.lamp_for(State()) is Lamp.OFF
