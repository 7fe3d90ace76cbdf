"""Renews the certificate at half of its life, long before it matters; a kiosk back from a summer at once."""

import asyncio
import base64
import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device.errors import IdentityTrouble
from device.identity.asking import RENEW, ask
from device.identity.folder import Identity
from device.session.clock import Instant
from device.settings import Settings
from wire.claims import RenewAsk
from wire.ledger import ClockTrust
from wire.signing import PROOF_CONTEXT

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 600.0
RETRY_S: Final = (900.0, 86_400.0)
"""After a failure a quarter of an hour, twice as long after each further one, a day at most."""
JITTER: Final = 0.1
"""Kiosks enrolled on one morning are renewed over a tenth of their life, and not on one morning."""


def due_at(begins: datetime, ends: datetime, share: float) -> datetime:
    """When a certificate is renewed: at half of its life, and up to a tenth of it earlier by `share`, 0 to 1. Pure."""
    life = ends - begins
    return begins + life / 2 - life * JITTER * share


def retry_after_s(failures: int) -> float:
    """How long after so many failures in a row, from 1. Pure."""
    first, most = RETRY_S
    return min(most, first * 2.0 ** min(failures - 1, 10))


class Renewal:
    """Keeps one kiosk's certificate young; does nothing where its papers are not in its own folder.

    Args:
        settings: the kiosk's.
        now: its clock.
        on_new: told when there is a new certificate; the next connection uses it.
    """

    def __init__(self, settings: Settings, now: Callable[[], Instant], on_new: Callable[[], None]) -> None:
        self._settings, self._now, self._on_new = settings, now, on_new
        self._identity = Identity(settings.data_dir, settings.kiosk.id)
        self._share = random.random()  # noqa: S311  # spreads a campus, keeps no secret
        self.failures = 0

    async def run(self) -> None:
        """Look every ten minutes, until cancelled."""
        if self._settings.link.certificate != self._identity.certificate or not self._settings.network.fleet_url:
            await asyncio.Event().wait()  # papers by hand are renewed by hand
        while True:
            if await asyncio.to_thread(self.look, self._now()):
                self._on_new()
            await asyncio.sleep(retry_after_s(self.failures) if self.failures else LOOK_EVERY_S)

    def look(self, now: Instant) -> bool:
        """Renew, if it is time to and the clock can be believed; whether there is a new certificate."""
        if now.trust is ClockTrust.UNSET:
            return False
        try:
            if not self._identity.mended():
                return False
            held = x509.load_pem_x509_certificate(self._identity.certificate.read_bytes())
            if now.wall < due_at(held.not_valid_before_utc, held.not_valid_after_utc, self._share):
                return False
            self._renew(held)
        except (IdentityTrouble, OSError, ValueError) as error:
            self.failures += 1
            _log.log(logging.WARNING if self.failures == 1 else logging.DEBUG, "no new certificate: %s", error)
            return False
        self.failures = 0
        _log.info("there is a new certificate")
        return True

    def _renew(self, held: x509.Certificate) -> None:
        of, identity = self._settings.kiosk, self._identity
        present = held.public_bytes(Encoding.PEM).decode()
        proof = base64.b64encode(identity.proof(PROOF_CONTEXT)).decode()
        question = RenewAsk(campus=of.campus, kiosk=of.id, certificate=present, csr=identity.wanted(), proof=proof)
        answer = ask(self._settings.network.fleet_url, RENEW, question, self._settings.link.ca)
        if answer.state != "approved":
            raise IdentityTrouble(f"the fleet did not renew: {answer.reason}")
        identity.take(answer.chain)
