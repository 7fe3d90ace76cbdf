"""Recordings on their way: many at once, slow connections, full disks, and what never came whole."""

import errno
import fcntl
import os
import resource
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from fleet.segment_store import Busy, FolderStore, OtherOffset, StoreFails, StoreFull
from tests.fleet.sending import Sending, no_segment
from tests.fleet.test_api import problem
from tests.fleet.world import Fleet


def test_of_two_connections_one_wins(tmp_path: Path) -> None:
    store, name = FolderStore(tmp_path), no_segment()
    store.begin(name)
    with (tmp_path / f"{name}.part").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            store.append(name, 0, b"x")
    assert store.append(name, 0, b"x") == 1
    with pytest.raises(OtherOffset):
        store.append(name, 0, b"x")


def test_two_that_race_leave_every_byte_once(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    statuses: list[int] = []

    def race() -> None:
        with httpx.Client(base_url=sending.client.base_url, timeout=30) as own:
            offset = 0
            while offset < len(sending.file):
                mine = Sending(fleet, own, sending.kiosk, sending.file, sending.ticket)
                answer = mine.patch(offset, sending.file[offset : offset + 20_000])
                statuses.append(answer.status_code)
                offset = int(mine.head().headers["Upload-Offset"])

    threads = [threading.Thread(target=race) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(statuses) <= {204, 409, 423}
    assert statuses.count(204) >= len(sending.file) // 20_000
    assert sending.stored.read_bytes() == sending.file


def test_a_hundred_slow_connections_hold_up_nobody(sending: Sending) -> None:
    sending.create()
    url = sending.client.base_url
    slow = []
    try:
        for _ in range(100):
            sock = socket.create_connection((url.host, url.port or 80), timeout=10)
            head = [f"PATCH {sending.address} HTTP/1.1", f"Host: {url.host}", "Content-Length: 50000",
                    *(f"{name}: {value}" for name, value in sending.headers(
                        Content_Type="application/offset+octet-stream", Upload_Offset="0").items())]  # fmt: skip
            sock.sendall("\r\n".join([*head, "", "x"]).encode())
            slow.append(sock)
        sending.send()
    finally:
        for sock in slow:
            sock.close()
    assert sending.stored.read_bytes() == sending.file


def test_half_a_piece_counts_as_far_as_it_came_unless_it_had_a_checksum(sending: Sending) -> None:
    sending.create()
    url = sending.client.base_url
    for checksum, kept in (("sha256 AAAA", 0), (None, 500)):
        told = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
        told |= {"Upload_Checksum": checksum} if checksum else {}
        with socket.create_connection((url.host, url.port or 80), timeout=10) as sock:
            lines = [f"PATCH {sending.address} HTTP/1.1", f"Host: {url.host}", "Content-Length: 1000"]
            lines += [f"{name}: {value}" for name, value in sending.headers(**told).items()]
            sock.sendall("\r\n".join([*lines, "", ""]).encode() + sending.file[:500])
            time.sleep(0.5)  # it is read
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)
        waited = threading.Event()
        for _ in range(200):
            if sending.part.stat().st_size == kept and kept:
                break
            waited.wait(0.01 if kept else 0.002)
        assert sending.part.read_bytes() == sending.file[:kept]


def test_a_full_disk_is_said_and_keeps_what_is_whole(sending: Sending) -> None:
    """The disk's own refusal, by a limit on the size of files: to a program it looks like a full disk."""
    sending.create()
    assert sending.patch(0, sending.file[:50_000]).status_code == 204
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, hard))
    try:
        answer = sending.patch(50_000, sending.file[50_000:150_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "no room" in problem(answer, 507)["detail"]
    assert sending.part.read_bytes() == sending.file[:50_000], "half a piece is none"
    assert sending.head().headers["Upload-Offset"] == "50000"
    sending.patch(50_000, sending.file[50_000:])
    assert sending.stored.read_bytes() == sending.file


def test_full_is_told_from_failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, name = FolderStore(tmp_path), no_segment()
    store.begin(name)
    for number, error in ((errno.ENOSPC, StoreFull), (errno.EIO, StoreFails)):

        def refuse(_fd: int, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", refuse)
            with pytest.raises(error):
                store.append(name, 0, b"x" * 10)
        assert store.offset(name) == 0


def test_what_never_came_whole_is_let_go_after_a_week(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    sending.patch(0, sending.file[:1_000])
    old = sending.part.stat().st_mtime
    fleet.clock.pass_(6 * 86_400)
    fleet.settle()
    assert sending.part.exists()
    fleet.clock.pass_(2 * 86_400)
    os.utime(sending.part, (old, fleet.clock.at.timestamp() - 8 * 86_400))
    fleet.settle()
    assert not sending.part.exists()
    sending.ask()
    sending.send()
