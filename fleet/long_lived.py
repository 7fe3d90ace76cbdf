"""What lives as long as the process is looked through once, and not whenever somebody reads a board.

Ten thousand kiosks are some hundred thousand objects. Python's collector of cycles walks over all of them now and then,
for 0.13 s, and whoever asks then waits (docs/figures.md). `gc.freeze` sets aside what has lived until now.
"""

import asyncio
import gc
from typing import Final

SETTLE_EVERY_S: Final = 600.0
WHOLE_EVERY: Final = 144
"""Once a day what was set aside is looked through as well: a cycle of what has been replaced would stay for ever."""


def settle(*, whole: bool = False) -> None:
    """Collect what is garbage and set aside the rest.

    Args:
        whole: look through what was set aside earlier, too.
    """
    if whole:
        gc.unfreeze()
    gc.collect()
    gc.freeze()


async def keep_settled(every_s: float = SETTLE_EVERY_S) -> None:
    """Do so again and again, until cancelled."""
    turn = 0
    while True:
        settle(whole=turn % WHOLE_EVERY == 0)
        turn += 1
        await asyncio.sleep(every_s)
