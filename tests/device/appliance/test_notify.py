"""What systemd is told, read from a real socket such as it listens on."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.appliance.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket, and how the environment calls it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@carrel-test-{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name if request.param == "path" else "\0" + name[1:])
        sock.settimeout(30)
        yield sock, name


def test_each_word_is_one_datagram(manager: tuple[socket.socket, str]) -> None:
    sock, name = manager
    notifier = Notifier.of({"NOTIFY_SOCKET": name})
    notifier.ready()
    notifier.alive()
    notifier.status("idle,\nready")
    notifier.stopping()
    assert [sock.recv(300) for _ in range(4)] == [b"READY=1", b"WATCHDOG=1", b"STATUS=idle, ready", b"STOPPING=1"]


def test_a_long_status_is_cut(manager: tuple[socket.socket, str]) -> None:
    sock, name = manager
    Notifier(name).status("x" * 5_000)
    assert len(sock.recv(9_000)) == len("STATUS=") + 200


def test_where_nobody_listens_it_is_said_once_and_nothing_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(str(tmp_path / "nobody"))
    with caplog.at_level(logging.WARNING):
        notifier.alive()
        notifier.alive()
    assert [record.getMessage() for record in caplog.records] == [
        "systemd was not told WATCHDOG: No such file or directory"
    ]


def test_without_a_service_manager_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Notifier.of({}).ready()
    assert caplog.records == []
