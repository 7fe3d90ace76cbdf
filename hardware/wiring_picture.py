"""The wiring diagram: the header, and what hangs on each of its pins."""

from typing import Any, Final

from hardware.drawing import GREY, PALE, WHITE, Drawing
from hardware.header import GROUNDS, PINS, SUPPLIES, lamp_ma
from hardware.tables import kit

_PITCH: Final = 7.0
_LEFT: Final = 62.0
_TOP: Final = 32.0
_PART_X: Final = 168.0
_WIRE: Final = {"button": "#3f6f9f", "lamp": "#5f9e62", "camera_lamp": "#c8473c"}
_SHUTTER: Final = "#8a6bb1"
_BLACK: Final = "#1c2422"


def wiring_picture() -> Drawing:
    """The 40-way header as seen from above, its pin 1 at the upper left, with each part's two wires."""
    table = kit()
    panel, wiring = table["panel"], table["wiring"]
    rows = [
        f"{what.replace('_', ' ')} BCM {panel[f'{what}_pin']} (pin {PINS[panel[f'{what}_pin']]}), ground pin {ground}"
        for what, ground in wiring["grounds"].items()
    ]
    drawing = Drawing(260, 226, f"{table['kit']['name']}: wiring", f"On the 40-way header: {'; '.join(rows)}.")
    drawing.text(8, 11, f"{table['kit']['name']}: what hangs on the header", 4, "start")
    drawing.text(8, 17, "Drawn from hardware/kit.toml. Switch the power off before a wire is touched.", 3, "start")
    _header(drawing, {pin: f"BCM {bcm}" for bcm, pin in PINS.items()})
    for number, (what, ground) in enumerate(wiring["grounds"].items()):
        _part(drawing, what, (PINS[panel[f"{what}_pin"]], ground), number, wiring)
    _power_lamp(drawing)
    return drawing


def _at(pin: int) -> tuple[float, float]:
    return _LEFT + (0 if pin % 2 else _PITCH), _TOP + (pin - 1) // 2 * _PITCH


def _header(drawing: Drawing, names: dict[int, str]) -> None:
    drawing.box(_LEFT - 4, _TOP - 5, _PITCH + 8, 19 * _PITCH + 10, PALE)
    drawing.text(_LEFT + _PITCH / 2, _TOP - 7, "Raspberry Pi, USB sockets below", 2.6)
    for pin in range(1, 41):
        x, y = _at(pin)
        name = names.get(pin) or ("ground" if pin in GROUNDS else SUPPLIES[pin])
        (drawing.box(x - 2.2, y - 2.2, 4.4, 4.4, WHITE, GREY) if pin == 1 else drawing.disc(x, y, 2.2, WHITE, GREY))
        drawing.text(x, y + 0.8, str(pin), 2.2)
        if pin % 2:
            drawing.text(x - 6, y + 0.8, name, 2.2, "end")


def _part(drawing: Drawing, what: str, pins: tuple[int, int], number: int, wiring: dict[str, Any]) -> None:
    """Two wires to a box, each in a lane of its own; those of the odd pins go round below their pin to the right."""
    colour = _WIRE.get(what, _SHUTTER)
    top = _TOP - 6 + number * 24
    for index, (pin, shade) in enumerate(zip(pins, (colour, _BLACK), strict=True)):
        x, y = _at(pin)
        lane, end = 92.0 + (2 * number + index) * 3.4, top + 5 + index * 8
        # An odd pin is in the left row: its wire passes between two rows of pins.
        start, gap = ((x, y + 2.2), y + _PITCH / 2) if pin % 2 else ((x + 2.2, y), y)
        drawing.line(start, (start[0], gap), (lane, gap), (lane, end), (_PART_X, end), colour=shade, width=0.7)
    words, small = _words(what, wiring)
    drawing.box(_PART_X, top, 84, 18, WHITE)
    drawing.text(_PART_X + 3, top + 6, words, 3.2, "start")
    for line, text in enumerate(small):
        drawing.text(_PART_X + 3, top + 11 + 4 * line, text, 2.4, "start")
    bcm = {way: name for name, way in PINS.items()}[pins[0]]
    drawing.text(_PART_X - 2, top + 4, f"BCM {bcm}, pin {pins[0]}", 2.4, "end")
    drawing.text(_PART_X - 2, top + 12, f"ground, pin {pins[1]}", 2.4, "end")
    if what in {"lamp", "camera_lamp", "button"}:
        drawing.box(_PART_X - 33, top + 3.4, 8, 3.2, WHITE)
        ohm = wiring["button_ohm"] if what == "button" else wiring["lamp_ohm"]
        drawing.text(_PART_X - 29, top + 2.4, f"{ohm} ohm", 2.2)


def _words(what: str, wiring: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    takes = f"takes {lamp_ma(wiring['lamp_v'], wiring['lamp_ohm']):.1f} mA at {wiring['lamp_v']:g} V"
    if what == "button":
        return "button, normally open", (
            f"on a shielded lead of {wiring['lead_mm'] / 1000:g} m, on the adult's side;",
            "a raised dot beside it; the lamp in it shares the lead",
        )
    if what == "lamp":
        return "lamp in the button", ("long leg to the resistor; heard, running, paused, ending;", takes)
    if what == "camera_lamp":
        return "camera lamp, red, on the plate", ("long leg to the resistor; on whenever a camera is open;", takes)
    return f"switch of the {what.removesuffix('_shutter')} camera's shutter", (
        "closed while the shutter is; the kiosk then says",
        "“Open the shutter”",
    )


def _power_lamp(drawing: Drawing) -> None:
    """The lamp that no software can put out while the camera has power."""
    top, wire = _TOP + 150, "#c8473c"
    drawing.line((8, top - 4), (252, top - 4), colour=GREY, width=0.2, dash=(2, 1.4))
    drawing.text(
        8, top + 2, "Option, for each camera on a ribbon: a second red lamp on the camera's own power", 3.2, "start"
    )
    y = top + 18
    drawing.box(8, y - 9, 62, 30, WHITE)
    for line, (pin, words) in enumerate(((15, "3.3 V"), (11, "power enable"), (1, "ground"))):
        drawing.text(11, y - 3 + 9 * line, f"ribbon's way {pin} of 15: {words}", 2.6, "start")
    drawing.line((70, y - 4), (120, y - 4), colour=wire, width=0.7)
    drawing.box(84, y - 5.6, 8, 3.2, WHITE)
    drawing.text(88, y - 7, "330 ohm", 2.2)
    drawing.disc(123, y - 4, 3, wire)
    drawing.text(128, y - 7.5, "red LED", 2.6, "start")
    drawing.line((126, y - 4), (140, y - 4), (140, y + 1), colour=_BLACK, width=0.7)
    drawing.box(134, y + 1, 12, 8, PALE)
    drawing.text(140, y + 6, "FET", 2.6)
    drawing.line((70, y + 5), (134, y + 5), colour="#3f6f9f", width=0.7)
    drawing.text(133, y + 4, "gate", 2.2, "end")
    drawing.line((140, y + 9), (140, y + 14), (70, y + 14), colour=_BLACK, width=0.7)
    for line, words in enumerate((
        "N-channel FET that is fully on at 2.5 V. Way 11",
        "is high while the camera has power: it switches",
        "the lamp, and no pin of the header is asked. Not",
        "measured on a board by us: see assembly, step 11.",
    )):  # fmt: skip
        drawing.text(156, y - 5 + 5 * line, words, 2.8, "start")
