"""The self-test as a person reads it."""

from textwrap import wrap
from typing import Final

from device.selftest.figures import CameraResult
from device.selftest.run import Result

_WIDTH: Final = 96


def table(found: Result) -> str:
    """A few lines for each part: whether it works, its figures, and what is to be done."""
    blocks = [[f"Kiosk {found.kiosk}"]]
    blocks += [_camera(one) for one in found.cameras.values()]
    blocks += [[line for name, part in found.parts.items() for line in _row(name, _word(ok=part.ok), part.says)]]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _camera(one: CameraResult) -> list[str]:
    lines = _row(f"{one.role} camera", _word(ok=one.ok), one.uri)
    if one.id != one.uri.partition(":")[2]:
        lines += _row("", "", f"it is {one.id}")
    for says in _figures(one):
        lines += _row("", "", says)
    for wrong in (one.problem, one.attention, *one.seen):
        lines += _row("", "!", wrong or "")
    return lines


def _figures(one: CameraResult) -> list[str]:
    asked, native = one.asked, one.native
    figures = [f"asked for {asked['width']}x{asked['height']}, {asked['fps']:g} frames a second"]
    if native is not None:
        rate = "at a rate not known yet" if one.fps is None else f"{one.fps:g} frames a second"
        figures.append(f"gives {native['width']}x{native['height']} {native['form']}, {rate}")
    if one.first_frame_ms is not None:
        figures.append(f"first frame after {one.first_frame_ms / 1000:.1f} s")
    if one.bitrate_bps is not None:
        figures.append(
            f"{one.packets} pictures coded in {one.encoder}, {one.keyframes} of them keyframes: "
            f"{one.bitrate_bps / 1e6:.2f} Mbit/s, {one.latency_ms:.0f} ms old when they arrive"
        )
    if one.px_per_mm is not None:
        figures.append(f"sees the desk mat with {one.px_per_mm:.1f} pixels to the millimetre")
    return figures


def _word(*, ok: bool) -> str:
    return "ok" if ok else "FAILS"


def _row(name: str, word: str, says: str) -> list[str]:
    first, rest = f"{name:<16}{word:>5}  ", " " * 23
    return wrap(says, _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
