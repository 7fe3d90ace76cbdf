import pytest

from device.cameras.boundary import Do, Order, Report, Setup, WorkerState, load_factory
from device.cameras.errors import BadMessage
from device.cameras.source import CameraSpec
from device.cameras.sources import open_source
from device.kit import kit

SPEC = CameraSpec("front", "scene:student", 640, 480, 29.97)


def test_what_is_said_on_one_side_is_what_is_heard_on_the_other() -> None:
    setup = Setup(
        SPEC, "lab.faults:open_source", {"switch": "/run/a switch", "deep": [1, None]}, cards=kit().cards.plain
    )
    report = Report(
        WorkerState.STALLED,
        5,
        2,
        device_open=True,
        opened_ns=1,
        frames=3,
        fps=1.5,
        last_frame_ns=4,
        detail="…",
        cards=(10, 11),
    )
    assert Setup.parse(setup.packet()) == setup
    assert Order.parse(Order(Do.PREVIEW, 7, 2.5).packet()) == Order(Do.PREVIEW, 7, 2.5)
    assert Report.parse(report.packet()) == report


def test_an_order_may_be_as_short_as_its_verb() -> None:
    assert Order.parse(b'{"do":"open"}') == Order(Do.OPEN)


def test_a_drivers_long_complaint_fits_a_packet() -> None:
    packet = Report(WorkerState.FAILED, 1, detail="x" * 1_000_000).packet()
    assert len(packet) < 4096


@pytest.mark.parametrize(
    "packet", [b"", b"\xff", b"[]", b"{}", b'{"do":"dance"}', b'{"spec":{}}', b'{"state":"open","by":1}']
)
@pytest.mark.parametrize("kind", [Setup, Order, Report])
def test_nonsense_is_refused_and_nothing_else_happens(packet: bytes, kind: type[Setup | Order | Report]) -> None:
    with pytest.raises(BadMessage):
        kind.parse(packet)


def test_a_factory_is_found_by_its_name_or_refused_by_it() -> None:
    assert load_factory("device.cameras.sources:open_source") is open_source
    for name in ("", "device.cameras.sources", "device.cameras.sources:close_source", "no.such.module:open_source"):
        with pytest.raises(BadMessage, match="names no source factory"):
            load_factory(name)
