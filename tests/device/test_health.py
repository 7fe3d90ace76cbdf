"""Vitals: decoded where there is a sensor, unknown where there is none."""

import asyncio
from pathlib import Path

import pytest

from device.health import Throttling, look, throttling


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("throttled=0x0", Throttling(False, False, False, False)),
        ("throttled=0x50005\n", Throttling(True, True, True, True)),
        ("throttled=0x50000", Throttling(False, False, True, True)),
        ("throttled=0x1", Throttling(True, False, False, False)),
        ('error=1 error_msg="Command not registered"', None),
        ("", None),
    ],
)
def test_power_now_and_since_boot_are_told_apart(word: str, expected: Throttling | None) -> None:
    assert throttling(word) == expected


def test_off_a_pi_power_is_unknown_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asyncio.run(look(tmp_path)).throttling is None


def test_a_vcgencmd_that_fails_or_lies_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "vcgencmd"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for script in ("exit 1", "echo VCHI initialization failed"):
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        assert asyncio.run(look(tmp_path)).throttling is None
    tool.write_text("#!/bin/sh\necho throttled=0x50000\n")
    assert asyncio.run(look(tmp_path)).throttling == Throttling(False, False, True, True)


def test_what_every_linux_has_is_known(tmp_path: Path) -> None:
    found = asyncio.run(look(tmp_path))
    assert found.uptime_s
    assert found.storage_free_bytes
    assert found.agent_rss_bytes
    assert found.memory_used_share is not None
    assert 0 <= found.memory_used_share <= 1


def test_a_folder_that_is_gone_has_unknown_space(tmp_path: Path) -> None:
    assert asyncio.run(look(tmp_path / "gone")).storage_free_bytes is None
