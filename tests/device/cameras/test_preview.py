import os
import threading

import pytest

from device.cameras.preview import SLOT_BYTES, PreviewReader, PreviewWriter, create_slot


@pytest.fixture
def slot() -> "tuple[PreviewWriter, PreviewReader]":
    fd = create_slot()
    ends = PreviewWriter(fd), PreviewReader(fd)
    os.close(fd)
    return ends


def test_a_reader_sees_the_latest_picture_whole(slot: tuple[PreviewWriter, PreviewReader]) -> None:
    writer, reader = slot
    assert reader.read() is None
    writer.write(b"first", 10)
    writer.write(b"second, longer", 20)
    seen = reader.read()
    assert seen is not None
    assert (seen.jpeg, seen.captured_ns) == (b"second, longer", 20)


def test_a_closed_camera_leaves_no_picture_behind(slot: tuple[PreviewWriter, PreviewReader]) -> None:
    writer, reader = slot
    writer.write(b"a face", 10)
    writer.clear()
    assert reader.read() is None
    assert b"a face" not in bytes(reader._memory)


def test_a_picture_too_large_is_refused_and_the_old_one_stays(slot: tuple[PreviewWriter, PreviewReader]) -> None:
    writer, reader = slot
    writer.write(b"small", 10)
    assert not writer.write(bytes(SLOT_BYTES), 20)
    seen = reader.read()
    assert seen is not None
    assert seen.jpeg == b"small"


def test_a_writer_killed_in_mid_picture_leaves_nothing_to_be_taken_for_one(
    slot: tuple[PreviewWriter, PreviewReader],
) -> None:
    writer, reader = slot
    writer.write(b"x" * 100, 10)
    # What a store that overtook another looks like: an even number over a half-written picture.
    writer._memory[40:60] = b"y" * 20
    assert reader.read() is None
    # And a writer that died while busy.
    writer.write(b"x" * 100, 10)
    writer._header[0] += 1
    assert reader.read() is None


def test_nobody_can_pull_the_memory_from_under_the_reader() -> None:
    fd = create_slot()
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 0)
    os.close(fd)


def test_no_torn_picture_is_ever_read_while_the_writer_races(slot: tuple[PreviewWriter, PreviewReader]) -> None:
    writer, reader = slot
    done = threading.Event()

    def write() -> None:
        number = 1
        while not done.is_set():
            writer.write(bytes([number % 256]) * (1_000 + number % 50_000), number)
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        whole = 0
        for _ in range(100_000):
            seen = reader.read()
            if seen is not None:
                assert seen.jpeg == bytes([seen.captured_ns % 256]) * (1_000 + seen.captured_ns % 50_000)
                whole += 1
            if whole >= 300:
                break
        assert whole > 0
    finally:
        done.set()
        thread.join()
