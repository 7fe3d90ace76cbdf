"""Brokers and fleets are killed in mid-stream: every row arrives, none twice."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx

from tests.broker import needs_mosquitto, running_mosquitto
from tests.fleet.serving import Outbox, Service, running_service, until
from tests.fleet.world import Kiosk

pytestmark = needs_mosquitto


def assert_all_arrived_once(service: Service, kiosk: Kiosk) -> None:
    rows = service.rows(kiosk)
    assert [row["seq"] for row in rows] == list(range(1, kiosk.head + 1))
    assert [row["hash"] for row in rows] == [row.hash for row in kiosk.rows]


def write_a_day(kiosk: Kiosk) -> list[str]:
    return [kiosk.whole_session() for _ in range(40)]


def test_m8_the_broker_is_killed_in_mid_stream(tmp_path: Path) -> None:
    kiosk = Kiosk()
    with running_mosquitto() as broker, running_service(tmp_path, broker.url) as service:
        until(service.is_ready, "ready")
        sessions = write_a_day(kiosk)
        with Outbox(kiosk, broker.port) as outbox:
            for share in (0.2, 0.5, 0.8):
                until(lambda share=share: outbox.acked >= kiosk.head * share, f"{share:.0%} acknowledged")  # type: ignore[misc]  # bound now
                broker.kill()
                broker.start()
            until(lambda: outbox.is_empty, "all acknowledged")
        assert_all_arrived_once(service, kiosk)
        until(lambda: len(complete(service, kiosk)) == len(sessions), "all sessions complete")


def test_the_fleet_is_killed_in_mid_stream(tmp_path: Path) -> None:
    kiosk = Kiosk()
    with running_mosquitto() as broker, running_service(tmp_path, broker.url) as service:
        until(service.is_ready, "ready")
        sessions = write_a_day(kiosk)
        with Outbox(kiosk, broker.port) as outbox:
            for share in (0.2, 0.5, 0.8):
                until(lambda share=share: outbox.acked >= kiosk.head * share, f"{share:.0%} acknowledged")  # type: ignore[misc]  # bound now
                service.kill()
                with sqlite3.connect(tmp_path / "data" / "fleet.sqlite") as database:
                    [(through,)] = database.execute("select through from ledger_epochs")
                database.close()
                assert through >= outbox.acked  # nothing was acknowledged that is not kept
                service.start()
            until(lambda: outbox.is_empty, "all acknowledged")
        assert_all_arrived_once(service, kiosk)
        until(lambda: len(complete(service, kiosk)) == len(sessions), "all sessions complete")
        for session in complete(service, kiosk):
            minutes = session["minutes"]
            split = minutes["running_ms"] + minutes["paused_ms"] + sum(minutes["interrupted_ms"].values())
            assert split == minutes["elapsed_ms"] > 0


def test_presence_commands_and_echoes_through_a_real_broker(tmp_path: Path) -> None:
    kiosk = Kiosk()
    headers: dict[str, str]
    with running_mosquitto() as broker, running_service(tmp_path, broker.url) as service:
        headers = {"Authorization": f"Bearer {service.token}"}
        with Outbox(kiosk, broker.port) as outbox:
            until(lambda: kiosk.id in {one["id"] for one in service.get("/api/v1/kiosks")["items"]}, "known")
            until(lambda: state(service, kiosk) == "online", "online")
            outbox.say(kiosk.asks(17))
            until(lambda: outbox.echoed == 17, "the echo is answered")
            asked = httpx.post(
                service.url(f"/api/v1/kiosks/{kiosk.id}/commands"), json={"name": "identify"}, headers=headers
            )
            assert asked.status_code == 202, asked.text
            until(lambda: outbox.commands, "the command arrived")
            command = outbox.commands[0]
            assert (command["id"], command["epoch"]) == (asked.json()["id"], kiosk.epoch)
            outbox.say(kiosk.replies(command["id"], {"shown_s": 15}))
            until(lambda: service.get(asked.headers["Location"])["state"] == "answered", "the reply is shown")
            assert service.get(asked.headers["Location"])["reply"]["result"] == {"shown_s": 15}
            outbox.client.socket().shutdown(2)  # type: ignore[union-attr]  # it is connected; the broker sends the will
            outbox.client.disconnect()
            until(lambda: state(service, kiosk) == "offline", "the will makes it offline")
        assert service.stop() == 0


def test_a_fleet_that_cannot_write_answers_no_echo(tmp_path: Path) -> None:
    kiosk = Kiosk()
    with (
        running_mosquitto() as broker,
        running_service(tmp_path, broker.url) as service,
        Outbox(kiosk, broker.port) as outbox,
    ):
        until(service.is_ready, "ready")
        outbox.say(kiosk.asks(1))
        until(lambda: outbox.echoed == 1, "the first echo is answered")
        holder = sqlite3.connect(tmp_path / "data" / "fleet.sqlite", isolation_level=None)
        holder.execute("begin immediate")
        time.sleep(1.2)  # longer than a commit counts as proof
        outbox.say(kiosk.asks(2))
        until(lambda: not service.is_ready(), "it says that it is not ready")
        assert outbox.echoed == 1
        holder.execute("rollback")
        holder.close()
        until(service.is_ready, "ready again")
        outbox.say(kiosk.asks(3))
        until(lambda: outbox.echoed == 3, "echoes are answered again")


def complete(service: Service, kiosk: Kiosk) -> list[dict[str, Any]]:
    lines = service.get(f"/api/v1/sessions?kiosk={kiosk.id}&limit=100")["items"]
    return [line for line in lines if line["complete"]]


def state(service: Service, kiosk: Kiosk) -> str:
    found: str = service.get(f"/api/v1/kiosks/{kiosk.id}")["presence"]["state"]
    return found
