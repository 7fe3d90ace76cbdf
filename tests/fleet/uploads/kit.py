"""What the fleet says of a recording that a kiosk sends, and what is left of it."""

from typing import Any

import httpx

from device import receipts
from fleet import upload_keys
from fleet.store import audit
from tests.fleet.calling import Caller
from tests.fleet.sending import Sending, receipt
from tests.fleet.world import Fleet, Kiosk


def listed(caller: Caller, sending: Sending) -> dict[str, Any]:
    with sending.fleet.database.read() as connection:
        query = f"select session from segments where id = '{sending.id}'"
        session = connection.exec_driver_sql(query).scalar_one()
    answer = caller.get(f"/api/v1/sessions/{session}/segments")
    assert answer.status_code == 200, answer.text
    (one,) = (one for one in answer.json()["items"] if one["id"] == sending.id)
    return dict(one)


def is_true(fleet: Fleet, sending: Sending, answer: httpx.Response) -> bool:
    key = receipts.receipt_key(upload_keys.receipt_public(fleet.parts.settings.data_dir))
    asked = sending.request(1)
    receipts.require(receipt(answer), key, sending.kiosk.id, asked.segment, asked.hash, asked.bytes)
    return True


def said_wrong(fleet: Fleet, kiosk: Kiosk, session: str, **data: Any) -> None:
    first = kiosk.write("student.wrong", session, student=None, **data)
    fleet.take(kiosk.sends(first))


def gone(fleet: Fleet) -> list[tuple[str, str | None]]:
    with fleet.database.read() as connection:
        audit.verify(connection)
        return [(row.about, row.detail) for row in audit.newest(connection, 100) if row.what == "segment.destroyed"]


def on_disk(fleet: Fleet) -> bytes:
    return b"".join(path.read_bytes() for path in fleet.parts.settings.segments_dir.rglob("*") if path.is_file())
