"""The kiosk's side of tus 1.0 over the standard library's HTTP: one connection, paced pieces, no redirects.

Everything here blocks and runs in the uploader's own thread.
"""

import base64
import binascii
import hashlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from device.errors import UploadTrouble
from device.settings import LOOPBACK
from wire.codec import read
from wire.errors import BadPayload
from wire.uploads import RECEIPT_HEADER, TUS_TYPE, TUS_VERSION, Receipt

WITHIN_S: Final = 15.0
"""How long the fleet may take for one step of an answer."""
_PIECE_BYTES: Final = 8 * 1024
_SEND_BUFFER_BYTES: Final = 64 * 1024
"""No more than this waits in the kernel: what is queued there would go before anything live."""
_MOST_ANSWER_BYTES: Final = 64 * 1024

_REFUSED: Final = {
    401: "ticket-over", 403: "ticket-over", 404: "no-upload", 409: "other-offset", 410: "destroyed", 413: "too-long",
    422: "other-hash", 423: "locked", 460: "checksum", 507: "fleet-full",
}  # fmt: skip
"""Status to a short stable word."""


def allowed(url: str, hosts: Collection[str]) -> str:
    """`url`, if recordings may be sent there: a host of the settings, encrypted unless it is this machine.

    Raises:
        UploadTrouble: `other-host`; a broker that lies must not lead recordings away, sealed as they are.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UploadTrouble("other-host", "the fleet named no usable address") from error
    if host not in hosts:
        words = f"the fleet named the host {host[:80]!r}, which is not in [upload] allowed_hosts of kiosk.toml"
        raise UploadTrouble("other-host", words)
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise UploadTrouble(
            "other-host", f"the fleet named {parts.scheme[:20]}://{host}, and only https:// may be used"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UploadTrouble("other-host", "the fleet named an address with more in it than a place")
    return url


class UploadClient:
    """One upload: where it is, and how fast it may go.

    Args:
        url: as `allowed` gave it; the upload is at `url`/`segment`.
        token: the ticket's.
        segment: its id.
        ca: whom to trust, beside https only; None trusts the system's authorities.
        rate_bps: asked before each few kilobytes.
    """

    def __init__(self, url: str, token: str, segment: str, ca: Path | None, rate_bps: Callable[[], float]) -> None:
        parts = urlsplit(url)
        self._host, self._base, self._segment = parts.hostname or "", parts.path.rstrip("/"), segment
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._context = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self._token, self._rate_bps = token, rate_bps
        self._connection: http.client.HTTPConnection | None = None
        self._stopped = threading.Event()
        self._owed_s = 0.0
        self.answered_s = 0.0
        """From the last byte of the last piece to its answer: what lay in the line's queues, and the fleet's time."""

    def held(self) -> tuple[int, Receipt | None]:
        """Up to where the fleet has it durably, and its receipt if it has it whole; creates the upload if need be.

        Raises:
            UploadTrouble: with the reason as a word.
        """
        try:
            answer = self._ask("HEAD", f"/{self._segment}")
        except UploadTrouble as trouble:
            if trouble.reason != "no-upload":
                raise
            return 0, None
        return _offset(answer), _receipt(answer)

    def create(self, size_bytes: int) -> None:
        """Begin it; raises `UploadTrouble`."""
        self._ask("POST", "", {"Upload-Length": str(size_bytes)})

    def send(self, offset: int, data: bytes) -> tuple[int, Receipt | None]:
        """Send the next piece, no faster than allowed; the new offset, and the receipt after the last one.

        Raises:
            UploadTrouble: with the reason as a word; what was acknowledged before stays.
        """
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        told = {"Content-Type": TUS_TYPE, "Upload-Offset": str(offset), "Upload-Checksum": f"sha256 {checksum}"}
        answer = self._ask("PATCH", f"/{self._segment}", told, data)
        return _offset(answer), _receipt(answer)

    def end(self) -> None:
        """Tell the fleet to let go what it has of it; raises `UploadTrouble`."""
        self._ask("DELETE", f"/{self._segment}")

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def stop(self) -> None:
        """End whatever it does, from another thread."""
        self._stopped.set()
        connection = self._connection
        sock = connection.sock if connection is not None else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was not connected any more

    def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> http.client.HTTPMessage:
        try:
            connection = self._connected()
            connection.putrequest(method, f"{self._base}{path}", skip_accept_encoding=True)
            for name, value in {
                "Tus-Resumable": TUS_VERSION, "Authorization": f"Bearer {self._token}",
                "Content-Length": str(len(body)), **(headers or {}),
            }.items():  # fmt: skip
                connection.putheader(name, value)
            connection.endheaders()
            self._pour(connection, body)
            sent_s = time.monotonic()
            answer = connection.getresponse()
            self.answered_s = time.monotonic() - sent_s
            told = answer.read(_MOST_ANSWER_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise UploadTrouble("unreachable", f"the fleet cannot be reached to send recordings: {error}") from error
        if answer.will_close or len(told) == _MOST_ANSWER_BYTES:
            self.close()
        if answer.status not in {200, 201, 204}:
            reason = _REFUSED.get(answer.status, "refused")
            raise UploadTrouble(reason, f"the fleet answers {answer.status} to a recording: {_words(told)}")
        return answer.headers

    def _connected(self) -> http.client.HTTPConnection:
        if self._stopped.is_set():
            raise OSError("stopped")
        if self._connection is None:
            made = (
                http.client.HTTPSConnection(self._host, self._port, timeout=WITHIN_S, context=self._context)
                if self._context
                else http.client.HTTPConnection(self._host, self._port, timeout=WITHIN_S)
            )
            made.connect()
            assert made.sock is not None
            made.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = made
        return self._connection

    def _pour(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        for start in range(0, len(body), _PIECE_BYTES):
            piece = body[start : start + _PIECE_BYTES]
            if self._stopped.wait(self._owed_s):  # before a piece, so that no wait of ours is in the answer's time
                raise OSError("stopped")
            connection.send(piece)
            self._owed_s = len(piece) * 8 / self._rate_bps()


def _offset(headers: http.client.HTTPMessage) -> int:
    text = headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UploadTrouble("refused", "the fleet does not say up to where it has a recording")
    return int(text)


def _receipt(headers: http.client.HTTPMessage) -> Receipt | None:
    text = headers.get(RECEIPT_HEADER)
    if text is None:
        return None
    try:
        return read(Receipt, base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, BadPayload) as error:
        raise UploadTrouble("bad-receipt", f"the fleet's receipt cannot be read: {error}") from error


def _words(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        return "without a reason"
    return str(told.get("detail", ""))[:200] if isinstance(told, dict) else "without a reason"
