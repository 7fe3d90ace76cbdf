"""What goes on without end, over a real connection: events, moving previews, and clients that misbehave."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from tests.device.screen.gallery import GALLERY
from tests.device.screen.served import ShownKiosk, jpeg, served


@contextmanager
def events(address: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a page that has just opened."""
    with httpx.stream("GET", f"{address}/api/events", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _states(answer)


def _states(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    kind = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            assert kind == "state"
            yield json.loads(line.removeprefix("data: "))


class TestEvents:
    def test_the_first_comes_at_once_and_holds_state_and_view(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address, events(address) as found:
            told = next(found)
            assert told["state"]["state"] == "idle"
            assert told["view"]["headline"] == "Ready"
            assert told["release"].endswith("boot-1")

    def test_a_change_comes_by_itself(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address, events(address) as found:
            next(found)
            kiosk.show(GALLERY["live"]())
            assert next(found)["view"]["screen"] == "live"

    def test_many_changes_become_few_events_and_the_last_is_never_lost(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address, events(address) as found:
            next(found)
            began = time.monotonic()
            for _ in range(100):
                kiosk.show(GALLERY["live"]())
                kiosk.show(GALLERY["paused"]())
            seen = [next(found)]
            while seen[-1]["view"]["screen"] != "paused":
                seen.append(next(found))
            assert len(seen) <= 2 + 5 * (time.monotonic() - began)

    def test_without_a_change_one_comes_within_six_seconds(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address, events(address) as found:
            next(found)
            began = time.monotonic()
            next(found)
            assert time.monotonic() - began < 6

    def test_the_language_reaches_every_open_page(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address, events(address) as found:
            assert next(found)["view"]["headline"] == "Ready"
            body = {"name": "language", "value": "es"}
            assert httpx.post(f"{address}/api/action", json=body, headers={"Origin": address}).status_code == 200
            assert next(found)["view"]["headline"] == "Listo"

    def test_a_page_that_left_is_forgotten(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            for _ in range(20):
                with events(address) as found:
                    next(found)
            deadline = time.monotonic() + 10
            while kiosk.listening and time.monotonic() < deadline:
                time.sleep(0.05)
            assert kiosk.listening == 0

    def test_a_server_that_stops_ends_them(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address:
            stream = events(address)
            found = stream.__enter__()
            next(found)
        assert list(found) == []
        stream.__exit__(None, None, None)


class TestPreview:
    def test_pictures_follow_each_other_until_the_camera_closes(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        kiosk.moving = True
        with (
            served(kiosk) as address,
            httpx.stream("GET", f"{address}/api/cameras/front/preview", timeout=10) as answer,
        ):
            assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
            began, got = time.monotonic(), b""
            for piece in answer.iter_bytes():
                got += piece
                if got.count(b"--frame\r\n") == 4:
                    kiosk.show(GALLERY["paused"]())
            assert got.count(b"--frame\r\n") >= 4
            assert got.count(b"--frame\r\n") <= 2 + 5 * (time.monotonic() - began)
            assert got.startswith(b"--frame\r\nContent-Type: image/jpeg\r\n")
            assert got.endswith(b"--frame--\r\n")

    def test_a_still_picture_is_not_sent_again_and_again(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with (
            served(kiosk) as address,
            httpx.stream("GET", f"{address}/api/cameras/overhead/preview", timeout=10) as answer,
        ):
            pieces = answer.iter_bytes()
            assert jpeg("overhead") in next(pieces)
            time.sleep(1)
            kiosk.show(GALLERY["paused"]())
            assert b"".join(pieces).count(b"--frame\r\n") == 0


def _open(address: str) -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def _status(address: str, request: str) -> int | None:
    """The status that a request written by hand gets; None when the connection is simply closed."""
    with _open(address) as sock:
        try:
            sock.sendall(request.encode())
            head = sock.recv(65536).split(b"\r\n")[0]
        except OSError:
            return None
    return int(head.split()[1]) if head else None


class TestH3AndH4OverTheWire:
    def test_h3_a_raw_path_leads_nowhere(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address:
            host = address.removeprefix("http://")
            for path in ("/static/../../../etc/shadow", "/../etc/shadow", "//etc/shadow", "http://evil.com/etc/shadow"):
                assert _status(address, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n") in {400, 404}

    def test_h4_slow_clients_do_not_stop_the_page(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address, ExitStack() as slow:
            for _ in range(100):
                slow.enter_context(_open(address)).sendall(b"POST /api/button HTTP/1.1\r\nHost: x\r\nX-A")
            assert httpx.get(f"{address}/healthz", timeout=5).status_code == 200

    def test_h4_a_body_that_never_comes_is_given_up(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address:
            assert _status(address, self.post(address, length=20) + "{") == 408

    def test_h4_ten_thousand_headers_are_refused(self) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address:
            host = address.removeprefix("http://")
            many = "".join(f"X-{n}: {'a' * 20}\r\n" for n in range(10_000))
            assert _status(address, f"GET / HTTP/1.1\r\nHost: {host}\r\n{many}\r\n") in {None, 400, 431}
            assert httpx.get(f"{address}/healthz", timeout=5).status_code == 200

    def test_h4_a_hundred_megabytes_are_not_waited_for(self) -> None:
        kiosk = ShownKiosk(GALLERY["ready"]())
        with served(kiosk) as address:
            assert _status(address, self.post(address, length=104_857_600)) == 413
            assert kiosk.asked == []

    @staticmethod
    def post(address: str, length: int) -> str:
        host = address.removeprefix("http://")
        return f"POST /api/button HTTP/1.1\r\nHost: {host}\r\nOrigin: {address}\r\nContent-Length: {length}\r\n\r\n"
