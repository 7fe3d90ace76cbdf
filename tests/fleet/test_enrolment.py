"""Enrolment at the fleet: claims, people who decide, and a real authority that signs."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fleet.access.roles import Role
from fleet.store import audit
from provisioning.ca import issue
from tests.district import District, csr
from tests.fleet.calling import Caller
from tests.fleet.test_api import problem
from tests.fleet.world import Fleet, Kiosk
from tests.signing import serving
from wire.claims import token_hash
from wire.signing import PROOF_CONTEXT

KIOSK, SERIAL = "lincoln-12", "10000000abcdef01"
TOKEN = "a-token-of-32-signs-for-tests-00"


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    return District(tmp_path_factory.mktemp("district"))


@pytest.fixture(scope="module")
def signer(district: District) -> Iterator[Path]:
    with serving(district, district.folder) as path:
        yield path


@pytest.fixture(autouse=True)
def _authority(fleet: Fleet, signer: Path) -> None:
    fleet.parts.settings = fleet.parts.settings.model_copy(update={"authorities": {"lincoln": signer}})


def claims(caller: Caller, *, token: str = TOKEN, expires_in: timedelta = timedelta(days=14), **more: Any) -> Any:
    told = {"hash": token_hash(token), "campus": "lincoln", "kiosk": KIOSK, **more}
    told["expires_at"] = (caller.fleet.clock.now().at + expires_in).isoformat()
    answer = caller.client.post("/api/v1/claims", json={"claims": [told]}, headers=caller.token())
    assert answer.status_code == 200, answer.text
    return answer.json()


def asks(caller: Caller, pem: str, **more: Any) -> httpx.Response:
    told = {"token": TOKEN, "campus": "lincoln", "kiosk": KIOSK, "serial": SERIAL, "csr": pem} | more
    return caller.client.post("/api/v1/enrolment", json=told)


def decides(caller: Caller, what: str, role: Role = Role.IT, *campuses: str) -> int:
    found = caller.get("/api/v1/enrolments?state=pending").json()["items"]
    path = f"/api/v1/enrolments/{found[0]['id']}/{what}"
    return caller.client.post(path, headers=caller.token(role, *campuses)).status_code


def noted(fleet: Fleet) -> list[tuple[str, str | None]]:
    with fleet.database.read() as connection:
        audit.verify(connection)
        return [(row.what, row.detail) for row in reversed(audit.newest(connection, 100))]


def fresh(district: District, name: str = KIOSK) -> tuple[issue.Key, str]:
    """A key and its request, of a kiosk that nobody else of these tests was."""
    with district.authority() as authority:
        authority._db.execute("delete from issued where name = ?", [name])
    return csr(name)


def test_a_claim_for_a_kiosk_is_enough(fleet: Fleet, caller: Caller, district: District) -> None:
    _, pem = fresh(district)
    assert claims(caller, serial=SERIAL.upper()) == {"added": 1, "unchanged": 0}
    assert claims(caller, serial=SERIAL.upper()) == {"added": 0, "unchanged": 1}
    first, again = asks(caller, pem).json(), asks(caller, pem).json()
    assert first["state"] == "approved"
    assert first == again, "an answer may have been lost"
    made = x509.load_pem_x509_certificates(first["chain"].encode())
    assert made[0].subject.rfc4514_string() == "CN=lincoln-12,OU=lincoln"
    assert len(made) == 2
    rows = [row for row in noted(fleet) if not row[0].startswith(("token.", "person."))]
    assert rows == [("claims.added", "1 claims"), ("identity.issued", first["code"])]
    text = "".join(
        path.read_bytes().decode(errors="replace") for path in fleet.parts.settings.data_dir.glob("fleet.sqlite*")
    )
    assert TOKEN not in text


@pytest.mark.parametrize(
    ("claim", "ask", "words"),
    [
        ({"expires_in": timedelta(seconds=-1)}, {}, "is over"),
        ({"serial": "10000000abcdef99"}, {}, "another Raspberry Pi"),
        ({"campus": "washington"}, {}, "another campus"),
        ({"kiosk": "lincoln-13"}, {}, "another kiosk"),
        ({}, {"token": "x" * 32}, "no such claim"),
    ],
)
def test_c14_a_claim_that_does_not_fit_is_refused_and_written_down(
    fleet: Fleet, caller: Caller, district: District, claim: dict[str, Any], ask: dict[str, Any], words: str
) -> None:
    claims(caller, **claim)
    assert words in problem(asks(caller, fresh(district)[1], **ask), 403)["detail"]
    assert noted(fleet)[-1][0] == "enrolment.refused"
    assert caller.get("/api/v1/enrolments").json()["items"] == []


def test_c14_a_claim_is_used_as_often_as_it_may_be_and_guessing_has_to_wait(
    fleet: Fleet, caller: Caller, district: District
) -> None:
    claims(caller, kiosk=None, count=2)
    for name in ("lincoln-21", "lincoln-22", "lincoln-22"):
        pem = fresh(district, name)[1]
        if name == "lincoln-22":
            pem = caller.__dict__.setdefault("same", pem)
        assert asks(caller, pem, kiosk=name).json()["state"] == "pending"
    assert "as often" in problem(asks(caller, csr("lincoln-23")[1], kiosk="lincoln-23"), 403)["detail"]
    for _ in range(4):
        problem(asks(caller, csr(KIOSK)[1], token="y" * 32), 403)
    waiting = asks(caller, csr(KIOSK)[1], token="y" * 32)
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) >= 1


def test_a_card_that_was_written_anew_ends_the_token_of_the_one_before(
    fleet: Fleet, caller: Caller, district: District
) -> None:
    claims(caller)
    claims(caller, token="another-token-of-some-32-signs-0", kiosk="lincoln-13")
    claims(caller, token="the-second-token-of-32-signs-000")
    assert claims(caller) == {"added": 0, "unchanged": 1}, "the same list once more brings no old token back"
    assert "is over" in problem(asks(caller, fresh(district)[1]), 403)["detail"]
    assert asks(caller, fresh(district)[1], token="the-second-token-of-32-signs-000").json()["state"] == "approved"


def test_without_a_kiosk_in_its_claim_it_waits_for_a_person(fleet: Fleet, caller: Caller, district: District) -> None:
    _, pem = fresh(district, "lincoln-31")
    claims(caller, kiosk=None)
    waits = asks(caller, pem, kiosk="lincoln-31").json()
    assert (waits["state"], waits["chain"]) == ("pending", "")
    (listed,) = caller.get("/api/v1/enrolments?state=pending").json()["items"]
    assert (listed["code"], listed["kiosk"], listed["signed"]) == (waits["code"], "lincoln-31", False)
    assert decides(caller, "approve", Role.THERAPIST) == 403
    assert decides(caller, "approve", Role.IT, "washington") == 404
    assert decides(caller, "approve") == 204
    assert asks(caller, pem, kiosk="lincoln-31").json()["state"] == "approved"
    path = f"/api/v1/enrolments/{listed['id']}/refuse"
    assert caller.client.post(path, headers=caller.token(Role.IT)).status_code == 409
    other = csr("lincoln-32")[1]
    claims(caller, kiosk=None, token="another-token-of-some-32-signs-0")
    asks(caller, other, kiosk="lincoln-32", token="another-token-of-some-32-signs-0")
    assert decides(caller, "refuse") == 204
    told = asks(caller, other, kiosk="lincoln-32", token="another-token-of-some-32-signs-0").json()
    assert (told["state"], told["reason"]) == ("refused", "A person refused it.")


def test_a_second_key_of_an_enrolled_kiosk_waits_for_a_person(fleet: Fleet, caller: Caller, district: District) -> None:
    claims(caller, count=2)
    old_key, old = fresh(district)
    first = asks(caller, old).json()
    _, pem = csr(KIOSK)
    told = asks(caller, pem).json()
    assert told["state"] == "pending"
    assert "of another key" in told["reason"]
    assert noted(fleet)[-1][0] == "identity.copied"
    assert decides(caller, "approve") == 204
    assert asks(caller, pem).json()["state"] == "approved"
    answer = renews(caller, first["chain"], old_key, csr(KIOSK)[1])
    assert "was revoked" in problem(answer, 403)["detail"]


def renews(caller: Caller, chain: str, key: issue.Key, pem: str) -> httpx.Response:
    der = x509.load_pem_x509_csr(pem.encode()).public_bytes(serialization.Encoding.DER)
    proof = base64.b64encode(key.sign(PROOF_CONTEXT + der, ec.ECDSA(hashes.SHA256()))).decode()
    present = chain[: chain.index("-----END CERTIFICATE-----") + 26]
    told = {"campus": "lincoln", "kiosk": KIOSK, "certificate": present, "csr": pem, "proof": proof}
    return caller.client.post("/api/v1/enrolment/renewal", json=told)


def test_x7_a_request_for_more_is_refused_in_the_authoritys_words(
    fleet: Fleet, caller: Caller, district: District
) -> None:
    claims(caller)
    fresh(district)
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.load_pem_x509_csr(csr(KIOSK)[1].encode()).subject)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = built.sign(issue.new_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    told = asks(caller, pem).json()
    assert told["state"] == "refused"
    assert "rights of an authority" in told["reason"]


def test_a_renewal_by_a_copy_is_refused_and_written_down(fleet: Fleet, caller: Caller, district: District) -> None:
    claims(caller)
    key, pem = fresh(district)
    chain = asks(caller, pem).json()["chain"]
    following = csr(KIOSK)[1]
    assert renews(caller, chain, key, following).json() == renews(caller, chain, key, following).json()
    assert "another key" in problem(renews(caller, chain, key, csr(KIOSK)[1]), 403)["detail"]
    assert noted(fleet)[-1][0] == "identity.copied"


def test_a_kiosk_is_revoked_by_it_only(fleet: Fleet, caller: Caller, kiosk: Kiosk, district: District) -> None:
    fleet.take(kiosk.is_born())
    path = f"/api/v1/kiosks/{kiosk.id}/revoke"
    for role in (Role.THERAPIST, Role.AIDE, Role.AUDITOR, Role.PORTAL):
        problem(caller.client.post(path, headers=caller.token(role)), 403)
    fresh(district, kiosk.id)
    assert "ever signed" in problem(caller.client.post(path, headers=caller.token(Role.IT)), 409)["detail"]
    with district.authority() as authority:
        authority.sign(kiosk.id, csr(kiosk.id)[1], caller.fleet.clock.now().at)
    assert caller.client.post(path, headers=caller.token(Role.IT)).status_code == 204
    assert kiosk.id in (district.folder / "lincoln" / "revoked.txt").read_text().split()
    assert noted(fleet)[-1][0] == "identity.revoked"


def test_without_its_authority_a_kiosk_is_told_to_ask_again(fleet: Fleet, caller: Caller, district: District) -> None:
    claims(caller)
    _, pem = fresh(district)
    for where in ({}, {"lincoln": district.folder / "nobody.sock"}):
        fleet.parts.settings = fleet.parts.settings.model_copy(update={"authorities": where})
        assert asks(caller, pem).status_code == 503
    fleet.parts.settings = fleet.parts.settings.model_copy(
        update={"authorities": {"lincoln": district.folder / "lincoln.sock"}}
    )
    assert asks(caller, pem).json()["state"] == "approved"
