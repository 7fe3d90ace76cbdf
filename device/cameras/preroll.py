"""The pre-roll: the last seconds of coded pictures, in memory only, for an outage that is known only after it began.

It holds pictures only between the press and the next pause, and always begins with a keyframe.
"""

from collections import deque

from device.cameras.source import Packet


class PreRoll:
    """The youngest packets that span at least so long.

    Args:
        span_s: how far back it reaches once it is full; what it keeps beyond that is less than one keyframe interval.
    """

    def __init__(self, span_s: float) -> None:
        self._span_ns = round(span_s * 1e9)
        self._packets: deque[Packet] = deque()
        self._keyframes: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._packets)

    @property
    def bytes(self) -> int:
        """How much memory the pictures take."""
        return sum(len(packet.data) for packet in self._packets)

    def take(self, packet: Packet) -> None:
        """Keep a packet; anything before the first keyframe is of no use and not kept."""
        if packet.is_keyframe:
            self._keyframes.append(packet.captured_ns)
        if not self._keyframes:
            return
        self._packets.append(packet)
        # The second keyframe is old enough to begin with: everything before it can go.
        while len(self._keyframes) > 1 and packet.captured_ns - self._keyframes[1] >= self._span_ns:
            self._keyframes.popleft()
            while self._packets[0].captured_ns < self._keyframes[0]:
                self._packets.popleft()

    def empty(self) -> list[Packet]:
        """Everything kept, oldest first; nothing is kept afterwards."""
        packets = list(self._packets)
        self._packets.clear()
        self._keyframes.clear()
        return packets
