"""The worker process on its own, with the test in the agent's place."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.cameras.boundary import Do, Order, Report, Setup, WorkerState
from device.cameras.preview import Preview
from device.cameras.process import WorkerProcess
from tests import media
from tests.device.cameras.kit import is_alive, open_files, small
from tests.device.cameras.odd_sources import NONSENSE

ODD = "tests.device.cameras.odd_sources:open_odd"


class Agent:
    """Speaks to one worker."""

    def __init__(self, setup: Setup) -> None:
        self.worker = WorkerProcess.spawn(setup)
        self.reports: list[Report] = []
        self.number = 0

    def order(self, do: Do, for_s: float = 0.0) -> None:
        self.number += 1
        assert self.worker.send(Order(do, self.number, for_s))

    def until(self, condition: Callable[[Report], bool], within_s: float = 25.0) -> Report:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            select.select([self.worker.control_fd], [], [], 0.1)
            told, _ = self.worker.hear()
            reports = [one for one in told if isinstance(one, Report)]
            self.reports += reports
            for report in reports:
                if condition(report):
                    return report
        raise AssertionError(f"never reported; last: {self.reports[-1:]}")

    def picture(self, within_s: float = 10.0) -> Preview:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if (preview := self.worker.preview()) is not None:
                return preview
            time.sleep(0.01)
        raise AssertionError("no preview came")

    def has_ended(self, within_s: float) -> bool:
        return bool(select.select([self.worker.death_fd], [], [], within_s)[0])


@pytest.fixture
def start() -> Iterator[Callable[[Setup], Agent]]:
    agents: list[Agent] = []

    def start_one(setup: Setup) -> Agent:
        agents.append(Agent(setup))
        return agents[-1]

    yield start_one
    for agent in agents:
        agent.worker.kill()
        assert agent.has_ended(10)
        assert agent.worker.exit_words() is not None
        agent.worker.close()


Start = Callable[[Setup], Agent]


def anything(_report: Report) -> bool:
    return True


def test_a_camera_is_open_only_between_an_order_to_open_and_one_to_close(start: Start, tmp_path: Path) -> None:
    clip = media.render("front", tmp_path)
    agent = start(Setup(small(f"file:{clip}")))
    first = agent.until(anything)
    assert (first.state, first.device_open, first.frames) == (WorkerState.CLOSED, False, 0)
    assert str(clip) not in open_files(agent.worker.pid)

    agent.order(Do.OPEN)
    agent.until(lambda report: report.state is WorkerState.OPEN and report.frames > 5)
    assert str(clip) in open_files(agent.worker.pid)

    agent.order(Do.CLOSE)
    closed = agent.until(lambda report: report.state is WorkerState.CLOSED)
    assert not closed.device_open
    assert closed.order == 2
    assert str(clip) not in open_files(agent.worker.pid)


def test_the_rate_and_age_of_frames_are_reported(start: Start) -> None:
    agent = start(Setup(small("scene:desk")))
    agent.order(Do.OPEN)
    report = agent.until(lambda report: report.frames > 45)
    assert report.fps is not None
    assert 8 < report.fps <= 24
    assert report.last_frame_ns is not None
    assert 0 <= report.sent_ns - report.last_frame_ns < 2_000_000_000


def test_the_worker_ends_by_itself_when_the_agent_is_gone(start: Start) -> None:
    agent = start(Setup(small("scene:student")))
    agent.order(Do.OPEN)
    agent.until(lambda report: report.frames > 2)
    agent.worker._control.close()
    assert agent.has_ended(within_s=5)


def test_an_agent_that_dies_in_mid_sentence_leaves_no_worker_behind() -> None:
    """A real agent process is killed; its worker, an orphan then, has to notice by itself."""
    code = """
import time
from device.cameras.boundary import Setup, Order, Do
from device.cameras.process import WorkerProcess
from device.cameras.source import CameraSpec
worker = WorkerProcess.spawn(Setup(CameraSpec("front", "scene:student", 320, 180, 20)))
worker.send(Order(Do.OPEN, 1))
while not any(report.frames for report in worker.hear()[0]):
    time.sleep(0.05)
print(worker.pid, flush=True)
time.sleep(60)
"""
    agent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert agent.stdout is not None
    worker_pid = int(agent.stdout.readline())
    assert is_alive(worker_pid)
    agent.kill()
    agent.wait()
    agent.stdout.close()
    deadline = time.monotonic() + 10
    while is_alive(worker_pid) and _is_running(worker_pid):
        assert time.monotonic() < deadline, "the orphan lives on"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    """Not merely a zombie waiting for whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_told_to_stop_it_closes_the_camera_and_ends_well(start: Start) -> None:
    agent = start(Setup(small("scene:student")))
    agent.order(Do.OPEN)
    agent.until(lambda report: report.frames > 2)
    agent.order(Do.STOP)
    assert agent.has_ended(within_s=5)
    assert agent.worker.exit_words() == "ended with code 0"


def test_a_missing_file_is_looked_for_until_it_is_there(start: Start, tmp_path: Path) -> None:
    agent = start(Setup(small(f"file:{tmp_path / 'front.avi'}")))
    agent.order(Do.OPEN)
    missing = agent.until(lambda report: report.state is WorkerState.MISSING)
    assert "front.avi" in missing.detail
    assert not missing.device_open
    ready = media.render("front", tmp_path.parent)
    ready.rename(tmp_path / "front.avi")
    agent.until(lambda report: report.state is WorkerState.OPEN and report.frames > 2)


def test_previews_are_made_only_while_somebody_wants_them(start: Start) -> None:
    agent = start(Setup(small("scene:desk")))
    agent.order(Do.OPEN)
    agent.until(lambda report: report.frames > 10)
    assert agent.worker.preview() is None

    agent.order(Do.PREVIEW, for_s=1.0)
    preview = agent.picture()
    assert preview.jpeg.startswith(b"\xff\xd8")
    assert preview.jpeg.endswith(b"\xff\xd9")
    agent.until(lambda report: report.sent_ns > preview.captured_ns + 2_500_000_000)
    last = agent.worker.preview()
    assert last is not None
    assert last.captured_ns < preview.captured_ns + 2_000_000_000

    agent.order(Do.CLOSE)
    agent.until(lambda report: report.state is WorkerState.CLOSED)
    assert agent.worker.preview() is None


def test_an_agent_that_reads_nothing_holds_nothing_up(start: Start) -> None:
    agent = start(Setup(small("scene:desk")))
    # A socket with hardly any room, so that it is full at once.
    agent.worker._control.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    agent.order(Do.OPEN)
    agent.order(Do.PREVIEW, for_s=60)
    first = agent.picture()
    time.sleep(3)
    second = agent.worker.preview()
    assert second is not None
    assert second.captured_ns - first.captured_ns > 1_500_000_000
    report = agent.until(lambda report: report.sent_ns > second.captured_ns)
    assert report.frames > 20


def test_a_driver_that_raises_anything_is_reported_and_tried_again(start: Start, tmp_path: Path) -> None:
    journal = tmp_path / "openings"
    agent = start(Setup(small("scene:desk"), ODD, {"kind": "explosive", "journal": str(journal)}))
    agent.order(Do.OPEN)
    failed = agent.until(lambda report: report.state is WorkerState.FAILED)
    assert "ZeroDivisionError: in the driver" in failed.detail
    agent.until(lambda _: len(journal.read_text().split()) >= 3)


@pytest.mark.parametrize("kind", [kind.__name__.lower() for kind in NONSENSE])
def test_what_is_no_frame_is_a_failure_with_its_reason_and_nothing_is_said_to_be_well(start: Start, kind: str) -> None:
    agent = start(Setup(small("scene:desk"), ODD, {"kind": kind}))
    agent.order(Do.OPEN)
    failed = agent.until(lambda report: report.state is WorkerState.FAILED)
    assert "the camera gave" in failed.detail
    agent.until(lambda report: report.state is WorkerState.OPENING or report.sent_ns > failed.sent_ns + 2 * 10**9)
    assert not agent.has_ended(within_s=0)
    assert all(report.seen is None and report.frames == 0 for report in agent.reports)


def test_checks_that_break_leave_the_camera_at_work_and_what_is_seen_unknown(start: Start) -> None:
    agent = start(Setup(small("scene:desk"), ODD, {"kind": "garbled"}))
    agent.order(Do.OPEN)
    broken = agent.until(lambda report: bool(report.unchecked))
    assert broken.seen is None
    assert broken.state is WorkerState.OPEN
    assert "IndexError" in broken.unchecked
    healed = agent.until(lambda report: report.seen is not None)
    assert healed.unchecked == ""
    assert healed.frames > broken.frames


@pytest.mark.parametrize("factory", ["no.such.module:open", "device.cameras.sources:no_such_function"])
def test_a_source_that_cannot_be_loaded_is_a_failure_with_its_name(start: Start, factory: str) -> None:
    agent = start(Setup(small("scene:desk"), factory))
    agent.order(Do.OPEN)
    failed = agent.until(lambda report: report.state is WorkerState.FAILED)
    assert factory in failed.detail


def test_heartbeats_stop_when_the_capture_thread_is_stuck(start: Start, tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    agent = start(Setup(small("scene:desk"), "lab.faults:open_source", {"switch": str(switch)}))
    agent.order(Do.OPEN)
    agent.until(lambda report: report.frames > 2)
    switch.write_text("hung")
    deadline = time.monotonic() + 20
    while select.select([agent.worker.control_fd], [], [], 1.4)[0]:
        agent.worker.hear()
        assert time.monotonic() < deadline, "still beating"
    # The process itself is alive; only its word is withheld.
    assert agent.worker.exit_words() is None


def test_a_source_that_raises_when_closed_ends_the_process_so_that_the_device_is_let_go(start: Start) -> None:
    agent = start(Setup(small("scene:desk"), ODD, {"kind": "clinging"}))
    agent.order(Do.OPEN)
    agent.until(lambda report: report.frames > 2)
    agent.order(Do.CLOSE)
    assert agent.has_ended(within_s=10)
    assert agent.worker.exit_words() == "ended with code 1"


def test_nonsense_from_the_agent_is_survived(start: Start) -> None:
    agent = start(Setup(small("scene:desk")))
    agent.until(anything)
    for nonsense in (b"\xff\xfe", b"[]", b'{"do":"dance"}'):
        agent.worker._control.send(nonsense)
    agent.order(Do.OPEN)
    agent.until(lambda report: report.frames > 2)


def test_ctrl_c_at_the_agents_terminal_closes_no_camera(start: Start) -> None:
    agent = start(Setup(small("scene:desk")))
    agent.order(Do.OPEN)
    before = agent.until(lambda report: report.frames > 2)
    os.kill(agent.worker.pid, 2)
    agent.until(lambda report: report.frames > before.frames + 5)


def test_a_worker_loads_opencv_and_nothing_of_the_web(start: Start) -> None:
    code = (
        "import json, sys, device.cameras.worker, device.cameras.sources.file, device.cameras.sources.scene, "
        "device.cameras.sources.v4l2; print(json.dumps(sorted(sys.modules)))"
    )
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-P", "-c", code])))
    assert {"cv2", "numpy"} <= loaded
    assert not loaded & {"fastapi", "pydantic", "pydantic_core", "starlette", "asyncio", "paho", "sqlite_utils"}

    agent = start(Setup(small("scene:desk")))
    agent.order(Do.OPEN)
    agent.until(lambda report: report.frames > 2)
    mapped = Path(f"/proc/{agent.worker.pid}/maps").read_text()
    assert "cv2" in mapped
    assert "pydantic" not in mapped


def test_the_agents_side_loads_neither_opencv_nor_numpy() -> None:
    code = "import json, sys, device.cameras.supervisor; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-P", "-c", code])))
    assert not loaded & {"cv2", "numpy"}
