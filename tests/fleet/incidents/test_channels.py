"""Mails and webhooks over real sockets: what leaves, what is refused, and what never gets sent anywhere."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import channels
from fleet.addresses import email_fault, ip_fault, url_fault
from fleet.channels import Mail, NotTaken, Webhook
from fleet.clock import SystemClock
from fleet.errors import SettingsUnusable
from fleet.notice_settings import Smtp, WebhookRules
from fleet.webhook_keys import FILE, rotate, signature, webhook_secrets
from lab.sinks import MailSink, WebhookSink, in_thread
from tests.broker import free_port
from tests.fleet.incidents.test_no_student import URL, notice

TO = "it@school.example"
PRIVATE = WebhookRules(allow_private=True)


@pytest.fixture
def mails() -> Iterator[MailSink]:
    sink = MailSink()
    with in_thread(sink):
        yield sink


@pytest.fixture
def hooks() -> Iterator[WebhookSink]:
    sink = WebhookSink()
    with in_thread(sink):
        yield sink


def smtp(sink: MailSink, **more: object) -> Smtp:
    return Smtp.model_validate(
        {"host": "127.0.0.1", "port": sink.port, "security": "none", "sender": "Carrel <carrel@school.example>"} | more
    )


def hook(folder: Path, rules: WebhookRules = PRIVATE) -> Webhook:
    return Webhook(rules, folder, SystemClock())


# Mail


def test_a_mail_says_what_where_since_when_and_where_to_go(mails: MailSink) -> None:
    Mail(smtp(mails), SystemClock()).send(notice(), TO, URL)
    [one] = mails.mails
    assert (one.sender, one.recipients) == ("carrel@school.example", (TO,))
    assert one.message["Subject"] == "Needs a hand: Room 12: The desk camera is covered."
    assert one.message["Message-ID"] == "<n-1@school.example>"
    assert one.message["Auto-Submitted"] == "auto-generated"
    for told in ("kiosk lincoln-12, campus lincoln", "Since 15:00 on Monday 2026-11-23", URL):
        assert told in one.text


@pytest.mark.parametrize(("answer", "final"), [("550 no such mailbox", True), ("451 later, please", False)])
def test_a_refusal_is_for_ever_or_for_now(mails: MailSink, answer: str, final: bool) -> None:
    mails.refuse.append(answer)
    with pytest.raises(NotTaken, match=answer[4:]) as caught:
        Mail(smtp(mails), SystemClock()).send(notice(), TO, URL)
    assert caught.value.final is final
    assert mails.mails == []


def test_a_mail_server_that_is_not_there_is_named() -> None:
    gone = smtp(MailSink(port=free_port()))
    with pytest.raises(NotTaken, match=f"127.0.0.1:{gone.port} cannot be used") as caught:
        Mail(gone, SystemClock()).send(notice(), TO, URL)
    assert not caught.value.final


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, which is its own authority, and one that is for another name."""
    folder = tmp_path_factory.mktemp("papers")
    for name, san in (("here", "IP:127.0.0.1,DNS:localhost"), ("elsewhere", "DNS:mail.example")):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        told = ["-days", "2", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"]
        subprocess.run(
            [*command, *told, "-addext", f"subjectAltName={san}"], cwd=folder, check=True, capture_output=True
        )
    return folder


def certified(papers: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / f"{name}.pem", papers / f"{name}.key")
    return context


@pytest.mark.parametrize(
    ("served", "trusted", "arrives"), [("here", "here", True), ("here", None, False), ("elsewhere", "elsewhere", False)]
)
def test_starttls_is_verified(papers: Path, served: str, trusted: str | None, arrives: bool) -> None:
    sink = MailSink(tls=certified(papers, served))
    with in_thread(sink):
        ca = papers / f"{trusted}.pem" if trusted else None
        mail = Mail(smtp(sink, security="starttls", ca=ca), SystemClock())
        if arrives:
            mail.send(notice(), TO, URL)
        else:
            with pytest.raises(NotTaken, match="certificate"):
                mail.send(notice(), TO, URL)
        assert len(sink.mails) == arrives


def test_a_server_without_starttls_gets_nothing_in_clear(mails: MailSink) -> None:
    with pytest.raises(NotTaken, match="STARTTLS"):
        Mail(smtp(mails, security="starttls"), SystemClock()).send(notice(), TO, URL)
    assert mails.mails == []


def test_f7_a_password_that_others_may_read_is_not_used(mails: MailSink, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")
    secret.chmod(0o644)
    with pytest.raises(NotTaken, match=f"chmod 600 {secret}"):
        Mail(smtp(mails, username="carrel", password_file=secret), SystemClock()).send(notice(), TO, URL)
    assert mails.mails == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"host": "mail.example", "security": "none", "sender": TO}, "this machine only"),
        ({"host": "mail.example", "sender": "nobody"}, "write it as"),
        ({"host": "mail.example", "sender": TO, "username": "x"}, "belong together"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(told: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Smtp.model_validate(told)


# Webhooks


def test_a_webhook_is_signed_as_standard_webhooks_has_it(hooks: WebhookSink, tmp_path: Path) -> None:
    before = int(time.time())
    hook(tmp_path).send(notice(), hooks.url, URL)
    [one] = hooks.calls
    assert (one.headers["webhook-id"], one.headers["content-type"]) == ("n-1", "application/json")
    assert before <= int(one.headers["webhook-timestamp"]) <= int(time.time())
    secret = base64.b64decode(webhook_secrets(tmp_path)[0].removeprefix("whsec_"))
    signed = f"n-1.{one.headers['webhook-timestamp']}.".encode() + one.body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert one.headers["webhook-signature"] == f"v1,{expected}"
    assert one.told["type"] == "incident.opened"
    assert one.told["data"]["text"] == "The desk camera is covered."
    assert one.told["data"]["url"] == URL


def test_the_signature_of_the_specifications_own_example() -> None:
    # The example of the reference libraries (standard-webhooks/standard-webhooks, README of the specification).
    key, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    told = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, (key,))
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_secrets_are_exchanged_both_sign(hooks: WebhookSink, tmp_path: Path) -> None:
    [old] = webhook_secrets(tmp_path)
    new, kept = rotate(tmp_path)
    assert kept == old != new
    hook(tmp_path).send(notice(), hooks.url, URL)
    assert len(hooks.calls[0].headers["webhook-signature"].split()) == 2
    rotate(tmp_path)
    assert old not in webhook_secrets(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_f7_a_webhook_secret_that_others_may_read_is_not_used(hooks: WebhookSink, tmp_path: Path) -> None:
    webhook_secrets(tmp_path)
    (tmp_path / FILE).chmod(0o640)
    with pytest.raises(NotTaken, match="chmod 600"):
        hook(tmp_path).send(notice(), hooks.url, URL)
    (tmp_path / FILE).chmod(0o600)
    (tmp_path / FILE).write_text("hello\n")
    with pytest.raises(SettingsUnusable, match="webhook-secret --new"):
        webhook_secrets(tmp_path)
    assert hooks.calls == []


@pytest.mark.parametrize(("status", "final"), [(500, False), (404, False), (429, False), (410, True)])
def test_what_is_not_taken_is_said(hooks: WebhookSink, tmp_path: Path, status: int, final: bool) -> None:
    hooks.status = status
    with pytest.raises(NotTaken, match=str(status)) as caught:
        hook(tmp_path).send(notice(), hooks.url, URL)
    assert caught.value.final is final


def test_h10_no_redirect_is_followed(hooks: WebhookSink, tmp_path: Path) -> None:
    hooks.status, hooks.location = 307, hooks.url.replace("/hook", "/elsewhere")
    with pytest.raises(NotTaken, match="no redirect"):
        hook(tmp_path).send(notice(), hooks.url, URL)
    assert [one.path for one in hooks.calls] == ["/hook"]


def test_h10_a_name_that_leads_inside_is_not_asked(hooks: WebhookSink, tmp_path: Path) -> None:
    url = f"https://localhost:{hooks.port}/hook"
    assert url_fault(url, allow_private=False) is None, "a name tells nothing"
    with pytest.raises(NotTaken, match="private address") as caught:
        hook(tmp_path, WebhookRules()).send(notice(), url, URL)
    assert caught.value.final
    assert hooks.calls == []


def test_h10_a_name_with_one_address_inside_is_not_asked_at_all(
    hooks: WebhookSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443)),
        ]

    monkeypatch.setattr(channels.socket, "getaddrinfo", resolved)  # type: ignore[attr-defined]  # no name leads there
    with pytest.raises(NotTaken, match=r"169\.254\.169\.254"):
        hook(tmp_path).send(notice(), "https://hooks.example/x", URL)


def test_a_receiver_that_trickles_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "WITHIN_S", 0.5)
    sink = WebhookSink(silent=True)
    with in_thread(sink), pytest.raises(NotTaken, match="cannot be reached"):
        hook(tmp_path).send(notice(), sink.url, URL)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/shadow",
        "ftp://hooks.example/",
        "http://hooks.example/",
        "https://",
        "https://user:word@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example:99999/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://hooks.example/ x",
        "https://hooks.example/\r\nHost: evil",
        "gopher://x",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_h10_addresses_that_no_webhook_may_have(url: str, allow_private: bool) -> None:
    assert url_fault(url, allow_private=allow_private) is not None


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://10.0.0.5/", "https://[::1]/", "https://[fd00::5]/", "https://[::ffff:10.1.2.3]/"],
)
def test_h10_private_addresses_are_a_setting(url: str) -> None:
    assert url_fault(url, allow_private=False) is not None
    assert url_fault(url, allow_private=True) is None


@given(st.ip_addresses())
def test_h10_only_what_the_internet_routes_is_asked_without_the_setting(address: object) -> None:
    found = ip_address(str(address))
    if ip_fault(found, allow_private=False) is None:
        assert found.is_global
        assert not found.is_multicast
        assert ip_fault(found, allow_private=True) is None


@given(st.text(max_size=80))
def test_a_mail_address_has_nothing_that_a_header_could_end_with(text: str) -> None:
    if email_fault(text) is None:
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' ,;:<>"()[]\\\r\n')
        assert text.count("@") == 1


def test_the_body_is_the_signed_text_whatever_is_in_it(hooks: WebhookSink, tmp_path: Path) -> None:
    hook(tmp_path).send(notice(room="Küche 😀"), hooks.url, URL)
    assert json.loads(hooks.calls[0].body)["data"]["room"] == "Küche 😀"
