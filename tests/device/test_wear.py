"""How much was written to the card: counted over restarts and midnights, and an honest estimate of what is left."""

import asyncio
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.session.journal import Journal
from device.session.ledger import Ledger
from device.wear import Wear, as_kept, counted, from_kept, written_bytes
from device.wear_count import WearCount

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
TB = 1e12


def test_a_restart_begins_the_kernels_count_anew_and_loses_nothing_of_ours() -> None:
    wear = Wear(endurance_bytes=50 * TB)
    for boot, count, day in (("a", 100, MONDAY), ("a", 150, MONDAY), ("b", 30, MONDAY), ("b", 70, TUESDAY)):
        wear = counted(wear, boot, count, day)
    assert wear.total_bytes == 50 + 70, "what was written before it began to count is nobody's day"
    assert wear.days == {"2026-03-02": 80, "2026-03-03": 40}
    assert wear.today_bytes == 40
    again = from_kept(as_kept(wear), 50 * TB)
    assert again == wear


def test_how_long_the_card_lasts_is_reckoned_from_whole_days_only() -> None:
    wear = Wear("a", 0, round(10 * TB), {"2026-03-01": 0, "2026-03-02": 20_000_000_000}, 50 * TB)
    assert wear.worn_share == pytest.approx(0.2)
    assert wear.years_left is None, "on its first whole day nothing was written: it would last for ever"
    wear = Wear("a", 0, round(10 * TB), {"2026-03-01": 16 * 10**9, "2026-03-02": 1}, 50 * TB)
    assert wear.years_left == pytest.approx(40 * TB / 16e9 / 365)
    assert Wear(days={"2026-03-01": 5}).years_left is None
    assert Wear().worn_share is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**12), st.integers(0, 60)), max_size=60))
def test_the_total_is_the_sum_of_the_days_and_never_falls(looks: list[tuple[str, int, int]]) -> None:
    wear, total = Wear(), 0
    for boot, count, day in looks:
        wear = counted(wear, boot, count, date.fromordinal(MONDAY.toordinal() + day))
        assert wear.total_bytes >= total
        total = wear.total_bytes
        assert len(wear.days) <= 30
    assert sum(wear.days.values()) <= total


def test_the_kernels_figures_are_those_of_the_folders_own_device(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    stats = tmp_path / "diskstats"
    stats.write_text(
        f" 999    9 other 1 2 3 4 5 6 7 8\n {device >> 8 & 0xFFF}    {device & 0xFF} mine 1 2 3 4 5 6 2000 8\n"
    )
    assert written_bytes(tmp_path, stats) == 2000 * 512
    stats.write_text("")
    assert written_bytes(tmp_path, stats) is None
    assert written_bytes(tmp_path / "nowhere", stats) is None


def test_what_was_counted_is_kept_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([1_000, 5_000, 7_000])
    monkeypatch.setattr("device.wear_count.written_bytes", lambda _folder, _diskstats: next(counts))
    monkeypatch.setattr("device.wear_count._KEEP_EVERY", 1)

    async def one_life(looks: int) -> Wear | None:
        journal = Journal(Ledger.open(tmp_path / "ledger.db"))
        counter = WearCount(journal, tmp_path)
        found = None
        for _ in range(looks):
            found = await counter.look()
        await journal.close()
        return found

    first = asyncio.run(one_life(2))
    assert first is not None
    assert first.total_bytes == 4_000
    second = asyncio.run(one_life(1))
    assert second is not None
    assert second.total_bytes == 6_000
    assert second.endurance_bytes > 0


def test_where_the_kernel_does_not_count_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.wear_count.written_bytes", lambda _folder, _diskstats: None)

    async def look() -> Wear | None:
        journal = Journal(Ledger.open(tmp_path / "ledger.db"))
        found = await WearCount(journal, tmp_path).look()
        await journal.close()
        return found

    assert asyncio.run(look()) is None
