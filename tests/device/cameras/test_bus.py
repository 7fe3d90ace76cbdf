"""The packet bus: readers of every speed, over one writer that never learns of them."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.cameras.bus import DATA_BYTES, SLOTS, BusReader, BusWriter, create_bus
from device.cameras.source import Packet


class Bus:
    def __init__(self) -> None:
        self.fd = create_bus()
        self.writer = BusWriter(self.fd)
        self.count = 0

    def write(self, length: int = 100, *, key: bool = False) -> Packet:
        self.count += 1
        packet = Packet(self.count.to_bytes(4) * (length // 4), self.count * 1000, key)
        self.writer.write(packet)
        return packet

    def close(self) -> None:
        self.writer.close()
        os.close(self.fd)


@pytest.fixture
def bus() -> Iterator[Bus]:
    one = Bus()
    yield one
    one.close()


def drain(reader: BusReader) -> list[Packet]:
    found = []
    while (packet := reader.read()) is not None:
        found.append(packet)
    return found


def test_a_reader_begins_at_the_newest_keyframe_and_gets_everything_from_there(bus: Bus) -> None:
    reader = BusReader(bus.fd)
    assert reader.read() is None
    bus.write(key=True)
    bus.write()
    wanted = [bus.write(key=True), bus.write()]
    assert drain(reader) == wanted
    assert reader.read() is None
    wanted = [bus.write(), bus.write(key=True), bus.write()]
    assert drain(reader) == wanted
    assert reader.lost == 0
    reader.close()
    reader.close()


def test_one_that_comes_in_mid_stream_waits_for_a_keyframe(bus: Bus) -> None:
    reader = BusReader(bus.fd)
    bus.write()
    assert reader.read() is None
    key = bus.write(key=True)
    assert reader.read() == key
    reader.close()


def test_a_stalled_reader_loses_packets_goes_on_at_a_keyframe_and_costs_the_others_nothing(bus: Bus) -> None:
    quick, stalled = BusReader(bus.fd), BusReader(bus.fd)
    first = bus.write(key=True)
    assert quick.read() == stalled.read() == first
    written = []
    for number in range(3 * SLOTS):
        written.append(bus.write(key=number % 50 == 0))
        assert quick.read() == written[-1]
    found = drain(stalled)
    assert found[0].is_keyframe
    assert found == written[-len(found) :]
    assert stalled.lost == len(written) - len(found)
    assert quick.lost == 0
    quick.close()
    stalled.close()


def test_packets_are_never_mixed_where_the_bytes_begin_anew(bus: Bus) -> None:
    reader = BusReader(bus.fd)
    for number in range(40):
        packet = bus.write(DATA_BYTES // 7, key=number % 3 == 0)
        if number % 5 == 0:
            for found in drain(reader):
                assert found.data == (found.captured_ns // 1000).to_bytes(4) * (len(found.data) // 4)
    assert drain(reader)[-1] == packet
    reader.close()


def test_one_too_large_for_any_bus_is_left_out_and_readers_wait_for_the_next_keyframe(bus: Bus) -> None:
    reader = BusReader(bus.fd)
    bus.write(key=True)
    assert reader.read() is not None
    assert not bus.writer.write(Packet(bytes(DATA_BYTES // 4 + 1), 1, is_keyframe=True))
    bus.write()
    assert reader.read() is None
    key = bus.write(key=True)
    assert reader.read() == key
    reader.close()


def test_wiped_it_holds_no_picture_any_more(bus: Bus) -> None:
    reader = BusReader(bus.fd)
    secret = Packet(b"a picture of somebody", 5, is_keyframe=True)
    bus.writer.write(secret)
    assert secret.data in os.pread(bus.fd, DATA_BYTES, 0)
    bus.writer.wipe()
    assert secret.data not in os.pread(bus.fd, DATA_BYTES * 2, 0)
    assert reader.read() is None
    key = bus.write(key=True)
    assert reader.read() == key
    reader.close()


def test_a_torn_packet_is_not_given_out(bus: Bus) -> None:
    reader = BusReader(bus.fd)
    packet = bus.write(key=True)
    place = os.pread(bus.fd, DATA_BYTES, 0).index(packet.data)
    os.pwrite(bus.fd, b"!", place + 10)
    assert reader.read() is None
    reader.close()


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(st.tuples(st.integers(1, 400_000), st.booleans()), st.just("read"), st.just("wipe")), max_size=60
    )
)
def test_whatever_is_written_a_reader_sees_runs_that_begin_with_keyframes_and_nothing_false(
    steps: list[tuple[int, bool] | str],
) -> None:
    bus = Bus()
    reader, written, position = BusReader(bus.fd), [], -1
    try:
        for step in steps:
            if isinstance(step, tuple):
                written.append(bus.write(step[0], key=step[1]))
            elif step == "wipe":
                bus.writer.wipe()
            elif (packet := reader.read()) is not None:
                at = packet.captured_ns // 1000 - 1
                assert packet == written[at]
                assert at == position + 1 or (at > position and packet.is_keyframe)
                position = at
    finally:
        reader.close()
        bus.close()
