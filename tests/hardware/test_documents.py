"""The kit's drawings and bill: what lies in the folder is what kit.toml gives, and nothing runs out of a picture."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from device.kit import kit
from hardware.desk_picture import desk_picture
from hardware.documents import DOCUMENTS, FOLDER, stale
from hardware.drawing import Area, Disc, Drawing, Item, Stroke, Words, svg
from hardware.header import PINS
from hardware.mount import mount
from hardware.mount_picture import PAPERS, RULE_MM, mount_picture
from hardware.wiring_picture import wiring_picture
from tests.hardware.printing import PX_PER_MM, Page, printed, ran

DRAWINGS = {"desk": desk_picture, "mount": mount_picture, "wiring": wiring_picture}
SVG = "{http://www.w3.org/2000/svg}"


def words_of(drawing: Drawing) -> str:
    return "\n".join(item.words for item in drawing.items if isinstance(item, Words))


def reach(item: Item) -> list[tuple[float, float]]:
    """Points that an item touches; a letter is taken to be 0.6 of its height wide."""
    match item:
        case Stroke() | Area():
            return list(item.points)
        case Disc():
            (x, y), r = item.middle, item.radius
            return [(x - r, y - r), (x + r, y + r)]
        case Words():
            long = len(item.words) * item.height * 0.6
            x = item.at[0] - {"start": 0, "middle": long / 2, "end": long}[item.anchor]
            return [(x, item.at[1] - item.height), (x + long, item.at[1] + item.height / 4)]


def test_what_is_committed_is_what_the_data_give() -> None:
    assert stale(FOLDER) == []


def test_the_program_writes_all_and_names_what_is_no_longer_true(tmp_path: Path) -> None:
    assert ran("hardware.documents", "--folder", str(tmp_path)).returncode == 0
    assert stale(tmp_path) == []
    changed = tmp_path / "bill-of-materials.csv"
    changed.write_text(changed.read_text().replace("estimate", "quoted"))
    (tmp_path / "drawings" / "desk.svg").unlink()
    done = ran("hardware.documents", "--check", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert "bill-of-materials.csv, drawings/desk.svg. Type  make hardware-docs" in done.stderr
    assert "wiring" not in done.stderr


def test_a_folder_that_cannot_be_written_is_named() -> None:
    done = ran("hardware.documents", "--folder", "/proc/nowhere")
    assert done.returncode == 2
    assert "/proc/nowhere cannot be written" in done.stderr.splitlines()[-1]


def test_every_drawing_in_the_folder_is_made_from_the_data() -> None:
    assert {f"drawings/{path.name}" for path in (FOLDER / "drawings").iterdir()} | {"bill-of-materials.csv"} == set(
        DOCUMENTS
    )


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_of_its_true_size_and_tells_those_who_cannot_see_it(name: str) -> None:
    drawing = DRAWINGS[name]()
    root = ET.fromstring(svg(drawing))
    assert root.get("width") == f"{drawing.width_mm:g}mm"
    assert root.get("viewBox") == f"0 0 {drawing.width_mm:g} {drawing.height_mm:g}"
    assert root.findtext(f"{SVG}title") == drawing.title
    assert len(root.findtext(f"{SVG}desc") or "") > 80
    assert root.get("aria-labelledby") == "title says"


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_runs_out_of_its_drawing(name: str) -> None:
    drawing = DRAWINGS[name]()
    points = np.array([point for item in drawing.items for point in reach(item)])
    assert points.min() >= 1
    assert (points.max(axis=0) <= (drawing.width_mm - 1, drawing.height_mm - 1)).all()


def test_markup_in_words_stays_words() -> None:
    drawing = Drawing(10, 10, "<b>&", "x")
    drawing.text(1, 5, "</text><script>")
    root = ET.fromstring(svg(drawing))
    assert root.findtext(f"{SVG}title") == "<b>&"
    assert [one.text for one in root.iter(f"{SVG}text")] == ["</text><script>"]
    assert root.find(f".//{SVG}script") is None


def test_the_wiring_names_every_pin_and_ground_of_the_kit() -> None:
    told = words_of(wiring_picture())
    of = kit().panel
    for pin in (of.button_pin, of.lamp_pin, of.camera_lamp_pin, of.overhead_shutter_pin, of.front_shutter_pin):
        assert pin is not None
        assert f"BCM {pin}, pin {PINS[pin]}" in told
    for ground in kit().wiring["grounds"].values():
        assert f"ground, pin {ground}" in told


def test_two_wires_never_lie_on_each_other() -> None:
    wires = [item for item in wiring_picture().items if isinstance(item, Stroke) and len(item.points) == 5]
    assert len(wires) == 2 * len(kit().wiring["grounds"])
    lanes = [wire.points[2][0] for wire in wires]
    assert len({round(lane, 1) for lane in lanes}) == len(lanes)
    assert len({round(wire.points[1][1], 1) for wire in wires}) == len(wires)


@pytest.fixture(scope="module", params=PAPERS)
def page(request: pytest.FixtureRequest) -> Page:
    return printed(mount(str(request.param)))


def test_the_plate_is_printed_in_its_true_size_with_nothing_in_the_margin(page: Page) -> None:
    assert page.is_vector_only
    assert min(page.inked()) > 5  # no office printer needs a wider margin
    # The rule is the lowest long line: its ends are where the ink of its row begins and ends.
    dark = page.grey < 120
    row = max(index for index in range(dark.shape[0]) if dark[index].sum() > 90 * PX_PER_MM)
    ends = np.flatnonzero(dark[row])
    assert (ends[-1] - ends[0]) / PX_PER_MM == pytest.approx(RULE_MM, abs=0.5)
    assert any("This line is 100 mm long" in line for line in page.words)


def test_the_holes_of_the_plate_lie_where_the_camera_has_them() -> None:
    board = kit().mount["board"]
    holes = [
        item.middle for item in mount_picture().items if isinstance(item, Disc) and item.radius == board["hole_mm"] / 2
    ][:4]
    xs, ys = (sorted({round(hole[axis], 3) for hole in holes}) for axis in (0, 1))
    assert xs[1] - xs[0] == pytest.approx(board["hole_across_mm"])
    assert ys[1] - ys[0] == pytest.approx(board["hole_down_mm"])


def test_the_program_draws_the_plate(tmp_path: Path) -> None:
    done = ran("hardware.mount", "--paper", "letter", "-o", str(tmp_path / "plate.pdf"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plate.pdf").read_bytes().startswith(b"%PDF")
