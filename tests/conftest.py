"""What all tests share: the closing line about tests that this machine cannot run."""

import os
import shutil
from collections.abc import Iterator

import pytest

_NEEDS = {"needs_chromium": ("chromium",), "needs_mosquitto": ("mosquitto",)}
_not_run: dict[str, list[str]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="DIR", help="keep the screenshots of the system tests in DIR")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long files go first, so that no worker is left alone with one at the end; what cannot run is named."""
    items.sort(key=lambda item: "/system/" not in item.nodeid)
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    for marker, programs in _NEEDS.items():
        if all(shutil.which(program, path=path) for program in programs):
            continue
        for item in items:
            if item.get_closest_marker(marker):
                _not_run.setdefault(programs[0], []).append(item.nodeid)
                item.add_marker(pytest.mark.skip(reason=f"{programs[0]} is not installed"))


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    if _not_run:
        named = "; ".join(f"{program}: {', '.join(tests)}" for program, tests in _not_run.items())
        terminalreporter.write_line(f"NOT RUN for want of a system package: {named}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _not_run and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
