"""How a notice leaves: as a mail, or as a signed webhook. Each call ends in time, whatever the other side does."""

import http.client
import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from fleet.addresses import ip_fault, url_fault
from fleet.clock import Clock
from fleet.errors import FleetError, SettingsUnusable
from fleet.notice_settings import Smtp, WebhookRules
from fleet.notice_words import letter, payload
from fleet.notices import Notice
from fleet.secret_files import read_secret
from fleet.webhook_keys import signature, webhook_secrets

WITHIN_S: Final = 20.0
_STEP_S: Final = 8.0
_MOST_ADDRESSES: Final = 2
_OK: Final = range(200, 300)


class NotTaken(FleetError):
    """The other side did not take it; `final` when it never will."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Port(Protocol):
    """A way out."""

    def send(self, notice: Notice, address: str, url: str, /) -> None:
        """Hand it over; returns when the other side took it, raises `NotTaken`."""


class Mail:
    """By the district's mail server.

    A mail server that took a mail and was not heard any more gets it again: mail knows no other way. Both carry the
    same Message-ID, by which mailboxes may know them as one.
    """

    def __init__(self, settings: Smtp, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    def send(self, notice: Notice, address: str, url: str) -> None:
        """See `Port`."""
        of = self._settings
        try:
            password = read_secret(of.password_file, "the mail password") if of.password_file else None
            with _server(of) as server:
                if of.username is not None and password is not None:
                    server.login(of.username, password)
                server.send_message(self._mail(notice, address, url))
        except SettingsUnusable as error:
            raise NotTaken(str(error)) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, refusal = next(iter(error.recipients.values()))
            raise NotTaken(f"the mail server refuses {address}: {code} {_said(refusal)}", final=code >= 500) from error
        except smtplib.SMTPResponseException as error:
            final = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
            words = f"the mail server refuses it: {error.smtp_code} {_said(error.smtp_error)}"
            raise NotTaken(words, final=final) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotTaken(f"the mail server {of.host}:{of.port} cannot be used: {_why(error)}") from error

    def _mail(self, notice: Notice, address: str, url: str) -> EmailMessage:
        told = letter(notice, url)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._settings.sender, address, told.subject
        mail["Date"] = format_datetime(self._clock.now().at)
        mail["Message-ID"] = f"<{notice.id}@{parseaddr(self._settings.sender)[1].rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        if notice.incident is not None:
            mail["X-Carrel-Incident"] = notice.incident
        mail.set_content(told.text)
        return mail


class Webhook:
    """To a program, signed, by the address that was looked at and no other; no redirect is followed."""

    def __init__(self, rules: WebhookRules, data_dir: Path, clock: Clock) -> None:
        self._rules, self._data_dir, self._clock = rules, data_dir, clock

    def send(self, notice: Notice, address: str, url: str) -> None:
        """See `Port`. The receiver knows a notice that comes again by its `webhook-id`."""
        fault = url_fault(address, allow_private=self._rules.allow_private)
        if fault is not None:
            raise NotTaken(f"{address}: {fault}", final=True)
        body = json.dumps(payload(notice, url), ensure_ascii=False).encode()
        timestamp_s = int(self._clock.now().at.timestamp())
        try:
            signed = signature(notice.id, timestamp_s, body, webhook_secrets(self._data_dir))
            status = self._post(address, body, notice.id, timestamp_s, signed)
        except SettingsUnusable as error:
            raise NotTaken(str(error)) from error
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise NotTaken(f"the receiver cannot be reached: {_why(error)}") from error
        if status not in _OK:
            moved = " (no redirect is followed)" if status in range(300, 400) else ""
            raise NotTaken(f"the receiver answered {status}{moved}", final=status == http.HTTPStatus.GONE)

    def _post(self, address: str, body: bytes, id_: str, timestamp_s: int, signed: str) -> int:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        connection = http.client.HTTPConnection(host, port, timeout=_STEP_S)
        connection.sock = _reached(host, port, self._rules)
        try:
            with _limited(lambda: connection.sock):
                if parts.scheme == "https":
                    context = _trusting(self._rules.ca)
                    connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                headers = {
                    "Host": parts.netloc,
                    "Content-Type": "application/json",
                    "User-Agent": "carrel-fleet",
                    "webhook-id": id_,
                    "webhook-timestamp": str(timestamp_s),
                    "webhook-signature": signed,
                }
                connection.request("POST", path, body, headers)
                return connection.getresponse().status
        finally:
            connection.close()


def _reached(host: str, port: int, rules: WebhookRules) -> socket.socket:
    """A connection to one of the host's addresses, every one of which may be sent to."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for _, _, _, _, where in found:
        fault = ip_fault(ip_address(str(where[0]).partition("%")[0]), allow_private=rules.allow_private)
        if fault is not None:
            raise NotTaken(f"{host}: {fault}", final=True)
    last: OSError | None = None
    for family, kind, protocol, _, where in found[:_MOST_ADDRESSES]:
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(_STEP_S)
        try:
            sock.connect(where)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last or OSError("the name leads nowhere")


@contextmanager
def _server(of: Smtp) -> Iterator[smtplib.SMTP]:
    context = None if of.security == "none" else _trusting(of.ca)
    if of.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(of.host, of.port, timeout=_STEP_S, context=context)
    else:
        server = smtplib.SMTP(of.host, of.port, timeout=_STEP_S)
    with _limited(lambda: server.sock):
        try:
            if of.security == "starttls":
                server.starttls(context=context)
            yield server
            server.quit()
        finally:
            server.close()


@contextmanager
def _limited(sock: Callable[[], socket.socket | None]) -> Iterator[None]:
    """End the connection after `WITHIN_S`: one that trickles on would never meet a time-out of its single steps."""

    def cut() -> None:
        open_one = sock()
        if open_one is not None:
            try:
                open_one.shutdown(socket.SHUT_RDWR)
            except OSError:  # it was closed in this very moment
                return

    timer = threading.Timer(WITHIN_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _trusting(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca is None else str(ca))


def _said(words: bytes | str) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return " ".join(text.split())[:120]


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
