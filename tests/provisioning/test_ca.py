"""The authorities: what they sign, what they refuse, what they know of what they signed."""

import asyncio
import base64
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.ca import files, issue, making, profile
from provisioning.ca.authority import CRL, REVOKED, Authority
from provisioning.ca.serving import answer, serve
from provisioning.cli import main
from provisioning.errors import AuthorityUnusable, CloneSuspected, RequestRefused
from wire.signing import PROOF_CONTEXT, SignAnswer, SignAsk

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
KIOSK = "lincoln-12"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("safe") / "root"
    making.make_root(folder, "Springfield", NOW, b"said by two people")
    return folder


@pytest.fixture
def lincoln(root: Path, tmp_path: Path) -> Iterator[Authority]:
    making.make_authority(root, tmp_path / "lincoln", "lincoln", NOW, b"said by two people")
    with contextlib.closing(Authority.open(tmp_path / "lincoln")) as authority:
        yield authority


def csr(name: str = KIOSK, key: issue.Key | None = None) -> str:
    return files.pem(request(name).sign(key or issue.new_key(), hashes.SHA256())).decode()


def request(name: str) -> x509.CertificateSigningRequestBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject)


def certificate(chain: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain.encode())[0]


def proof(key: issue.Key, new: str) -> str:
    der = x509.load_pem_x509_csr(new.encode()).public_bytes(serialization.Encoding.DER)
    return base64.b64encode(key.sign(PROOF_CONTEXT + der, ec.ECDSA(hashes.SHA256()))).decode()


def test_a_kiosk_gets_what_is_said_here_and_the_same_again(lincoln: Authority) -> None:
    asked = csr()
    chain = lincoln.sign(KIOSK, asked, NOW)
    made = certificate(chain)
    assert made.subject.rfc4514_string() == "CN=lincoln-12,OU=lincoln"
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:carrel:lincoln:lincoln-12"]
    assert lincoln.sign(KIOSK, asked, NOW + timedelta(minutes=1)) == chain


@pytest.mark.parametrize(
    "name",
    ["#", "+", "lincoln-/", "lincoln-12\x00", "lincoln-" + "1" * 40, "carrel-fleet", "washington-3", "", "Lincoln-1"],
)
def test_m7_names_that_no_kiosk_of_this_campus_has_are_not_signed(lincoln: Authority, name: str) -> None:
    with pytest.raises(RequestRefused):
        lincoln.sign(name, csr(), NOW)


def _rsa() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return files.pem(request(KIOSK).sign(key, hashes.SHA256())).decode()


def _asking_for(extension: x509.ExtensionType) -> str:
    return files.pem(
        request(KIOSK).add_extension(extension, critical=True).sign(issue.new_key(), hashes.SHA256())
    ).decode()


def _more_subject() -> str:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, one) for one in (KIOSK, "carrel-fleet")]
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    return files.pem(built.sign(issue.new_key(), hashes.SHA256())).decode()


def _forged() -> str:
    """A request whose last byte of signature was changed."""
    der = bytearray(x509.load_pem_x509_csr(csr().encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    body = base64.encodebytes(bytes(der)).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: csr("lincoln-13"), "is for 'lincoln-13', not for 'lincoln-12'"),
        (lambda: _asking_for(x509.BasicConstraints(ca=True, path_length=None)), "rights of an authority"),
        (lambda: _asking_for(x509.SubjectAlternativeName([x509.DNSName("fleet.example")])), "further names"),
        (lambda: _asking_for(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])), "asks for an extension"),
        (_rsa, "no ECDSA key on P-256"),
        (lambda: csr(key=ec.generate_private_key(ec.SECP384R1())), "no ECDSA key on P-256"),
        (_more_subject, "and nothing more"),
        (_forged, "not signed by the key"),
        (lambda: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "can be read"),
        (lambda: "x" * 9_000, "more than 8192 bytes"),
    ],
)
def test_x7_a_request_for_more_than_a_kiosk_is_gets_nothing(lincoln: Authority, made: object, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        lincoln.sign(KIOSK, made(), NOW)  # type: ignore[operator]
    with pytest.raises(RequestRefused, match="ever signed"):
        lincoln.revoke(KIOSK, NOW)


def test_a_second_key_for_a_living_kiosk_is_suspected_until_a_person_says_that_it_counts(lincoln: Authority) -> None:
    old = certificate(lincoln.sign(KIOSK, csr(), NOW))
    asked = csr()
    with pytest.raises(CloneSuspected):
        lincoln.sign(KIOSK, asked, NOW)
    lincoln.sign(KIOSK, asked, NOW, replace=True)
    listed = x509.load_pem_x509_crl((lincoln._folder / CRL).read_bytes())
    assert [one.serial_number for one in listed] == [old.serial_number]
    assert (lincoln._folder / REVOKED).read_text() == "", "the kiosk itself is not shut out"


@pytest.mark.parametrize("after_days", [90, 180 + 84, 180 + 400])
def test_a_renewal_needs_the_old_key_and_comes_even_after_a_summer(lincoln: Authority, after_days: int) -> None:
    key = issue.new_key()
    held = lincoln.sign(KIOSK, csr(key=key), NOW)
    asked, now = csr(), NOW + timedelta(days=after_days) - timedelta(hours=2)
    with pytest.raises(RequestRefused, match="not signed by the key of the present"):
        lincoln.renew(KIOSK, held, asked, proof(issue.new_key(), asked), now)
    chain = lincoln.renew(KIOSK, held, asked, proof(key, asked), now)
    assert certificate(chain).not_valid_after_utc > now + timedelta(days=179)
    assert lincoln.renew(KIOSK, held, asked, proof(key, asked), now) == chain, "an answer may have been lost"
    other = csr()
    with pytest.raises(CloneSuspected):
        lincoln.renew(KIOSK, held, other, proof(key, other), now)


def test_nothing_is_renewed_that_is_too_old_revoked_or_not_ours(lincoln: Authority) -> None:
    key = issue.new_key()
    held, asked = lincoln.sign(KIOSK, csr(key=key), NOW), csr()
    again = csr(key=key)
    with pytest.raises(RequestRefused, match="a new key"):
        lincoln.renew(KIOSK, held, again, proof(key, again), NOW)
    with pytest.raises(RequestRefused, match="more than 400 days ago"):
        lincoln.renew(KIOSK, held, asked, proof(key, asked), NOW + timedelta(days=581))
    self_signed = files.pem(issue.root(key, "Springfield", NOW)).decode()
    with pytest.raises(RequestRefused, match="none that 'lincoln' signed"):
        lincoln.renew(KIOSK, self_signed, asked, proof(key, asked), NOW)
    assert lincoln.revoke(KIOSK, NOW) == 1
    with pytest.raises(RequestRefused, match="was revoked"):
        lincoln.renew(KIOSK, held, asked, proof(key, asked), NOW)


def test_an_authority_opens_with_its_own_closed_key_only(root: Path, lincoln: Authority) -> None:
    key = lincoln._folder / "authority.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(AuthorityUnusable, match="chmod 600"):
        Authority.open(lincoln._folder)
    key.write_bytes(files.key_bytes(issue.new_key()))
    key.chmod(0o600)
    with pytest.raises(AuthorityUnusable, match="is not the key of"):
        Authority.open(lincoln._folder)
    with pytest.raises(AuthorityUnusable, match="cannot be opened"):
        making.make_authority(root, lincoln._folder.parent / "b", "washington", NOW, b"guessed")
    with pytest.raises(AuthorityUnusable, match="there already"):
        making.make_root(root, "Springfield", NOW, None)


def test_the_fleet_asks_over_a_socket_and_every_refusal_is_an_answer(lincoln: Authority, tmp_path: Path) -> None:
    path = tmp_path / "ca.sock"

    async def ask(line: bytes) -> SignAnswer:
        reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
        writer.write(line + b"\n")
        said = await reader.readline()
        writer.close()
        return SignAnswer.model_validate_json(said)

    async def story() -> None:
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(lincoln, path, stop))
        async with asyncio.timeout(30):
            while not path.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert path.stat().st_mode & 0o777 == 0o660
        for line in (b"{", b"[]", b"{}", b'{"do":"sign","campus":"lincoln","kiosk":"#","csr":""}', b"[" * 30_000):
            assert (await ask(line)).refused
        said = await ask(SignAsk(do="sign", campus="lincoln", kiosk=KIOSK, csr=csr()).model_dump_json().encode())
        assert said.refused is None
        assert certificate(said.chain).not_valid_after_utc == said.not_after
        again = await ask(SignAsk(do="sign", campus="lincoln", kiosk=KIOSK, csr=csr()).model_dump_json().encode())
        assert again.clone
        stop.set()
        await serving

    asyncio.run(story())
    elsewhere = SignAsk(do="revoke", campus="washington", kiosk=KIOSK)
    assert "not of 'washington'" in str(answer(lincoln, elsewhere.model_dump_json().encode(), NOW).refused)


def test_all_of_it_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*told: object) -> int:
        return main(["ca", *(str(one) for one in told)])

    root, lincoln, services = tmp_path / "root", tmp_path / "lincoln", tmp_path / "services"
    (tmp_path / "phrase").write_text("correct horse\n")
    assert run("init", root, "--district", "Springfield", "--passphrase-file", tmp_path / "phrase") == 0
    for folder in (lincoln, services):
        below = ("--root", root, "--passphrase-file", tmp_path / "phrase")
        assert run("init", folder, "--name", folder.name, *below) == 0
    assert run("init", tmp_path / "x", "--name", "washington") == 1
    assert "needs --root" in capsys.readouterr().err
    (tmp_path / "kiosk.csr").write_text(csr())
    (tmp_path / "broker.csr").write_text(csr("broker.example"))
    assert run("sign", tmp_path / "kiosk.csr", "--name", KIOSK, "--folder", lincoln) == 0
    assert capsys.readouterr().out.count("BEGIN CERTIFICATE") == 2
    told = ("--name", "broker.example", "--host", "broker.example", "--host", "10.0.0.2")
    assert run("sign", tmp_path / "broker.csr", *told, "--folder", services) == 0
    assert run("sign", tmp_path / "broker.csr", *told, "--folder", lincoln) == 1
    assert run("revoke", KIOSK, "--folder", lincoln) == 0
    assert run("crl", "--folder", lincoln) == 0
    assert (lincoln / REVOKED).read_text() == KIOSK + "\n"
    listed = (lincoln / CRL).read_text()
    assert listed.count("BEGIN X509 CRL") == 2
    ends = x509.load_pem_x509_crl(listed.encode()).next_update_utc
    assert ends is not None
    assert ends > datetime.now(UTC) + profile.CRL_LIVES - timedelta(days=1)
