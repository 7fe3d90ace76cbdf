"""What systemd is told: ready, alive, stopping; datagrams of NAME=value lines, as sd_notify(3) has them."""

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

_log = logging.getLogger(__name__)

_MOST_WORDS: Final = 200


class Notifier:
    """Tells the service manager; one that nobody started tells nobody.

    Args:
        address: a socket's path, or an abstract one that begins with `@`; empty: nobody listens.
    """

    def __init__(self, address: str = "") -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._is_deaf = False

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Notifier":
        """As the service manager has set the environment."""
        return cls(environment.get("NOTIFY_SOCKET", ""))

    def ready(self) -> None:
        """Everything runs."""
        self._send("READY=1")

    def alive(self) -> None:
        """The watchdog may wait for another turn."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """It ends, and is meant to."""
        self._send("STOPPING=1")

    def status(self, words: str) -> None:
        """One line, as `systemctl status` shows it."""
        self._send(f"STATUS={' '.join(words.split())[:_MOST_WORDS]}")

    def _send(self, line: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.setblocking(False)  # noqa: FBT003 - its only argument
                sock.sendto(line.encode(), self._address)
        except OSError as error:
            level = logging.DEBUG if self._is_deaf else logging.WARNING
            _log.log(level, "systemd was not told %s: %s", line.partition("=")[0], error.strerror or error)
            self._is_deaf = True
        else:
            self._is_deaf = False
