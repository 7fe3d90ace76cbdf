"""`carrel-kiosk enrol`: from a claim to an identity, whatever is cut in between."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from device.errors import IdentityTrouble
from device.identity.asking import ENROL, ask
from device.identity.folder import Identity
from device.settings import Settings
from wire.claims import EnrolAnswer, EnrolAsk, Token

SERIAL: Final = Path("/proc/device-tree/serial-number")
ASK_EVERY_S: Final = 3.0
LONGEST_WAIT_S: Final = 60.0


class ClaimFile(BaseModel):
    """What the bundle left for this kiosk."""

    model_config = ConfigDict(extra="ignore")

    token: Token


def serial_number(path: Path = SERIAL) -> str:
    """The Raspberry Pi's serial number; `unknown` on a machine without one, which no claim for a serial lets in."""
    try:
        return path.read_text().strip("\x00 \n") or "unknown"
    except OSError:
        return "unknown"


def enrol(settings: Settings, claim: Path, say: Callable[[str], None], within_s: float, serial: str) -> None:
    """Ask until there is an identity; the claim's file is then gone.

    Raises:
        IdentityTrouble: refused, or not decided within `within_s`; the same key asks again next time.
    """
    of = settings.kiosk
    identity = Identity(settings.data_dir, of.id)
    if identity.mended():
        say(f"{of.id} is enrolled already")
        return
    if not settings.network.fleet_url:
        raise IdentityTrouble("kiosk.toml does not say where the fleet is; set fleet_url under [network]")
    question = EnrolAsk(token=_token(claim), campus=of.campus, kiosk=of.id, serial=serial, csr=identity.wanted())
    until, said, wait_s = time.monotonic() + within_s, "", ASK_EVERY_S
    while True:
        answer, told = _asked(settings, question)
        if answer is not None and answer.state == "approved":
            identity.take(answer.chain)
            claim.unlink(missing_ok=True)
            say(f"{of.id} is enrolled")
            return
        wait_s = ASK_EVERY_S if answer else min(wait_s * 2, LONGEST_WAIT_S)
        if told != said:
            said = told
            say(told)
        if time.monotonic() + wait_s > until:
            raise IdentityTrouble(f"not decided within {within_s:g} s: {told}")
        time.sleep(wait_s)


def _asked(settings: Settings, question: EnrolAsk) -> tuple[EnrolAnswer | None, str]:
    """The fleet's answer, None where there is none yet, and what to say of it; raises `IdentityTrouble` if refused."""
    try:
        answer = ask(settings.network.fleet_url, ENROL, question, settings.link.ca)
    except IdentityTrouble as error:
        if not error.again:
            raise
        return None, str(error)
    if answer.state == "refused":
        raise IdentityTrouble(f"the fleet refused {question.kiosk}: {answer.reason}")
    return answer, f"code {answer.code}: {question.kiosk} waits to be approved at the fleet. {answer.reason}"


def _token(claim: Path) -> str:
    try:
        return ClaimFile.model_validate(json.loads(claim.read_text())).token
    except (OSError, ValueError, ValidationError) as error:
        why = error.strerror if isinstance(error, OSError) else 'it is no {"token": "…"}'
        raise IdentityTrouble(f"{claim}: no claim can be read: {why}") from error
