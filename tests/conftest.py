"""What all tests share: their order, and the closing line about tests that this machine cannot run."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, not of the code.
settings.register_profile("carrel", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("carrel")

_NEEDS = {
    "needs_chromium": ("chromium", "libatomic.so.1"),
    "needs_mosquitto": ("mosquitto",),
    "needs_nmcli": ("nmcli",),
    "needs_cloud_init": ("cloud-init",),
    "needs_systemd": ("systemd-analyze",),
}
FOREIGN = Path(__file__).parents[1] / ".foreign" / "bin"
"""What `scripts/foreign-tools` unpacks: programs that judge what Carrel writes."""
_WHY = "is not installed"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="DIR", help="keep the screenshots of the system tests in DIR")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of whole systems, which mostly wait, go between others, which calculate; what cannot run is left out."""
    items[:] = _mixed(items)
    for marker, parts in _NEEDS.items():
        for part in filter(_is_missing, parts):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=f"{part} {_WHY}"))


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    left_out = _left_out(terminalreporter)
    if left_out:
        terminalreporter.write_line(f"NOT RUN for want of a system package: {', '.join(left_out)}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI a test that could not run is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")  # only where the results come together
    if reporter is not None and os.environ.get("CI") and _left_out(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    whole, parts = ([name for name in files if ("/system/" in name) is is_whole] for is_whole in (True, False))
    places = [(n / max(1, len(names)), name) for names in (whole, parts) for n, name in enumerate(names)]
    return [item for _, name in sorted(places) for item in files[name]]


def _is_missing(part: str) -> bool:
    if ".so" not in part:
        return shutil.which(part, path=f"{os.environ.get('PATH', '')}:/usr/sbin:{FOREIGN}") is None
    try:
        ctypes.CDLL(part)
    except OSError:
        return True
    return False


def _left_out(reporter: pytest.TerminalReporter) -> list[str]:
    skipped = reporter.stats.get("skipped", [])
    return [report.nodeid for report in skipped if _WHY in str(report.longrepr)]
