"""What operators watch, for Prometheus."""

from collections import Counter as Tally
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from fleet.clock import Clock
from fleet.incoming import Reason
from fleet.presence import Reach
from fleet.roll import Roll

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry of its own for each service, so that two in one process do not meet."""

    def __init__(self, roll: Roll, clock: Clock) -> None:
        self.registry = CollectorRegistry()
        self.messages = Counter(
            "carrel_messages", "MQTT messages taken, by channel", ["channel"], registry=self.registry
        )
        self.dropped = Counter(
            "carrel_messages_dropped", "MQTT messages dropped, by reason", ["reason"], registry=self.registry
        )
        for reason in Reason:
            self.dropped.labels(reason.value)  # a counter that stands at 0 can be watched
        self.rows = Counter("carrel_ledger_rows_committed", "Ledger rows kept", registry=self.registry)
        self.forks = Counter("carrel_ledger_forks", "Parcels of rows that contradict held ones", registry=self.registry)
        self.foreign_sessions = Counter(
            "carrel_sessions_foreign", "Rows with the session id of another kiosk", registry=self.registry
        )
        self.store_failures = Counter("carrel_store_failures", "Transactions that failed", registry=self.registry)
        self.batch_seconds = Histogram(
            "carrel_ingest_batch_seconds",
            "From the first row written to the commit",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )
        self.broker_connected = Gauge(
            "carrel_broker_connected", "1 while a broker is connected", registry=self.registry
        )
        self.registry.register(_Kiosks(roll, clock))

    def exposition(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self.registry)


class _Kiosks(Collector):
    def __init__(self, roll: Roll, clock: Clock) -> None:
        self._roll, self._clock = roll, clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = self._clock.now()
        tally = Tally(entry.presence.reach(now) for entry in self._roll.entries())
        family = GaugeMetricFamily("carrel_kiosks", "Kiosks by presence", labels=["presence"])
        for reach in Reach:
            family.add_metric([reach.value], tally[reach])
        yield family
