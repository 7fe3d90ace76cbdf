"""What the camera tests are played with: small pictures, supervised cameras, deadlines, and the kernel's view."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from device.cameras.source import CameraSpec
from device.cameras.status import CameraStatus
from device.cameras.supervisor import Camera

WIDTH, HEIGHT, FPS = 320, 180, 20.0
"""Small pictures: these tests are about processes."""


def small(uri: str, role: str = "overhead") -> CameraSpec:
    return CameraSpec(role, uri, WIDTH, HEIGHT, FPS)


@asynccontextmanager
async def supervised(camera: Camera) -> AsyncIterator[Camera]:
    """The camera with its supervision running, and with nothing left of it afterwards."""
    task = asyncio.create_task(camera.run())
    pid: int | None = None
    try:
        yield camera
    finally:
        pid = camera.status().pid
        await camera.stop()
        await task
    assert camera.status().pid is None
    assert not camera.status().device_open
    assert pid is None or not is_alive(pid)


async def until(condition: Callable[[], bool], camera: Camera, within_s: float = 25.0) -> None:
    """Wait for something to become true; a deadline, not a measurement."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - conditions here are also about files and other processes
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"it never happened; the camera is {camera.status()}") from None


async def until_frames(camera: Camera) -> CameraStatus:
    """Wait until the camera is open and its frames are fresh."""

    def fresh() -> bool:
        status = camera.status()
        return status.state == "open" and status.last_frame_age_s is not None and status.last_frame_age_s < 0.6

    await until(fresh, camera)
    return camera.status()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def open_files(pid: int) -> set[str]:
    """What a process holds open, by the kernel's own account."""
    return {os.fspath(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
