"""The USB port behind a camera, remembered while the camera works: once it is gone nothing else says where it was."""

import asyncio
from typing import Final

from device.cameras.errors import RebindRefused
from device.cameras.rebind import rebind, usb_port

_WITHIN_S: Final = 8.0


class Port:
    """Where a camera is plugged in.

    Args:
        path: its device; None for every camera that is no USB camera.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._port: str | None = None
        self._refused = False

    def learn(self) -> None:
        """The camera works: look where it is."""
        if self._path is not None:
            self._port = usb_port(self._path) or self._port

    async def bind_anew(self) -> str | None:
        """Switch the port off and on.

        Returns:
            What came of it, in words; None where there is no port, or the system has refused before.
        """
        if self._port is None or self._refused:
            return None
        try:
            async with asyncio.timeout(_WITHIN_S):
                await asyncio.to_thread(rebind, self._port)
        except (RebindRefused, TimeoutError) as error:
            self._refused = True
            return f"the USB port {self._port} could not be bound anew: {error or 'no answer'}"
        return f"the USB port {self._port} was bound anew"
