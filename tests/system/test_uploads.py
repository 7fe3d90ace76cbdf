"""What becomes of recordings in a whole demo: sent to the fleet and let go, or gone without a trace at both sides."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.uploader import CHUNK_IN_SESSION_BYTES
from tests import sealed
from tests.system.running import Demo, running_demo, until
from tests.system.test_recording import SIZES, files, holding, records, rows, size_of, traces_of

pytestmark = [pytest.mark.needs_mosquitto, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    """Two kiosks, each with a booking open now whose student's consent allows to record."""
    with running_demo("--kiosks", "2", "--record", "--data-dir", str(folder)) as found:
        yield found


def at_fleet(folder: Path, *endings: str) -> list[Path]:
    return sorted(path for path in (folder / "fleet" / "data" / "segments").glob("*") if path.suffix in endings)


def arriving(folder: Path) -> int:
    """Bytes of the upload under way; 0 when there is none."""
    return sum(path.stat().st_size for path in at_fleet(folder, ".part"))


def listed(demo: Demo, session: str) -> dict[str, str]:
    return {one["id"]: one["state"] for one in demo.fleet(f"sessions/{session}/segments")["items"]}


def test_what_was_recorded_goes_to_the_fleet_though_link_fleet_and_power_fail(
    demo: Demo, folder: Path, tmp_path: Path
) -> None:
    kiosk = demo.kiosks[0]
    session = kiosk.start_session()
    records(kiosk, folder)
    time.sleep(8)
    kiosk.end_session()
    until(lambda: arriving(folder), 40, "an upload has begun")

    kiosk.cut_link("silent")
    until(lambda: not kiosk.state["link"]["up"], 20, "the link is down")
    kiosk.restore_link()
    demo.kill("fleet")
    until(lambda: kiosk.state["link"]["up"], 60, "the link is back")
    if files(folder, kiosk, ".seg"):
        kiosk.cut_power(for_s=1)
        kiosk.reaches("no answer", within_s=5)
        kiosk.reaches("idle", "live", "buffering", within_s=40)

    until(lambda: kiosk.state["backlog"]["segments"] == 0, 90, "the kiosk has nothing left to send")
    told = {row["data"]["segment"]: row for row in rows(kiosk, "segment.sealed")}
    assert len(told) >= 2
    until(lambda: len(rows(kiosk, "segment.uploaded")) == len(told), 30, "and says so")
    assert {row["data"]["segment"] for row in rows(kiosk, "segment.uploaded")} == told.keys()
    assert {path.stem for path in at_fleet(folder, ".seg", ".part")} == told.keys()
    assert files(folder, kiosk, ".seg", ".part", ".gone", ".uploaded") == []
    assert listed(demo, session) == dict.fromkeys(told, "stored")
    for segment, row in told.items():
        film = tmp_path / f"{segment}.mp4"
        command = [sys.executable, "-m", "fleet.cli", "open-segment", segment, "-o", str(film)]
        subprocess.run([*command, "--config", str(folder / "fleet" / "fleet.toml")], check=True, capture_output=True)
        assert sealed.frames(film.read_bytes()) == row["data"]["frames"]
        assert size_of(film) == SIZES[row["data"]["role"]]


def test_not_this_student_leaves_nothing_at_either_side(demo: Demo, folder: Path) -> None:
    kiosk = demo.kiosks[1]
    before = {path.name for path in at_fleet(folder, ".seg", ".part")}
    kiosk.press()
    session = kiosk.reaches("live")["session"]["id"]
    records(kiosk, folder)
    time.sleep(8)  # enough that sending it takes three quarters of a minute
    demo.kill("kiosks", kiosk.id, "front")  # so that there is a finished segment, which is sent in the session
    until(lambda: arriving(folder) > 100_000, 60, "it arrives, slowly")
    assert listed(demo, session) != {}
    before_bytes, began_s = arriving(folder), time.monotonic()
    time.sleep(10)
    went_bits, took_s = (arriving(folder) - before_bytes) * 8, time.monotonic() - began_s
    sys.stderr.write(f"sent in a session: {went_bits / took_s / 1000:.0f} kbit/s, 256 are allowed\n")
    assert 0 < went_bits <= 256_000 * took_s + CHUNK_IN_SESSION_BYTES * 8
    assert demo.kiosk.state["link"]["up"]
    parts = [*files(folder, kiosk, ".part", ".seg"), *at_fleet(folder, ".part")]
    traces = [trace for path in parts for trace in traces_of(path)]
    assert all(holding(folder, trace) for trace in traces)

    answer = demo.http.post(
        f"{kiosk.screen}/api/action", json={"name": "not-this-student", "value": ""}, headers={"Origin": kiosk.screen}
    )
    assert answer.is_success, answer.text
    until(lambda: not files(folder, kiosk, ".part", ".seg", ".gone"), 15, "nothing of it is left at the kiosk")
    until(lambda: set(listed(demo, session).values()) == {"destroyed"}, 20, "nor at the fleet")
    until(lambda: _is_audited(demo), 5, "which is in the audit")
    assert {path.name for path in at_fleet(folder, ".seg", ".part")} == before
    assert [holding(folder, trace) for trace in traces] == [[]] * len(traces)
    time.sleep(6)  # and nothing comes after
    assert {path.name for path in at_fleet(folder, ".seg", ".part")} == before
    assert [holding(folder, trace) for trace in traces] == [[]] * len(traces)
    assert rows(kiosk, "segment.uploaded") == []


def _is_audited(demo: Demo) -> bool:
    items = demo.fleet("audit")["items"]
    return any(one["what"] == "segment.destroyed" and one["detail"] == "not-this-student" for one in items)
