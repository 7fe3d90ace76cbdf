"""The uploader: what it lets go, and when; whom it believes; where it sends (H10), and how fast."""

import asyncio
import base64
import hashlib
import http.client
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from nacl.signing import SigningKey

from device.errors import UploadTrouble
from device.revocation import Gap, revoked
from device.session import states as s
from device.settings import Settings
from device.upload_client import UploadClient, allowed
from device.uploader import Uploader, retry_after_s
from lab.broker import start_broker
from tests.broker import free_port
from tests.device.tiny_fleet import TinyFleet
from tests.device.uploading import SESSION, Running, running_kiosk, settings, shelve
from wire.codec import encode, read
from wire.schedule import Booking, Consent, Schedule
from wire.topics import Channel, Topic
from wire.uploads import Receipt, TicketState, UploadRequest, UploadTicket

FLEET = SigningKey.generate()
KEY = base64.b64encode(bytes(FLEET.verify_key)).decode()
TICKETS = Topic("lincoln", "lincoln-12", Channel.UPLOAD_TICKET)


def signed(asked: UploadRequest, key: SigningKey = FLEET, **change: Any) -> Receipt:
    told = {"kiosk": "lincoln-12", "segment": asked.segment, "hash": asked.hash, "bytes": asked.bytes}
    bare = Receipt.model_validate({**told, "stored_at": datetime.now(UTC).isoformat(), **change})
    signature = base64.b64encode(key.sign(bare.signed_text().encode()).signature).decode()
    return bare.model_copy(update={"signature": signature})


def stored(asked: UploadRequest, receipt: Receipt) -> UploadTicket:
    return UploadTicket(segment=asked.segment, hash=asked.hash, state=TicketState.STORED, receipt=receipt)


class Answering(TinyFleet):
    """A fleet that answers requests to send as a test says."""

    def __init__(self, port: int, answer: Callable[[UploadRequest], UploadTicket]) -> None:
        self.answer, self.asked = answer, list[UploadRequest]()
        super().__init__(port)

    def _take(self, client: Any, data: Any, message: Any) -> None:
        super()._take(client, data, message)
        if Topic.parse(message.topic).channel is Channel.UPLOAD:
            asked = read(UploadRequest, bytes(message.payload))
            self.asked.append(asked)
            self.send(TICKETS, encode(self.answer(asked)))


def scenario(
    folder: Path,
    story: Callable[[Running, Answering], Awaitable[None]],
    answer: Callable[[UploadRequest], UploadTicket],
    receipt_key: str = KEY,
    **upload: Any,
) -> None:
    async def run() -> None:
        broker = await start_broker(folder, free_port())
        try:
            with Answering(broker.port, answer) as fleet:
                async with running_kiosk(settings(folder, broker.port, receipt_key, **upload)) as kiosk:
                    await story(kiosk, fleet)
        finally:
            await broker.stop()

    asyncio.run(run())


def test_with_a_true_receipt_the_row_is_written_and_the_file_let_go(tmp_path: Path) -> None:
    names = [shelve(tmp_path)[0] for _ in range(3)]

    async def story(kiosk: Running, fleet: Answering) -> None:
        await kiosk.until(lambda: not kiosk.on_shelf())
        rows = await kiosk.rows("segment.uploaded")
        assert [row.data["segment"] for row in rows] == [asked.segment for asked in fleet.asked] == names, (
            "oldest first"
        )
        assert {row.session for row in rows} == {SESSION}
        await kiosk.until(lambda: kiosk.vault.holdings.segments == 0)
        assert kiosk.trouble is None
        assert not list((tmp_path / "segments").glob("*.uploaded"))

    scenario(tmp_path, story, lambda asked: stored(asked, signed(asked)))


OTHER = "0c6e1b1e-5d1f-4a57-9f6f-0d7a2f9a4a10"


@pytest.mark.parametrize(
    "make",
    [
        lambda asked: signed(asked, kiosk="lincoln-4"),
        lambda asked: signed(asked, segment=OTHER),
        lambda asked: signed(asked, hash="0" * 64),
        lambda asked: signed(asked, bytes=asked.bytes + 1),
        lambda asked: signed(asked, SigningKey.generate()),
        lambda asked: signed(asked).model_copy(update={"stored_at": "2020-01-01T00:00:00+00:00"}),
        lambda asked: signed(asked).model_copy(update={"signature": ""}),
        lambda asked: signed(asked).model_copy(update={"signature": "///"}),
    ],
    ids=["kiosk", "segment", "hash", "bytes", "key", "stored_at", "unsigned", "no-base64"],
)
def test_no_other_receipt_lets_anything_go(tmp_path: Path, make: Callable[[UploadRequest], Receipt]) -> None:
    name, file = shelve(tmp_path)

    async def story(kiosk: Running, fleet: Answering) -> None:
        await kiosk.until(lambda: kiosk.trouble is not None)
        assert kiosk.trouble == "bad-receipt"
        assert (tmp_path / "segments" / f"{name}.seg").read_bytes() == file
        assert not (tmp_path / "segments" / f"{name}.uploaded").exists()
        assert await kiosk.rows("segment.uploaded") == []
        assert len(fleet.asked) == 1, "and it is not asked for again at once"

    scenario(tmp_path, story, lambda asked: stored(asked, make(asked)))


@pytest.mark.parametrize("reason", ["destroyed", "another-kiosks", "row-unknown"])
def test_a_refusal_deletes_nothing_and_holds_up_only_what_it_is_about(tmp_path: Path, reason: str) -> None:
    bad, _ = shelve(tmp_path)
    good, _ = shelve(tmp_path)

    def answer(asked: UploadRequest) -> UploadTicket:
        if asked.segment == bad:
            refused = TicketState.REFUSED
            return UploadTicket(segment=bad, hash=asked.hash, state=refused, reason=reason)
        return stored(asked, signed(asked))

    async def story(kiosk: Running, fleet: Answering) -> None:
        if reason == "row-unknown":  # the fleet's own trouble: order is kept
            await kiosk.until(lambda: len(fleet.asked) >= 2)
            assert kiosk.on_shelf() == {bad, good}
            assert kiosk.trouble == reason
        else:
            await kiosk.until(lambda: kiosk.on_shelf() == {bad})

    scenario(tmp_path, story, answer)


def test_a_segment_of_which_no_row_tells_holds_up_no_other(tmp_path: Path) -> None:
    async def story(kiosk: Running, fleet: Answering) -> None:
        rowless, _ = shelve(tmp_path)
        late, file = shelve(tmp_path)
        hash_ = hashlib.blake2b(file, digest_size=32).hexdigest()
        data = {"segment": late, "role": "overhead", "ms": 1_000, "bytes": len(file), "hash": hash_}
        await kiosk.journal.append([s.Fact("segment.sealed", data, SESSION, kiosk.kiosk.clock.now())])
        kiosk.uplink.outbox.written()
        await kiosk.until(lambda: kiosk.on_shelf() == {rowless})
        assert [asked.segment for asked in fleet.asked] == [late]

    scenario(tmp_path, story, lambda asked: stored(asked, signed(asked)))


def test_without_a_receipt_key_nothing_is_asked_and_nothing_goes(tmp_path: Path) -> None:
    name, _ = shelve(tmp_path)

    async def story(kiosk: Running, fleet: Answering) -> None:
        await kiosk.until(lambda: kiosk.journal.acked and kiosk.journal.acked == kiosk.journal.head)
        await asyncio.sleep(3)
        assert fleet.asked == []
        assert kiosk.on_shelf() == {name}

    scenario(tmp_path, story, lambda asked: stored(asked, signed(asked)), receipt_key="")


def test_what_a_crash_left_after_the_receipt_is_finished_without_any_link(tmp_path: Path) -> None:
    """Flag without row, and flag with row: the row is written once, the file goes."""
    names = {shelve(tmp_path)[0] for _ in range(2)}
    for name in names:
        (tmp_path / "segments" / f"{name}.uploaded").touch()

    async def run() -> None:
        for _ in range(2):
            async with running_kiosk(settings(tmp_path, free_port(), KEY)) as kiosk:
                await kiosk.until(lambda kiosk=kiosk: not kiosk.on_shelf())  # type: ignore[misc]
                rows = await kiosk.rows("segment.uploaded")
                assert sorted(row.data["segment"] for row in rows) == sorted(names)

    asyncio.run(run())
    name, _ = shelve(tmp_path)
    (tmp_path / "segments" / f"{name}.uploaded").touch()

    async def again() -> None:
        async with running_kiosk(settings(tmp_path, free_port(), KEY)) as kiosk:
            await kiosk.until(lambda: not kiosk.on_shelf())
            assert len(await kiosk.rows("segment.uploaded")) == 3

    asyncio.run(again())


def test_a_broker_that_lies_leads_no_recording_away(tmp_path: Path) -> None:  # H10
    shelve(tmp_path)

    def answer(asked: UploadRequest) -> UploadTicket:
        url = "https://elsewhere.example/api/v1/uploads"
        return UploadTicket(segment=asked.segment, hash=asked.hash, state=TicketState.SEND, url=url, token="t")

    async def story(kiosk: Running, _fleet: Answering) -> None:
        await kiosk.until(lambda: kiosk.trouble == "other-host")
        assert len(kiosk.on_shelf()) == 1

    scenario(tmp_path, story, answer)


HOSTS = frozenset({"fleet.example", "127.0.0.1"})


@pytest.mark.parametrize(
    "url",
    [
        "", "file:///etc/shadow", "http://fleet.example/u", "https://other.example/u", "http://169.254.169.254/u",
        "https://fleet.example@other.example/u", "https://fleet.example.other.example/u", "ftp://127.0.0.1/u",
        "https://me:you@fleet.example/u", "https://fleet.example/u?x=1", "https://fleet.example:99999/u", "//x/u",
        "https://[::1/u", "https://fleet.example\\@other.example/u",
    ],
)  # fmt: skip
def test_no_address_but_the_settings_is_used(url: str) -> None:
    with pytest.raises(UploadTrouble) as refused:
        allowed(url, HOSTS)
    assert refused.value.reason == "other-host"


@pytest.mark.parametrize(
    "url", ["https://fleet.example/api/v1/uploads", "https://FLEET.example:8443/u", "http://127.0.0.1:8000/u"]
)
def test_the_settings_own_are(url: str) -> None:
    assert allowed(url, HOSTS) == url


def test_hosts_are_the_brokers_and_those_that_are_named(tmp_path: Path) -> None:
    told = settings(tmp_path, 1, KEY, allowed_hosts=["Files.Example"]).model_dump()
    told["link"]["urls"] = ["mqtts://Fleet.example:8883"]
    assert Settings.model_validate(told).upload_hosts == {"fleet.example", "files.example"}
    with pytest.raises(ValueError, match="receipt-key"):
        settings(tmp_path, 1, "AAAA")


class _Odd(BaseHTTPRequestHandler):
    """Answers as no fleet would."""

    status, answers, went = 204, dict[str, str](), list[str]()

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.went.append(self.path)
        self.send_response(self.status)
        for name, value in self.answers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass


@pytest.mark.parametrize(
    ("status", "answers", "reason"),
    [
        (204, {}, "refused"),
        (204, {"Upload-Offset": "-5"}, "refused"),
        (204, {"Upload-Offset": "5", "Carrel-Receipt": "no"}, "bad-receipt"),
        (302, {"Location": "http://169.254.169.254/"}, "refused"),
        (507, {}, "fleet-full"),
        (401, {}, "ticket-over"),
        (500, {}, "refused"),
    ],
)
def test_what_the_fleet_answers_is_judged(status: int, answers: dict[str, str], reason: str) -> None:
    class Odd(_Odd):
        pass

    Odd.status, Odd.answers, Odd.went = status, answers, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        client = UploadClient(f"http://127.0.0.1:{server.server_port}/u", "t", OTHER, None, lambda: 1e9)
        with pytest.raises(UploadTrouble) as refused:
            client.send(0, b"12345")
        client.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert refused.value.reason == reason
    assert Odd.went == [f"/u/{OTHER}"], "no redirect is followed"


def test_over_https_only_our_authority_is_believed(tmp_path: Path) -> None:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    for name in ("ours", "theirs"):
        subprocess.run(
            ["openssl", "req", "-x509", *curve, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}",
             "-addext", "subjectAltName=IP:127.0.0.1"], cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip

    class Odd(_Odd):
        pass

    Odd.status, Odd.answers, Odd.went = 204, {"Upload-Offset": "5"}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ours.pem", tmp_path / "ours.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda _request, _address: None  # type: ignore[method-assign, assignment]  # a refused handshake
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"https://127.0.0.1:{server.server_port}/u"
    try:
        client = UploadClient(allowed(url, HOSTS), "t", OTHER, tmp_path / "ours.pem", lambda: 1e9)
        assert client.send(0, b"12345") == (5, None)
        client.close()
        for ca in (tmp_path / "theirs.pem", None):
            with pytest.raises(UploadTrouble) as refused:
                UploadClient(url, "t", OTHER, ca, lambda: 1e9).send(0, b"12345")
            assert refused.value.reason == "unreachable"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert len(Odd.went) == 1


def test_no_faster_than_allowed_and_stopped_at_once() -> None:
    """The rate by counting what was let through, not by a clock: pieces wait for as long as they last."""
    waits: list[float] = []

    class Slow(UploadClient):
        def _connected(self) -> http.client.HTTPConnection:
            raise OSError("nowhere")

    client = Slow("http://127.0.0.1:9/u", "t", OTHER, None, lambda: 256_000.0)
    client._stopped.wait = lambda timeout=None: bool(waits.append(timeout or 0.0))  # type: ignore[method-assign, func-returns-value]
    sent: list[bytes] = []
    connection = http.client.HTTPConnection("127.0.0.1", 9)
    connection.send = sent.append  # type: ignore[method-assign, assignment]
    client._pour(connection, b"x" * 64_000)
    client._pour(connection, b"x")  # the last piece's wait comes before the next one
    assert sum(len(piece) for piece in sent) == 64_001
    assert sum(waits) == pytest.approx(2.0)
    assert max(len(piece) for piece in sent) <= 8 * 1024


def test_waits_grow_to_two_minutes_and_are_spread() -> None:
    for failures, most_s in ((1, 2.0), (3, 8.0), (50, 120.0)):
        found = [retry_after_s(failures) for _ in range(300)]
        assert 0 <= min(found) < most_s / 4
        assert most_s * 0.75 < max(found) <= most_s


# Consent


def booked(student: str, revoked_at: datetime | None) -> Schedule:
    now = datetime.now(UTC)
    booking = Booking(
        id="a-booking", start=now, planned_ms=60_000, therapist="a-therapist", students=(student,), record="always",
        consents=(Consent(student=student, revoked_at=revoked_at),),
    )  # fmt: skip
    return Schedule(revision=1, as_of=now, bookings=(booking,))


def test_a_consent_taken_back_counts_from_then_on_until_another_is_given() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    one, two = (booked("s-0418", at + timedelta(hours=n)) for n in (1, 0))
    both = one.model_copy(update={"bookings": (*one.bookings, *two.bookings)})
    assert revoked(both) == {"s-0418": (Gap(at), Gap(at + timedelta(hours=1)))}
    assert revoked(booked("s-0418", None)) == revoked(None) == {}
    again = Consent(student="s-0418", since=at + timedelta(hours=2))
    without = Schedule(revision=2, as_of=at, consents=(Consent(student="s-0418", revoked_at=at), again))
    assert revoked(without) == {"s-0418": (Gap(at, at + timedelta(hours=2)),)}, "no booking is needed for that"


@pytest.mark.parametrize(
    ("begins_h", "lasts_h", "goes"), [(-2, 1, False), (-2, 2.5, True), (0.5, 1, True), (1.5, 5, True), (2, 1, False)]
)
def test_what_reaches_into_the_time_without_consent_goes_and_nothing_else(
    begins_h: float, lasts_h: float, goes: bool
) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    start = at + timedelta(hours=begins_h)
    assert Gap(at, at + timedelta(hours=2)).overlaps(start, start + timedelta(hours=lasts_h)) is goes


@pytest.mark.parametrize("something_is_being_sent", [False, True])
def test_what_was_recorded_after_a_consent_was_taken_back_is_destroyed_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, something_is_being_sent: bool
) -> None:
    """Neither does it wait for a sending, which takes minutes in a session."""

    async def for_ever(_uploader: Uploader) -> float:
        await asyncio.Event().wait()
        return 0.0

    if something_is_being_sent:
        monkeypatch.setattr(Uploader, "_turn", for_ever)
    now = datetime.now(UTC)
    old, _ = shelve(tmp_path, session="before")
    new, _ = shelve(tmp_path, session="after")

    async def run() -> None:
        async with running_kiosk(settings(tmp_path, free_port(), KEY)) as kiosk:
            for session, student in (("before", "s-0502"), ("after", "s-0418")):
                data = {"by": "button", "students": [student]}
                fact = s.Fact("session.started", data, session, kiosk.kiosk.clock.now())
                await kiosk.journal.append([fact])
            kiosk.kiosk.post(s.ScheduleSet(booked("s-0418", now - timedelta(minutes=1))))
            await kiosk.until(lambda: new not in kiosk.on_shelf())
            await asyncio.sleep(0.2)
            (row,) = await kiosk.rows("segment.destroyed")
            assert (row.data["segment"], row.data["reason"], row.session) == (new, "consent-revoked", "after")
            assert kiosk.on_shelf() == {old}

    asyncio.run(run())
