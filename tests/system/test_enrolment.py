"""From a claim to a kiosk that the fleet hears: real authority, broker by its rules, fleet, kiosk; then revoked."""

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from device.identity.folder import Identity
from device.identity.renewing import Renewal
from device.session.clock import Instant
from device.settings import Settings
from tests.device.test_broker_rights import Kiosk, until
from tests.district import District, ruled_broker
from tests.fleet.serving import Service, running_service
from tests.signing import serving
from wire.claims import token_hash
from wire.ledger import ClockTrust
from wire.settings_file import read_settings

pytestmark = [
    pytest.mark.needs_mosquitto,
    pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KIOSK, TOKEN = "lincoln-12", "a-token-of-32-signs-for-tests-00"


def kiosk_toml(folder: Path, fleet_url: str, broker_url: str, ca: Path) -> Path:
    path = folder / "kiosk.toml"
    identity = folder / "kiosk" / "identity" / "current"
    path.write_text(f"""data_dir = "{folder / "kiosk"}"
[kiosk]
id = "{KIOSK}"
campus = "lincoln"
[cameras.overhead]
uri = "scene:desk"
[cameras.front]
uri = "scene:student"
[network]
fleet_url = "{fleet_url}"
[link]
urls = ["{broker_url}"]
ca = "{ca}"
certificate = "{identity / "certificate.pem"}"
key = "{identity / "key.pem"}"
""")
    return path


def enrols(config: Path, claim: Path, within_s: float = 60) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "device.cli", "enrol", "--config", str(config), "--claim", str(claim)]
    return subprocess.run(
        [*command, "--within", str(within_s)], capture_output=True, text=True, timeout=110, check=False
    )


def let_in(fleet: Service, config: Path, claim: Path) -> None:
    """From a claim that names no kiosk, over a person, to an identity."""
    it = {"Authorization": f"Bearer {fleet.token}"}
    claim.write_text(json.dumps({"token": TOKEN, "issued_by": "a bundle"}))
    refused = enrols(config, claim)
    assert refused.returncode == 1
    assert "There is no such claim" in refused.stderr
    told = {"hash": token_hash(TOKEN), "campus": "lincoln", "expires_at": "2200-01-01T00:00:00Z"}
    kept = httpx.post(fleet.url("/api/v1/claims"), json={"claims": [told]}, headers=it)
    assert kept.status_code == 200, kept.text

    waits = enrols(config, claim, within_s=1)
    (listed,) = fleet.get("/api/v1/enrolments?state=pending")["items"]
    assert f"code {listed['code']}: {KIOSK} waits" in waits.stdout
    assert waits.returncode == 1
    path = f"/api/v1/enrolments/{listed['id']}/approve"
    assert httpx.post(fleet.url(path), headers=it).status_code == 204
    began = time.monotonic()
    done = enrols(config, claim)
    sys.stdout.write(f"enrolment of one kiosk, the command from start to end: {time.monotonic() - began:.2f} s\n")
    assert (done.returncode, done.stdout) == (0, f"{KIOSK} is enrolled\n"), done.stderr
    assert not claim.exists()


async def is_renewed(settings: Settings, kiosk: Kiosk) -> None:
    """Its time to be renewed has come, and much more: as after a summer. The next connection is by the new one."""
    identity = Identity(settings.data_dir, KIOSK)
    before = identity.certificate.read_bytes()
    now = Instant(1, datetime.now(UTC), "boot", ClockTrust.SYNCED)
    later = Instant(1, now.wall + timedelta(days=200), "boot", ClockTrust.SYNCED)
    renewal = Renewal(settings, lambda: now, lambda: None)
    assert not await asyncio.to_thread(renewal.look, now)
    assert await asyncio.to_thread(renewal.look, later), "there is a new certificate"
    assert identity.certificate.read_bytes() != before
    assert not await asyncio.to_thread(renewal.look, now)
    births = kiosk.births
    kiosk.link.reconnect()
    await until(lambda: kiosk.births > births and kiosk.link.up, 60)


def test_a_claim_becomes_a_kiosk_that_the_fleet_hears_until_it_is_revoked(tmp_path: Path) -> None:
    for name in ("district", "broker", "fleet"):
        (tmp_path / name).mkdir()
    district = District(tmp_path / "district")
    papers = district.service("carrel-fleet")
    with (
        serving(district, tmp_path) as signer,
        ruled_broker(district, tmp_path / "broker", websockets=False) as broker,
        running_service(
            tmp_path / "fleet", f"mqtts://localhost:{broker.ports['fleet']}",
            "[authorities]", f'lincoln = "{signer}"',
            "[tls]", f'ca = "{papers.ca}"', f'cert = "{papers.cert}"', f'key = "{papers.key}"',
        ) as fleet,
    ):  # fmt: skip
        url = f"mqtts://localhost:{broker.ports['mqtts']}"
        config = kiosk_toml(tmp_path, fleet.url(""), url, papers.ca)
        let_in(fleet, config, tmp_path / "kiosk-claim.json")
        settings = read_settings(Settings, config)
        (tmp_path / f"{KIOSK}.pem").touch()  # its papers are those of the settings

        async def story() -> None:
            kiosk = Kiosk(tmp_path, [url], tmp_path)
            kiosk.link._settings = settings.link
            async with kiosk.running():
                await until(lambda: kiosk.link.up, 60)
                await kiosk.write(1)
                await until(lambda: kiosk.journal.acked == 1, 60)
                await is_renewed(settings, kiosk)
                path, it = f"/api/v1/kiosks/{KIOSK}/revoke", {"Authorization": f"Bearer {fleet.token}"}
                revoked = await asyncio.to_thread(httpx.post, fleet.url(path), headers=it, timeout=30)
                assert revoked.status_code == 204, revoked.text
                await asyncio.to_thread(broker.keep_once)
                await until(lambda: not kiosk.link.up, 60)
                tried = kiosk.births
                await until(lambda: kiosk.births > tried + 1, 60)
                assert not kiosk.link.up

        asyncio.run(story())
        rows = fleet.get("/api/v1/audit")["items"]
        about = [row["what"] for row in reversed(rows) if row["about"] == KIOSK]
        assert [one for one in about if one.startswith(("enrolment", "identity"))] == [
            "enrolment.refused", "enrolment.approved", "identity.issued", "identity.renewed", "identity.revoked",
        ]  # fmt: skip
