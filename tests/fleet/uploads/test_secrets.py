"""What uploads are sealed and signed with: receipts, and the two secrets behind them."""

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from device import receipts
from device.errors import UploadTrouble
from fleet import upload_keys
from fleet.errors import SettingsUnusable
from fleet.uploads import Uploads
from tests.fleet.sending import Sending, no_segment
from tests.fleet.test_api import problem
from tests.fleet.world import Fleet


def test_a_receipt_with_anything_changed_counts_for_nothing(fleet: Fleet, sending: Sending) -> None:
    true = sending.send()
    key = receipts.receipt_key(upload_keys.receipt_public(fleet.parts.settings.data_dir))
    asked = sending.request(1)
    about = (sending.kiosk.id, asked.segment, asked.hash, asked.bytes)
    receipts.require(true, key, *about)
    other_key = SigningKey.generate()
    resigned = base64.b64encode(other_key.sign(true.signed_text().encode()).signature).decode()
    changes: list[dict[str, Any]] = [
        {"kiosk": "lincoln-4"}, {"segment": no_segment()}, {"hash": "0" * 64}, {"bytes": true.bytes + 1},
        {"stored_at": "2026-01-01T00:00:00+00:00"}, {"signature": ""}, {"signature": resigned},
        {"signature": true.signature[:-4] + "AAAA"}, {"signature": "not base64"},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(UploadTrouble) as refused:
            receipts.require(true.model_copy(update=change), key, *about)
        assert refused.value.reason == "bad-receipt"
    with pytest.raises(UploadTrouble):
        receipts.require(true, other_key.verify_key, *about)


def test_secrets_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    first = upload_keys.receipt_public(tmp_path)
    assert upload_keys.receipt_public(tmp_path) == first
    assert upload_keys.ticket_secret(tmp_path) == upload_keys.ticket_secret(tmp_path)
    for name in (upload_keys.RECEIPT_FILE, upload_keys.TICKET_FILE):
        path = tmp_path / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o640)
    with pytest.raises(SettingsUnusable, match="chmod 600"):
        upload_keys.receipt_public(tmp_path)
    (tmp_path / upload_keys.TICKET_FILE).chmod(0o600)
    (tmp_path / upload_keys.TICKET_FILE).write_text("short")
    with pytest.raises(SettingsUnusable, match="32 bytes"):
        upload_keys.ticket_secret(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["receipt-key", "upload-secret"]


@pytest.mark.usefixtures("server")
def test_a_key_that_others_may_read_stops_uploads_and_nothing_else(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    secret = fleet.parts.settings.data_dir / upload_keys.TICKET_FILE
    secret.chmod(0o644)
    fleet.parts.uploads = Uploads.of(fleet.parts.settings)  # a process that starts now
    assert problem(sending.patch(0, b"x"), 503)
    secret.chmod(0o600)
    assert sending.patch(0, sending.file[:1]).status_code == 204


def test_a_key_is_read_once_and_not_with_every_request(fleet: Fleet, sending: Sending) -> None:
    sending.create()
    (fleet.parts.settings.data_dir / upload_keys.TICKET_FILE).unlink()
    assert sending.patch(0, sending.file[:1]).status_code == 204
    assert sending.ask()["state"] == "send"
    assert sending.patch(1, sending.file[1:2]).status_code == 204
