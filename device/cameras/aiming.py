"""Commissioning one camera, seen from the agent: have its worker tell how it is aimed, and have it learned anew."""

from collections.abc import Mapping
from typing import Any, Protocol

from device.cameras.boundary import Do, Order
from device.cameras.process import WorkerProcess


class Supervised(Protocol):
    """What is asked of a camera's supervision."""

    @property
    def worker(self) -> WorkerProcess | None:
        """The present worker."""
        ...


class Aiming:
    """Asks the present worker; what it tells of the aim stands in the camera's status.

    Args:
        camera: whose.
    """

    def __init__(self, camera: Supervised) -> None:
        self._camera = camera

    def want(self, for_s: float) -> bool:
        """Have it told for so long; False when there is nobody to tell."""
        return self._send(Order(Do.AIM, for_s=for_s))

    def learn(self) -> bool:
        """Have the camera learned anew, as it is now; False when there is nobody to learn it."""
        if self._camera.worker is not None:
            self._camera.worker.learned = None
        return self._send(Order(Do.LEARN))

    @property
    def learned(self) -> Mapping[str, Any] | None:
        """What the present worker learned since it was asked to; None until then."""
        told = self._camera.worker.learned if self._camera.worker is not None else None
        return None if told is None else told.reference

    def _send(self, order: Order) -> bool:
        return self._camera.worker is not None and self._camera.worker.send(order)
