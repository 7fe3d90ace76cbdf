"""Documentation is tested: what the code has, the pages name, and the reverse."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from device.kit import kit
from device.netcheck.text import rules
from device.settings import Settings

TOP = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]


def page(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


def test_the_readme_shows_the_two_commands_on_lines_of_their_own() -> None:
    lines = page("README.md").splitlines()
    assert "make demo" in lines
    assert "make test" in lines


@pytest.mark.parametrize(
    "name",
    sorted(
        path.relative_to(TOP).as_posix()
        for path in TOP.glob("**/*.md")
        if not any(part.startswith(".venv") for part in path.parts)
    ),
)
def test_links_between_pages_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page(name)):
        if not target.startswith("http"):
            assert (TOP / name).parent.joinpath(target).exists(), f"{name} links to {target}"


def test_every_direct_dependency_has_its_reason() -> None:
    told = page("docs/dependencies.md").lower()
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for requirement in (one for group in groups for one in group):
        name = re.split(r"[\[<>=; ]", requirement)[0].lower()
        assert name in told or name == "carrel", f"docs/dependencies.md does not say why {name} is here"


def test_the_kit_page_tells_the_pins_that_the_code_uses() -> None:
    told = page("hardware/README.md")
    panel = kit().panel
    shutters = (panel.overhead_shutter_pin, panel.front_shutter_pin)
    for pin in (panel.button_pin, panel.lamp_pin, panel.camera_lamp_pin, *shutters):
        assert f"BCM {pin} " in told
    for board in kit().boards:
        for camera in (board.overhead, board.front):
            assert f"{camera.width}x{camera.height} at {camera.fps:g} frames" in told


@pytest.mark.parametrize("module", ["device.cli", "fleet.cli", "provisioning.cli", "lab.cli"])
def test_every_program_explains_itself(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True)
    assert "usage: carrel-" in done.stdout


@pytest.mark.parametrize("program", ["carrel-kiosk", "carrel-fleet", "carrel-provision", "carrel-lab"])
def test_every_program_is_an_entry_point_and_is_documented(program: str) -> None:
    assert program in PROJECT["scripts"]
    pages = [page("README.md"), *(page(f"docs/readers/{name}.md") for name in ("it", "operator"))]
    assert any(program in text for text in pages)


@pytest.mark.parametrize("name", ["demo", "test"])
def test_locked_requirements_carry_hashes_and_no_address(name: str) -> None:
    text = page(f"requirements/{name}.txt")
    assert "://" not in text
    assert "index" not in text
    pins = re.findall(r"^[a-z0-9][^ ]*==", text, re.MULTILINE)
    assert len(pins) > 40
    assert text.count("--hash=sha256:") >= len(pins)


def test_the_firewall_page_has_the_rules_that_the_check_goes_by() -> None:
    told = page("docs/it/firewall.md")
    sample = re.search(r"```toml\n(.+?)```", page("docs/readers/it.md"), re.DOTALL)
    assert sample
    settings = Settings.model_validate(tomllib.loads(re.sub(r'= "…"', '= ""', sample[1])))
    rows = rules(settings)
    assert len(rows) >= 4
    for protocol, where, why in rows:
        assert f"| {protocol} | {where} | {why} |" in told
    for board in kit().boards[:2]:
        both_bps = board.overhead.bitrate_bps + board.front.bitrate_bps
        assert f"{both_bps / 1e6:g} Mbit/s on a {board.model}" in told


@pytest.mark.parametrize("program", ["kiosk", "fleet", "provision"])
def test_the_pages_for_it_name_only_commands_that_are_there(program: str) -> None:
    pages = [*TOP.glob("docs/it/*.md"), *TOP.glob("hardware/*.md")]
    told = {verb for path in pages for verb in re.findall(rf"carrel-{program} ([a-z-]+)", path.read_text())}
    module = {"kiosk": "device.cli", "fleet": "fleet.cli", "provision": "provisioning.cli"}[program]
    helped = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True).stdout
    assert told or program == "fleet"
    for verb in told:
        assert re.search(rf"^ +{verb}\b", helped, re.MULTILINE), f"carrel-{program} has no command {verb}"


def test_every_page_for_it_is_found_from_its_first_page() -> None:
    listed = page("docs/it/README.md")
    for path in TOP.glob("docs/it/*.md"):
        assert path.name == "README.md" or f"]({path.name})" in listed
