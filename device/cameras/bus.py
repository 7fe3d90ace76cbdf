"""The packet bus: a camera's coded pictures in memory that its worker and the agent share.

The writer overwrites the oldest and never learns who reads; a reader that falls behind loses packets and goes on at
the newest keyframe. So a stalled viewer costs the camera nothing. As in preview.py a checksum decides whether a reader
got a whole packet, because Python cannot order its stores on ARM.

Layout: a header of two 64-bit numbers (how many packets were written, and how many bytes), then slots, then the bytes.
"""

import contextlib
import mmap
import zlib
from dataclasses import dataclass
from typing import Final

from device.cameras.shared_memory import create_memory
from device.cameras.source import Packet

SLOTS: Final = 256
"""Over eight seconds at 30 pictures a second."""
DATA_BYTES: Final = 8 * 1024 * 1024
"""Over ten seconds at 6 Mbit/s; a single packet may be as large as a quarter of it."""
_HEADER_WORDS: Final = 2
_SLOT_WORDS: Final = 5
_COUNT, _END = range(2)
_NUMBER, _START, _LENGTH, _CAPTURED, _CHECK = range(5)
_KEYFRAME: Final = 1 << 63
_DATA_AT: Final = (_HEADER_WORDS + SLOTS * _SLOT_WORDS) * 8
BUS_BYTES: Final = _DATA_AT + DATA_BYTES


def create_bus() -> int:
    """Make the shared memory of a bus; a descriptor of `BUS_BYTES` bytes that nobody can resize."""
    return create_memory("carrel-packets", BUS_BYTES)


class BusWriter:
    """The worker's end."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, BUS_BYTES)
        self._words = memoryview(self._memory)[:_DATA_AT].cast("Q")

    def write(self, packet: Packet) -> bool:
        """Put a packet onto the bus.

        Returns:
            False when it is too large for any bus; readers then wait for the next keyframe.
        """
        length, words = len(packet.data), self._words
        number, start = words[_COUNT] + 1, words[_END]
        at = _HEADER_WORDS + number % SLOTS * _SLOT_WORDS
        words[at + _NUMBER] = 0  # nobody's, while it is written
        if length > DATA_BYTES // 4:
            words[_COUNT] = number
            return False
        if start % DATA_BYTES + length > DATA_BYTES:  # not split over the end
            start += DATA_BYTES - start % DATA_BYTES
        words[_END] = start + length
        place = _DATA_AT + start % DATA_BYTES
        self._memory[place : place + length] = packet.data
        words[at + _START], words[at + _LENGTH] = start, length
        words[at + _CAPTURED] = packet.captured_ns | (_KEYFRAME if packet.is_keyframe else 0)
        words[at + _CHECK] = _check(packet.data, number, words[at + _CAPTURED])
        words[at + _NUMBER] = number
        words[_COUNT] = number
        return True

    def wipe(self) -> None:
        """Forget every picture: a closed camera leaves nothing behind."""
        words = self._words
        for at in range(_HEADER_WORDS, _HEADER_WORDS + SLOTS * _SLOT_WORDS):
            words[at] = 0
        used = min(words[_END], DATA_BYTES)
        self._memory[_DATA_AT : _DATA_AT + used] = bytes(used)
        words[_END] = 0

    def close(self) -> None:
        """Let go of the memory."""
        self._words.release()
        self._memory.close()


@dataclass(frozen=True, slots=True)
class _Slot:
    number: int
    start: int
    length: int
    captured: int
    check: int


class BusReader:
    """One reader's place on the bus; any number of them read without knowing of each other."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, BUS_BYTES, prot=mmap.PROT_READ)
        self._words = memoryview(self._memory)[:_DATA_AT].cast("Q")
        self._next: int | None = None
        self.lost = 0
        """How many packets went by unread."""

    def read(self) -> Packet | None:
        """The next packet; the first one, and the first after a loss, is a keyframe. None when there is none yet."""
        newest = self._words[_COUNT]
        while True:
            if self._next is None:
                self._next = self._newest_keyframe(newest)
                if self._next is None:
                    return None
            if self._next > newest:
                return None
            packet = self._packet(self._next)
            if packet is not None:
                self._next += 1
                return packet
            # Overwritten before it was read. What follows it is of no use without it.
            found = self._newest_keyframe(newest)
            if found is None or found <= self._next:
                self.lost += newest + 1 - self._next
                self._next = None
                return None
            self.lost += found - self._next
            self._next = found

    def close(self) -> None:
        """Let go of the memory; doing it twice is fine."""
        with contextlib.suppress(ValueError):
            self._words.release()
        self._memory.close()

    def _newest_keyframe(self, newest: int) -> int | None:
        for number in range(newest, max(0, newest - SLOTS), -1):
            slot = self._slot(number)
            if slot.number == number and slot.captured & _KEYFRAME:
                return number
        return None

    def _packet(self, number: int) -> Packet | None:
        slot = self._slot(number)
        if slot.number != number or slot.length > DATA_BYTES:
            return None
        place = _DATA_AT + slot.start % DATA_BYTES
        data = self._memory[place : place + slot.length]
        if slot.check != _check(data, number, slot.captured):
            return None
        return Packet(data, slot.captured & ~_KEYFRAME, bool(slot.captured & _KEYFRAME))

    def _slot(self, number: int) -> _Slot:
        at = _HEADER_WORDS + number % SLOTS * _SLOT_WORDS
        return _Slot(*self._words[at : at + _SLOT_WORDS])


def _check(data: bytes, number: int, captured: int) -> int:
    return zlib.crc32(data, (number ^ captured) & 0xFFFF_FFFF)
