"""Keys, certificates and lists as bytes. Pure but for the random numbers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.ca import profile

_SIGNS: Final = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip
_SPEAKS: Final = x509.KeyUsage(
    digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
)  # fmt: skip

Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    """A key on P-256, the one kind of this district."""
    return ec.generate_private_key(ec.SECP256R1())


def root(key: Key, district: str, now: datetime) -> x509.Certificate:
    """The district's root: it signs authorities and nothing else."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{district} kiosks root")])
    builder = _builder(name, name, key.public_key(), now, now + profile.ROOT_LIVES)
    return _authority(builder, key.public_key(), 1).sign(key, hashes.SHA256())


def intermediate(
    issuer: x509.Certificate, issuer_key: Key, public: ec.EllipticCurvePublicKey, name: str, now: datetime
) -> x509.Certificate:
    """The authority of a campus, or of the services.

    A campus's can only make certificates of clients (EKU) and only below its own OU (name constraints), and OpenSSL in
    the broker holds it to that: with the key of a campus nobody becomes a broker, nor the fleet.
    """
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority"),
        ]
    )
    builder = _builder(
        subject, issuer.subject, public, now, min(now + profile.CAMPUS_LIVES, issuer.not_valid_after_utc)
    )
    builder = _authority(builder, public, 0, issuer_key)
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if name == profile.SERVICES:
        uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    below = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, name)]))
    builder = builder.add_extension(x509.NameConstraints([below], None), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def leaf(
    issuer: x509.Certificate,
    issuer_key: Key,
    public: ec.EllipticCurvePublicKey,
    *,
    unit: str,
    name: str,
    now: datetime,
    hosts: Iterable[x509.GeneralName] = (),
) -> x509.Certificate:
    """A certificate of `name` in `unit`: a client's, or with `hosts` a server's."""
    hosts = list(hosts)
    subject = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit), x509.NameAttribute(NameOID.COMMON_NAME, name),
    ])  # fmt: skip
    lives = profile.SERVER_LIVES if unit == profile.SERVICES else profile.KIOSK_LIVES
    builder = _builder(subject, issuer.subject, public, now, min(now + lives, issuer.not_valid_after_utc))
    use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    names = hosts or [x509.UniformResourceIdentifier(f"urn:carrel:{unit}:{name}")]
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SPEAKS, critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def crl(
    issuer: x509.Certificate, issuer_key: Key, revoked: Iterable[tuple[int, datetime]], number: int, now: datetime
) -> x509.CertificateRevocationList:
    """The list of what `issuer` revoked, by serial number and time."""
    is_root = issuer.issuer == issuer.subject
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - profile.BACKDATED)
        .next_update(now + (profile.ROOT_CRL_LIVES if is_root else profile.CRL_LIVES))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for serial, at in revoked:
        row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        builder = builder.add_revoked_certificate(row.build())
    return builder.sign(issuer_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - profile.BACKDATED)
        .not_valid_after(ends)
    )


def _authority(
    builder: x509.CertificateBuilder, public: ec.EllipticCurvePublicKey, below: int, issuer_key: Key | None = None
) -> x509.CertificateBuilder:
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if issuer_key is None:
        return builder
    return builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
    )
