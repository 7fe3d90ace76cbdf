"""What a certificate of this district may be: the checks of a request, and of the names in it. Pure.

The checks come before any signature, because what is signed once is believed everywhere: a broker takes the CN for who
somebody is, and its rights are written with that name in them.
"""

from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.x509.oid import ExtensionOID, NameOID

from provisioning.errors import RequestRefused
from wire.ids import is_id

ROOT_LIVES: Final = timedelta(days=7305)
CAMPUS_LIVES: Final = timedelta(days=3652)
KIOSK_LIVES: Final = timedelta(days=180)
"""Renewed at half of it: a kiosk that was off for a summer of 12 weeks comes back before its end or soon after."""
SERVER_LIVES: Final = timedelta(days=397)
CRL_LIVES: Final = timedelta(days=180)
"""A list past its end makes brokers refuse everybody, and it is made anew daily: so it outlives any summer."""
ROOT_CRL_LIVES: Final = ROOT_LIVES
"""The root lies in a safe: nobody fetches it out only because a list with nothing on it grew old."""
BACKDATED: Final = timedelta(hours=1)
"""So far a kiosk's clock may be behind the authority's."""

SERVICES: Final = "services"
"""The authority of broker and fleet; no campus may be called so."""
RESERVED: Final = "carrel-"
"""Names that begin so are the fleet's own programs."""
MOST_PEM_BYTES: Final = 8_192
_HASHES: Final = (SHA256, SHA384, SHA512)


def check_kiosk_id(campus: str, kiosk: str) -> None:
    """Refuse an id that the authority of `campus` may not name.

    X.509's own name constraints say nothing about a CN, so that this code is the constraint: an id of the contract
    (no `#`, `+`, `/`, NUL), of this campus by its beginning, and none of the fleet's own.

    Raises:
        RequestRefused: the message says why.
    """
    if not is_id(kiosk):
        raise RequestRefused(f"{kiosk[:60]!r} is no kiosk's id: 3 to 40 of a-z, 0-9 and -, no dash at either end")
    if kiosk.startswith(RESERVED):
        raise RequestRefused(f"{kiosk!r}: names that begin with {RESERVED!r} are the fleet's own programs")
    if not kiosk.startswith(f"{campus}-"):
        raise RequestRefused(f"{kiosk!r} is no id of campus {campus!r}: they begin with {campus + '-'!r}")


def checked(pem: str, name: str) -> x509.CertificateSigningRequest:
    """The request in `pem`, if it asks for a certificate of `name` and for nothing else.

    Args:
        pem: PKCS #10 in PEM.
        name: the only common name that it may ask for.

    Raises:
        RequestRefused: the message says what of it does not fit.
    """
    request = _parsed(pem)
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RequestRefused("the key is no ECDSA key on P-256, and no other kind is signed here")
    if not isinstance(request.signature_hash_algorithm, _HASHES):
        raise RequestRefused("the request is signed with a hash that is not believed any more; use SHA-256")
    try:
        own = request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise RequestRefused(f"the request's signature cannot be checked: {error}") from error
    if not own:
        raise RequestRefused("the request is not signed by the key that it names")
    _check_subject(request.subject, name)
    for extension in request.extensions:
        _check_extension(extension)
    return request


def _parsed(pem: str) -> x509.CertificateSigningRequest:
    if len(pem.encode()) > MOST_PEM_BYTES:
        raise RequestRefused(f"a request of more than {MOST_PEM_BYTES} bytes is not read")
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        _ = request.extensions, request.subject, request.public_key()  # parsed when asked for, which is now
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, TypeError) as error:
        raise RequestRefused(f"this is no certificate request in PEM that can be read: {error}") from error
    return request


def _check_subject(subject: x509.Name, name: str) -> None:
    parts = list(subject)
    if len(parts) != 1 or parts[0].oid != NameOID.COMMON_NAME:
        raise RequestRefused(
            f"the subject is {subject.rfc4514_string()[:120]!r}; it has to be CN={name} and nothing more"
        )
    if parts[0].value != name:
        raise RequestRefused(f"the request is for {str(parts[0].value)[:60]!r}, not for {name!r}")


def _check_extension(extension: x509.Extension[x509.ExtensionType]) -> None:
    value = extension.value
    if isinstance(value, x509.BasicConstraints) and value.ca:
        raise RequestRefused("the request asks for the rights of an authority; no kiosk gets them")
    if extension.oid == ExtensionOID.SUBJECT_ALTERNATIVE_NAME:
        raise RequestRefused("the request asks for further names (subjectAltName); a kiosk has one only")
    raise RequestRefused(
        f"the request asks for an extension ({extension.oid.dotted_string}); what stands in a certificate is said here"
    )
