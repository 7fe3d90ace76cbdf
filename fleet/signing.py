"""Asks a campus's authority to sign: `carrel-provision ca serve`, over its Unix socket. The fleet holds no such key."""

import contextlib
import logging
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from fleet.errors import Unavailable
from wire.signing import MOST_LINE_BYTES, SignAnswer, SignAsk

_log = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 10.0


class Signers:
    """The authorities, by campus."""

    def __init__(self, sockets: Mapping[str, Path]) -> None:
        self._sockets = sockets

    def ask(self, ask: SignAsk) -> SignAnswer:
        """The authority's answer; blocks for seconds at most.

        Raises:
            Unavailable: the campus has no authority here, or it does not answer.
        """
        path = self._sockets.get(ask.campus)
        if path is None:
            raise Unavailable(f"No authority of campus {ask.campus!r} is named under [authorities] of this fleet.")
        try:
            with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as line:
                line.settimeout(ANSWER_WITHIN_S)
                line.connect(str(path))
                line.sendall(ask.model_dump_json().encode() + b"\n")
                with line.makefile("rb") as said:
                    return SignAnswer.model_validate_json(said.readline(MOST_LINE_BYTES))
        except (OSError, ValidationError) as error:
            _log.warning("the authority of %s does not answer at %s: %s", ask.campus, path, error)
            raise Unavailable(f"The authority of campus {ask.campus!r} does not answer; ask again.") from error
