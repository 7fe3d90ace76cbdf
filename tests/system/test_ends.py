"""The demo ends cleanly, however it ends."""

import os
import signal
from pathlib import Path

import pytest

from tests.system.running import processes_of, running_demo, until

pytestmark = [pytest.mark.timeout(300)]


def test_the_demo_ends_cleanly_with_nothing_left(tmp_path: Path) -> None:
    with running_demo("--kiosks", "2", "--data-dir", str(tmp_path), clips=False) as found:
        assert len(processes_of(tmp_path)) >= 3
        agents = [
            found.pid("kiosks", kiosk.id, role) for kiosk in found.kiosks for role in ("agent", "overhead", "front")
        ]
    assert processes_of(tmp_path) == []
    assert not [pid for pid in agents if Path(f"/proc/{pid}").exists()]


def test_a_demo_that_is_killed_leaves_nothing_either(tmp_path: Path) -> None:
    with running_demo("--kiosks", "1", "--data-dir", str(tmp_path), clips=False) as found:
        workers = [found.pid("kiosks", found.kiosk.id, role) for role in ("agent", "overhead", "front")]
        os.kill(found.process.pid, signal.SIGKILL)
        found.process.wait()
        until(lambda: not processes_of(tmp_path), 10, "every child is gone")
        until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()], 10, "every worker is gone")
    assert found.process.returncode == -signal.SIGKILL
