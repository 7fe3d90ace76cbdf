"""Every pixel fault of the lab is named by the picture alone, over scenes and clips, and is over when it is over."""

import itertools
from collections.abc import Iterator

import pytest

from device.vision.statistics import measure
from device.vision.verdicts import judge
from lab.faults import Fault
from tests.device.vision.kit import LARGE, LEARNED, SMALL, Camera, Footage, footages, grey, scene, usual, with_fault

NAMES = {
    Fault.COVERED: "covered",
    Fault.DARK: "dark",
    Fault.OVEREXPOSED: "overexposed",
    Fault.BLURRED: "blurred",
    Fault.GLARE: "glare",
    Fault.MOVED: "moved",
    Fault.FROZEN: "frozen",
}
OVERHEAD_ONLY = {Fault.GLARE, Fault.MOVED}
LOOKS = {Fault.FROZEN: 5, Fault.MOVED: 3}
"""How many looks it takes to be seen; two for what one picture shows."""


@pytest.fixture(scope="module")
def every_footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Footage, ...]:
    return footages(tmp_path_factory.mktemp("clips"))


@pytest.mark.parametrize("fault", NAMES)
def test_a_fault_is_seen_named_alone_and_gone_when_it_is_gone(fault: Fault, every_footage: tuple[Footage, ...]) -> None:
    for footage in every_footage:
        camera = Camera(footage.role)
        pictures = itertools.cycle(footage.images)
        camera.learn(itertools.islice(pictures, LEARNED))
        looks = LOOKS.get(fault, 2)
        told = camera.show(*with_fault(itertools.islice(pictures, looks + 3), fault))
        expected = set() if fault in OVERHEAD_ONLY and footage.role == "front" else {NAMES[fault]}
        assert told[: looks - 1] == [set()] * (looks - 1), footage
        assert told[looks - 1 :] == [expected] * 4, footage
        told = camera.show(*itertools.islice(pictures, 4))
        assert told[-2:] == [set(), set()], footage


@pytest.mark.parametrize("size", [SMALL, LARGE, (640, 480), (1920, 1080)], ids=str)
def test_one_picture_shows_it_at_any_size(size: tuple[int, int]) -> None:
    for role in ("overhead", "front"):
        pictures = list(scene(role, (0.4, 47.0), size))
        for fault in NAMES.keys() - {Fault.FROZEN, Fault.MOVED}:
            expected = set() if fault in OVERHEAD_ONLY and role == "front" else {NAMES[fault]}
            for image in with_fault(pictures, fault):
                assert {one.value for one in judge(measure(grey(image), 0), role)} == expected, (role, fault)


def test_a_fault_from_the_first_picture_on_is_named_too(every_footage: tuple[Footage, ...]) -> None:
    for footage, fault in itertools.product(
        every_footage, (Fault.COVERED, Fault.DARK, Fault.OVEREXPOSED, Fault.BLURRED)
    ):
        camera = Camera(footage.role)
        told = camera.show(*with_fault(itertools.islice(itertools.cycle(footage.images), 8), fault))
        assert told[1:] == [{NAMES[fault]}] * 7, footage
        assert camera.watcher._reference is None


def test_one_fault_after_another_is_named_each_in_its_turn() -> None:
    pictures: Iterator[int] = itertools.count(3)
    camera = Camera("overhead")
    camera.learn(usual("overhead"))
    order = [Fault.BLURRED, Fault.COVERED, Fault.GLARE, Fault.DARK, Fault.MOVED, Fault.OVEREXPOSED, Fault.NONE]
    for fault in order:
        times = list(itertools.islice(pictures, 4))
        told = camera.show(*with_fault(scene("overhead", times), fault))
        assert told[-1] == ({NAMES[fault]} if fault in NAMES else set())


def test_the_evidence_says_what_was_measured_and_the_limit() -> None:
    camera = Camera("overhead")
    camera.learn(usual("overhead"))
    camera.show(*with_fault(scene("overhead", range(9, 13)), Fault.MOVED))
    moved = camera.evidence()["moved"]
    assert moved["right"] == pytest.approx(0.08, abs=0.01)
    assert moved["turn_deg"] == pytest.approx(-5, abs=0.5)
    camera.show(*with_fault(scene("overhead", range(13, 16)), Fault.BLURRED))
    blurred = camera.evidence()["blurred"]
    assert blurred["sharpness"] < blurred["limit"]
