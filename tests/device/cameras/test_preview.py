import os
import subprocess
import sys
import time

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


WRITER = """
import itertools, sys, time
from device.cameras.preview import PreviewWriter
writer = PreviewWriter(int(sys.argv[1]))
for number in itertools.count(1):
    writer.write(bytes([number % 256]) * (1_000 + number * 977 % 300_000), number)
    time.sleep(0.0001)
"""


def test_no_torn_picture_is_ever_read_while_another_process_writes() -> None:
    fd = create_slot()
    reader = PreviewReader(fd)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(fd)], pass_fds=[fd])
    os.close(fd)
    numbers: set[int] = set()
    try:
        deadline = time.monotonic() + 20
        while len(numbers) < 300 and time.monotonic() < deadline:
            seen = reader.read()
            if seen is not None:
                number = seen.captured_ns
                assert seen.jpeg == bytes([number % 256]) * (1_000 + number * 977 % 300_000)
                numbers.add(number)
    finally:
        writer.kill()
        writer.wait()
    assert len(numbers) >= 300
