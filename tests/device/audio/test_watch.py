"""When the kiosk listens and when it never does, and what it knows of its sound."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.audio.sound import Hearing
from device.audio.watch import SoundWatch
from device.conditions import SoundFacts
from device.errors import CommandRefused
from device.session.clock import Instant
from device.session.states import Phase, Session, State
from device.settings import AudioSettings
from lab.sound import MICROPHONE_ID, SPEAKER_ID, LabSound, Mute
from wire.ledger import ClockTrust

FITTED = AudioSettings(fitted=True, microphone=MICROPHONE_ID, speaker=SPEAKER_ID)
EARLY = Instant(10**12, datetime(2026, 11, 24, 6, 0, tzinfo=UTC), "boot", ClockTrust.SYNCED)
IDLE = State(phase=Phase.IDLE)


class Permission:
    """Whether it may listen, as a test says."""

    def __init__(self, *, may: bool = True) -> None:
        self.may = may

    def __call__(self) -> bool:
        return self.may


def silent(watch: SoundWatch) -> bool | None:
    return watch.facts.is_silent


def watching(
    hearing: Hearing,
    story: Callable[[SoundWatch], Awaitable[None]],
    may: Permission | None = None,
    bell: datetime | None = None,
) -> None:
    async def run() -> None:
        watch = SoundWatch(FITTED, hearing, may or Permission(), lambda: bell)
        try:
            await story(watch)
        finally:
            await watch._worker.close()

    asyncio.run(run())


def test_a_muted_microphone_is_silent_after_two_looks_and_not_after_the_next_heard_one(tmp_path: Path) -> None:
    sound = LabSound(tmp_path)

    async def story(watch: SoundWatch) -> None:
        await watch.look()
        assert silent(watch) is False
        assert -65 < (watch.facts.rms_dbfs or 0) < -50
        sound.set(Mute.MUTED)
        await watch.look()
        assert silent(watch) is False, "one silent second is none yet"
        await watch.look()
        assert silent(watch) is True
        assert watch.facts.rms_dbfs == -120.0
        sound.set(Mute.NONE)
        await watch.look()
        assert silent(watch) is False
        assert watch.unknown == {}

    watching(sound.hearing, story)


def test_where_it_may_not_listen_the_microphone_is_never_opened(tmp_path: Path) -> None:
    sound = LabSound(tmp_path)
    sound.set(Mute.MUTED)

    async def story(watch: SoundWatch) -> None:
        for _ in range(3):
            await watch.look()
        assert watch._worker._process is None, "no process was even started"
        assert silent(watch) is None
        assert watch.facts.has_microphone is True
        assert watch.unknown == {"audio.silent": "not-listening"}

    watching(sound.hearing, story, Permission(may=False))


def test_what_was_silent_is_forgotten_when_listening_is_forbidden(tmp_path: Path) -> None:
    sound, may = LabSound(tmp_path), Permission()
    sound.set(Mute.MUTED)

    async def story(watch: SoundWatch) -> None:
        await watch.look()
        await watch.look()
        assert silent(watch) is True
        may.may = False
        await watch.look()
        assert silent(watch) is None

    watching(sound.hearing, story, may)


def test_what_is_not_plugged_in_is_missing_and_its_silence_unknown(tmp_path: Path) -> None:
    sound = LabSound(tmp_path)
    sound.set(Mute.NO_MICROPHONE)

    async def story(watch: SoundWatch) -> None:
        await watch.look()
        assert (watch.facts.has_microphone, watch.facts.has_speaker) == (False, True)
        assert watch.unknown == {"audio.silent": "no-microphone"}

    watching(sound.hearing, story)


def test_without_alsa_everything_is_unknown_with_a_word(tmp_path: Path) -> None:
    async def story(watch: SoundWatch) -> None:
        await watch.look()
        assert watch.facts == SoundFacts()
        assert watch.unknown == {"audio.missing": "no-alsa", "audio.silent": "no-alsa"}

    watching(Hearing(tmp_path / "none"), story)


def test_a_kit_without_sound_looks_at_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        watch = SoundWatch(AudioSettings(fitted=False), Hearing(tmp_path / "none"), Permission())
        running = asyncio.ensure_future(watch.run(lambda: IDLE, lambda: EARLY))
        await asyncio.sleep(0.1)
        running.cancel()
        assert watch.facts == SoundFacts()
        assert watch.unknown == {}

    asyncio.run(run())


def test_a_microphone_that_cannot_be_opened_is_unknown_and_not_silent(tmp_path: Path) -> None:
    sound = LabSound(tmp_path)
    (tmp_path / "asound.conf").write_text("# ALSA knows no device\n")

    async def story(watch: SoundWatch) -> None:
        for _ in range(3):
            await watch.look()
        assert silent(watch) is not True
        assert watch.unknown == {"audio.silent": "busy"}

    watching(sound.hearing, story)


def test_the_tone_that_it_asks_for_is_played_or_refused_with_a_word(tmp_path: Path) -> None:
    sound = LabSound(tmp_path)
    live = State(phase=Phase.LIVE, session=Session("s", None, frozenset(), 10**18))

    async def story(watch: SoundWatch) -> None:
        await watch.look()
        with pytest.raises(CommandRefused) as refused:
            await watch.play_asked(live, EARLY)
        assert refused.value.reason == "in-session"
        assert sound.played == b""
        await watch.play_asked(IDLE, EARLY)
        assert len(sound.played) > 40_000
        sound.set(Mute.NO_SPEAKER)
        await watch.look()
        with pytest.raises(CommandRefused) as refused:
            await watch.play_asked(IDLE, EARLY)
        assert refused.value.reason == "no-speaker"

    watching(sound.hearing, story, Permission(may=False))


@pytest.mark.parametrize(("minutes", "heard"), [(60, True), (10, False), (-30, False)])
def test_in_the_morning_it_is_played_once_and_only_long_before_the_bell(
    tmp_path: Path, minutes: int, heard: bool
) -> None:
    sound = LabSound(tmp_path)

    async def story(watch: SoundWatch) -> None:
        await watch.look()
        await watch._probe_in_the_morning(IDLE, EARLY)
        assert (watch.speaker._playing is not None) is heard
        if watch.speaker._playing is not None:
            first = watch.speaker._playing
            await first
            await watch._probe_in_the_morning(IDLE, EARLY)
            assert watch.speaker._playing is first, "once a day"

    watching(sound.hearing, story, Permission(may=False), EARLY.wall + timedelta(minutes=minutes))
    assert bool(sound.played) is heard
