"""The preview slot: the latest small JPEG of a camera, in memory shared by its worker and the agent.

The writer never waits and never learns how slow a reader is; no picture ever touches a disk. The slot is a sequence
lock: the number is odd while the writer is busy. Python cannot order its stores on ARM, so a checksum over the picture
decides in the end whether a reader got a whole one.
"""

import contextlib
import mmap
import zlib
from dataclasses import dataclass
from typing import Final

from device.cameras.shared_memory import create_memory

SLOT_BYTES: Final = 512 * 1024
_HEADER_BYTES: Final = 32
_SEQUENCE, _CAPTURED, _LENGTH, _CHECKSUM = range(4)
_READ_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """A small picture and when it was taken."""

    jpeg: bytes
    captured_ns: int
    """CLOCK_MONOTONIC, nanoseconds."""


def create_slot() -> int:
    """Make the shared memory of a slot.

    Returns:
        A file descriptor of `SLOT_BYTES` bytes that nobody can resize.
    """
    return create_memory("carrel-preview", SLOT_BYTES)


class PreviewWriter:
    """The worker's end of a slot."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, SLOT_BYTES)
        self._header = memoryview(self._memory)[:_HEADER_BYTES].cast("Q")

    def write(self, jpeg: bytes, captured_ns: int) -> bool:
        """Put a picture into the slot.

        Returns:
            False when it is too large, and the slot is left as it was.
        """
        if len(jpeg) > SLOT_BYTES - _HEADER_BYTES:
            return False
        header = self._header
        header[_SEQUENCE] += 1
        self._memory[_HEADER_BYTES : _HEADER_BYTES + len(jpeg)] = jpeg
        header[_CAPTURED] = captured_ns
        header[_LENGTH] = len(jpeg)
        header[_CHECKSUM] = _checksum(jpeg, captured_ns)
        header[_SEQUENCE] += 1
        return True

    def clear(self) -> None:
        """Forget the picture: a closed camera leaves nothing behind."""
        header = self._header
        header[_SEQUENCE] += 1
        length = header[_LENGTH]
        header[_LENGTH] = 0
        self._memory[_HEADER_BYTES : _HEADER_BYTES + length] = bytes(length)
        header[_SEQUENCE] += 1

    def close(self) -> None:
        """Let go of the memory."""
        self._header.release()
        self._memory.close()


class PreviewReader:
    """The agent's end of a slot."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, SLOT_BYTES, prot=mmap.PROT_READ)
        self._header = memoryview(self._memory)[:_HEADER_BYTES].cast("Q")

    def read(self) -> Preview | None:
        """The latest picture, or None when there is none or the writer was busy each time."""
        header = self._header
        for _ in range(_READ_TRIES):
            sequence, length = header[_SEQUENCE], header[_LENGTH]
            if sequence % 2 or length > SLOT_BYTES - _HEADER_BYTES:
                continue
            if not length:
                return None
            captured_ns, checksum = header[_CAPTURED], header[_CHECKSUM]
            jpeg = self._memory[_HEADER_BYTES : _HEADER_BYTES + length]
            if header[_SEQUENCE] == sequence and checksum == _checksum(jpeg, captured_ns):
                return Preview(jpeg, captured_ns)
        return None

    def close(self) -> None:
        """Let go of the memory; doing it twice is fine."""
        with contextlib.suppress(ValueError):
            self._header.release()
        self._memory.close()


def _checksum(jpeg: bytes, captured_ns: int) -> int:
    return zlib.crc32(jpeg, captured_ns & 0xFFFF_FFFF)
