"""What the fleet asks of a campus's authority, and the answer: one line of JSON each way over a Unix socket."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from wire.ids import Id

MOST_LINE_BYTES: Final = 32_768
PROOF_CONTEXT: Final = b"carrel renewal v1\n"
"""What stands before the new request when the old key signs for it: such a signature is of use for nothing else."""

Pem = Annotated[str, StringConstraints(max_length=8_192)]


class SignAsk(BaseModel):
    """A request to the authority."""

    model_config = ConfigDict(frozen=True)

    do: Literal["sign", "renew", "revoke"]
    campus: Id
    kiosk: Id
    csr: Pem = ""
    """PKCS #10 in PEM; to sign and renew."""
    certificate: Pem = ""
    """The one that is to be renewed, in PEM."""
    proof: Annotated[str, StringConstraints(max_length=1_024)] = ""
    """Base64 of an ECDSA signature, SHA-256, by the old key over `PROOF_CONTEXT` and the new request in DER."""
    replace: bool = False
    """To sign: a person said that this is the kiosk now, and what another key holds for it is to be revoked."""


class SignAnswer(BaseModel):
    """The authority's answer: a certificate, or a refusal in words."""

    model_config = ConfigDict(frozen=True)

    refused: str | None = None
    clone: bool = False
    """Refused because somebody else has, or had, what only this kiosk can have."""
    chain: str = ""
    """The kiosk's certificate and its authority's, in PEM."""
    not_after: AwareDatetime | None = None
