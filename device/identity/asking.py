"""Asks the fleet for an identity, or for the next one, over the standard library's HTTP. Blocks."""

import http.client
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from device.errors import IdentityTrouble
from wire.claims import EnrolAnswer

WITHIN_S: Final = 15.0
_MOST_BYTES: Final = 64 * 1024
ENROL: Final = "/api/v1/enrolment"
RENEW: Final = "/api/v1/enrolment/renewal"


def ask(url: str, path: str, question: BaseModel, ca: Path | None) -> EnrolAnswer:
    """What the fleet says.

    Args:
        url: the fleet's own, as `[network] fleet_url` has it.
        path: `ENROL` or `RENEW`.
        question: as the contract has it.
        ca: whom to trust; None trusts the system's authorities.

    Raises:
        IdentityTrouble: no answer, or a refusal; `again` says whether to ask once more.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=WITHIN_S, context=context
            )
        else:
            line = http.client.HTTPConnection(host, parts.port, timeout=WITHIN_S)
        try:
            line.request("POST", path, question.model_dump_json(), {"Content-Type": "application/json"})
            answer = line.getresponse()
            body = answer.read(_MOST_BYTES)
        finally:
            line.close()
    except (OSError, http.client.HTTPException) as error:
        raise IdentityTrouble(f"the fleet at {url} does not answer: {error}", again=True) from error
    if answer.status == http.client.OK:
        try:
            return EnrolAnswer.model_validate_json(body)
        except ValidationError as error:
            raise IdentityTrouble(f"the fleet at {url} said something else than an answer", again=True) from error
    again = answer.status == http.client.TOO_MANY_REQUESTS or answer.status >= http.client.INTERNAL_SERVER_ERROR
    raise IdentityTrouble(f"the fleet at {url} refused ({answer.status}): {_detail(body)}", again=again)


def _detail(body: bytes) -> str:
    class Problem(BaseModel):
        detail: str = ""

    try:
        return Problem.model_validate_json(body).detail[:300]
    except ValidationError:
        return "without a word that can be read"
