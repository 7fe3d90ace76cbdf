"""Setting aside what lives long: garbage goes, the rest stays out of the collector's way."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from fleet import long_lived


class _Node:
    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()


def cycle() -> weakref.ref[_Node]:
    return weakref.ref(_Node())


def test_garbage_is_collected_and_what_lives_is_set_aside() -> None:
    kept, gone = [_Node()], cycle()
    long_lived.settle()
    assert gone() is None
    assert gc.get_freeze_count() > 1_000
    assert not any(one is kept for one in gc.get_objects()), "the collector walks over it no more"


def test_a_cycle_that_was_set_aside_and_then_let_go_is_collected_by_the_whole_look_only() -> None:
    node = _Node()
    there = weakref.ref(node)
    long_lived.settle()
    del node
    long_lived.settle()
    assert there() is not None
    long_lived.settle(whole=True)
    assert there() is None


def test_it_is_done_at_once_and_again() -> None:
    async def run() -> None:
        gone = []
        task = asyncio.create_task(long_lived.keep_settled(every_s=0))
        for _ in range(3):
            gone.append(cycle())
            for _ in range(3):
                await asyncio.sleep(0)
        task.cancel()
        assert [one() for one in gone] == [None] * 3

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()
