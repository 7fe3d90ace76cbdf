"""Waiting for what other processes do: deadlines, not measurements."""

import asyncio
from collections.abc import Callable
from typing import Final

_POLL_S: Final = 0.005
_WITHIN_S: Final = 60.0


async def until(true: Callable[[], bool]) -> None:
    """Return when it is so; raises TimeoutError after a minute."""
    async with asyncio.timeout(_WITHIN_S):
        while not true():  # noqa: ASYNC110  # other processes raise no event here
            await asyncio.sleep(_POLL_S)
