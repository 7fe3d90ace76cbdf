"""A worker in reserve: loaded, its camera closed, so that in a session a dead one is replaced without a wait.

Most of the time from a kill to the next frame goes into loading Python, numpy and OpenCV. A spare costs some memory, so
there is one only while pictures are coded, which is while a session runs.
"""

import select
from typing import Final

from device.cameras.boundary import Setup
from device.cameras.process import WorkerProcess

_BURY_S: Final = 0.5
"""A process that waits for orders is gone within milliseconds of its SIGKILL."""


class Spare:
    """Keeps a worker in reserve.

    Args:
        setup: the camera it would open.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._worker: WorkerProcess | None = None

    def mind(self, *, wanted: bool) -> None:
        """Have one if it is wanted, none if not; called often.

        Raises:
            OSError: the system has no room for another process.
        """
        if self._worker is not None and (not wanted or self._worker.exit_words() is not None):
            self.drop()
        if wanted and self._worker is None:
            self._worker = WorkerProcess.spawn(self._setup)

    def take(self) -> WorkerProcess | None:
        """The worker in reserve, if there is one and it lives; it is in reserve no more."""
        worker, self._worker = self._worker, None
        if worker is not None and worker.exit_words() is not None:
            worker.close()
            return None
        return worker

    def drop(self) -> None:
        """End it."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.exit_words() is None:
            worker.kill()
            select.select([worker.death_fd], [], [], _BURY_S)
            worker.exit_words()  # collects it
        worker.close()
