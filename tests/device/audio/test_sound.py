"""Microphone and loudspeaker on the real libasound, by its own file plugin: found, listened to, played to, hung."""

import asyncio
import os
import signal
from array import array
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from device.audio.cards import cards, found
from device.audio.level import FLOOR_DBFS, is_silent, level
from device.audio.sound import SoundWorker, WorkerSpeaker
from device.audio.tones import RATE_HZ, probe
from device.errors import SoundError
from lab.sound import MICROPHONE_ID, SPEAKER_ID, LabSound, Mute

T = TypeVar("T")


@pytest.fixture
def sound(tmp_path: Path) -> LabSound:
    return LabSound(tmp_path)


def pcm(sound: LabSound, usb_id: str, way: str) -> str:
    known = cards(sound.hearing.root)
    assert known is not None
    card = found(known, usb_id, "capture" if way == "capture" else "play")
    assert card is not None
    name = card.pcm("capture" if way == "capture" else "play")
    assert name is not None
    return name


def with_worker(sound: LabSound, story: Callable[[SoundWorker], Awaitable[T]]) -> T:
    async def run() -> T:
        worker = SoundWorker(sound.hearing)
        try:
            return await story(worker)
        finally:
            await worker.close()

    return asyncio.run(run())


def test_a_quiet_room_is_over_the_floor_and_a_muted_microphone_under_it(sound: LabSound) -> None:
    async def story(worker: SoundWorker) -> None:
        name = pcm(sound, MICROPHONE_ID, "capture")
        heard = await worker.listen(name, 2)
        assert len(heard) == 2
        assert all(-65 < one.rms_dbfs < -50 for one in heard)
        assert not is_silent(heard, FLOOR_DBFS)
        sound.set(Mute.MUTED)
        muted = await worker.listen(name, 1)
        assert [one.rms_dbfs for one in muted] == [-120.0]
        assert is_silent(muted, FLOOR_DBFS)

    with_worker(sound, story)


def test_the_level_told_is_that_of_the_very_samples(sound: LabSound) -> None:
    sound.hear(3_000)
    path = sound._folder / "LabMic.in"
    samples = array("h", path.read_bytes())

    async def story(worker: SoundWorker) -> None:
        heard = await worker.listen(pcm(sound, MICROPHONE_ID, "capture"), 1)
        assert heard == [level(samples[:RATE_HZ])]

    with_worker(sound, story)


def test_a_tone_comes_out_of_the_loudspeaker_whole(sound: LabSound) -> None:
    async def story(worker: SoundWorker) -> None:
        await worker.play(pcm(sound, SPEAKER_ID, "play"), probe(), RATE_HZ)

    with_worker(sound, story)
    out = array("h", sound.played)
    assert len(out) >= RATE_HZ // 2
    assert 3_000 < max(out) <= 3_277, "-20 dBFS"
    assert abs(out[0]) < 50, "it begins softly"
    assert abs(out[len(probe()) - 1]) < 50, "and ends so"


def test_the_speaker_returns_at_once_and_drops_what_comes_while_it_plays(sound: LabSound) -> None:
    async def story(worker: SoundWorker) -> None:
        speaker = WorkerSpeaker(worker, lambda: pcm(sound, SPEAKER_ID, "play"))
        speaker.play(probe(), RATE_HZ)
        speaker.play([1.0] * RATE_HZ, RATE_HZ)
        assert speaker._playing is not None
        await speaker._playing

    with_worker(sound, story)
    assert 3_000 < max(array("h", sound.played)) < 4_000, "the loud one was dropped"


def test_a_speaker_without_a_device_plays_nothing(sound: LabSound) -> None:
    async def story(worker: SoundWorker) -> None:
        WorkerSpeaker(worker, lambda: None).play(probe(), RATE_HZ)
        await asyncio.sleep(0)
        assert worker._process is None

    with_worker(sound, story)


def test_a_device_that_is_not_there_is_an_error_in_words(sound: LabSound) -> None:
    async def story(worker: SoundWorker) -> None:
        with pytest.raises(SoundError, match="NoSuch"):
            await worker.listen("hw:CARD=NoSuch", 1)
        assert len(await worker.listen(pcm(sound, MICROPHONE_ID, "capture"), 1)) == 1, "the worker goes on"

    with_worker(sound, story)


def test_a_worker_that_hangs_is_given_up_and_replaced(sound: LabSound) -> None:
    async def story(worker: SoundWorker) -> None:
        name = pcm(sound, MICROPHONE_ID, "capture")
        await worker.listen(name, 1)
        assert worker._process is not None
        hung = worker._process.pid
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(SoundError, match="did not answer"):
            await worker.listen(name, 1)
        assert len(await worker.listen(name, 1)) == 1
        assert worker._process.pid != hung

    with_worker(sound, story)


def test_a_worker_that_is_killed_is_replaced(sound: LabSound) -> None:
    async def story(worker: SoundWorker) -> None:
        name = pcm(sound, MICROPHONE_ID, "capture")
        await worker.listen(name, 1)
        assert worker._process is not None
        asking = asyncio.ensure_future(worker.listen(name, 60))
        await asyncio.sleep(0.2)
        os.kill(worker._process.pid, signal.SIGKILL)
        with pytest.raises(SoundError, match="ended"):
            await asking
        assert len(await worker.listen(name, 1)) == 1

    with_worker(sound, story)


def test_unplugged_and_plugged_in_again(sound: LabSound) -> None:
    sound.set(Mute.NO_MICROPHONE)
    known = cards(sound.hearing.root)
    assert known is not None
    assert found(known, MICROPHONE_ID, "capture") is None
    assert found(known, SPEAKER_ID, "play") is not None
    sound.set(Mute.NONE)
    assert pcm(sound, MICROPHONE_ID, "capture") == "plughw:CARD=LabMic,DEV=0"
