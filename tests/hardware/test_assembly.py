"""The steps of acceptance quote the self-test as it speaks, and no kiosk that fails passes them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from device.kit import kit
from device.selftest.figures import CameraResult
from device.selftest.parts import Part
from device.selftest.run import Result
from device.selftest.table import table
from wire.signal_table import SIGNALS
from wire.stills import SHARP_PX_PER_MM

TOLD = (Path(__file__).resolve().parents[2] / "hardware" / "assembly.md").read_text(encoding="utf-8")
STEPS = [line.split("|") for line in TOLD.splitlines() if re.match(r"\| \d+ \|", line)]
BOARD = kit().boards[0].overhead
GOOD = CameraResult(
    id="imx708", role="overhead", uri="picamera2:imx708", first_frame_ms=900, latency_ms=20.0, packets=150, keyframes=5,
    asked={"width": BOARD.width, "height": BOARD.height, "fps": BOARD.fps}, fps=BOARD.fps, bitrate_bps=3_000_000,
    native={"width": BOARD.width, "height": BOARD.height, "form": "YUV420"}, encoder="software", left_out=0, restarts=0,
    seen=(), px_per_mm=SHARP_PX_PER_MM, attention=None, problem=None,
)  # fmt: skip


def printed(camera: CameraResult = GOOD, panel: Part = Part("button and lamps can be had")) -> str:  # noqa: B008 - frozen
    words = table(Result("lincoln-12", {camera.role: camera}, {"panel": panel}))
    return re.sub(r"\s+", " ", words)


def quoted(step: int) -> list[str]:
    return re.findall(r"`([^`]+)`", STEPS[step - 1][3])


def test_the_steps_are_numbered_one_after_the_other() -> None:
    assert [int(cells[1]) for cells in STEPS] == list(range(1, len(STEPS) + 1))


@pytest.mark.parametrize("step", [2, 4])
def test_what_a_good_kiosk_must_print_is_what_it_prints(step: int) -> None:
    assert quoted(step)
    for words in quoted(step):
        assert words in printed()


def test_the_sizes_are_those_of_the_kit() -> None:
    ours, small = quoted(3)
    assert ours in printed()
    front = kit().boards[-1].front
    assert small == f"{front.width}x{front.height}"


def test_what_no_line_may_have_is_what_a_bad_kiosk_prints() -> None:
    fails, wrong = quoted(1)
    assert fails not in printed()
    assert wrong not in printed()
    assert fails in printed(panel=Part("the cameras' lamp on BCM 22 does not light", ok=False))
    assert wrong in printed(replace(GOOD, attention="It gives 20.0 frames a second, not the 30 asked for."))


def test_the_height_that_is_built_is_the_kits() -> None:
    assert f"the lens {kit().mount['overhead_height_mm']:g} mm above the mat" in TOLD
    drills = {kit().mount[name] for name in ("lamp_hole_mm", "arm_hole_mm", "lens_opening_mm")}
    for size in {*drills, kit().mount["board"]["hole_mm"], kit().mount["shutter"]["switch_hole_mm"]}:
        assert f"{size:g}" in TOLD.splitlines()[3], f"the drill of {size:g} mm is not named"


def test_every_signal_that_a_step_waits_for_is_in_the_table() -> None:
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", "".join("".join(cells) for cells in STEPS))) - {"kiosk.toml"}
    assert named == {"camera.shuttered", "camera.covered"}
    assert named <= set(SIGNALS)
