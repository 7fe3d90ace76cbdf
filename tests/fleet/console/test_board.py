from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from fleet.console.board import PAGE_ROWS, Board, Question, board
from fleet.console.render import query
from fleet.console.standing import Standing
from fleet.views import KioskView
from tests.fleet.console.made_up import NOW, kiosk, session, span
from wire.signals import Verdict

DISTRICT = (
    kiosk("ready-1"),
    kiosk("offline-1", "offline", heard_s=500),
    kiosk("unknown-1", "unknown", heard_s=60),
    kiosk("attention-1", verdict=Verdict.ATTENTION),
    kiosk("blocked-1", verdict=Verdict.BLOCKED),
    kiosk("live-1", state="live"),
    kiosk("paused-1", state="paused"),
    kiosk("silent-1", "unknown", heard_s=60, state="live", session=session([span(0, 5)], "running")),
    kiosk("buffering-1", state="buffering"),
)


def ids(found: Board) -> list[str]:
    return [row.id for row in found.rows]


def ask(kiosks: tuple[KioskView, ...] = DISTRICT, question: Question | None = None) -> Board:
    return board(kiosks, question or Question(), NOW, UTC)


def test_sessions_come_first_then_those_that_need_someone() -> None:
    assert ids(ask()) == [
        "buffering-1",
        "silent-1",
        "paused-1",
        "live-1",
        "blocked-1",
        "attention-1",
        "unknown-1",
        "offline-1",
        "ready-1",
    ]


def test_equals_stand_by_campus_and_name() -> None:
    kiosks = (kiosk("b-2", campus="adams"), kiosk("b-1", campus="monroe"), kiosk("b-3", campus="adams"))
    assert ids(ask(kiosks)) == ["b-2", "b-3", "b-1"]


def test_counts_are_of_all_kiosks_and_fit_their_number() -> None:
    found = ask((*DISTRICT, kiosk("attention-2", verdict=Verdict.ATTENTION)))
    told = {count.standing: f"{count.number} {count.word}" for count in found.counts}
    assert told[Standing.ATTENTION] == "2 need a hand"
    assert told[Standing.READY] == "1 ready"
    assert sum(count.number for count in found.counts) == found.total == 10


def test_a_search_looks_in_kiosk_and_campus() -> None:
    kiosks = (kiosk("room-4", campus="lincoln"), kiosk("room-5", campus="grant"), kiosk("gym-1", campus="grant"))
    assert ids(ask(kiosks, Question("GRANT room"))) == ["room-5"]
    nothing = ask(kiosks, Question("nowhere"))
    assert (nothing.rows, nothing.found, nothing.total) == ((), 0, 3)


def test_one_standing_can_be_asked_for() -> None:
    found = ask(question=Question(show=Standing.BLOCKED))
    assert ids(found) == ["blocked-1"]
    assert len(found.counts) == 8, "the counts still tell of all"


def test_a_page_past_the_last_is_the_last() -> None:
    many = tuple(kiosk(f"kiosk-{n:03}") for n in range(PAGE_ROWS + 1))
    last = ask(many, Question(page=99))
    assert (last.question.page, last.pages, ids(last)) == (2, 2, ["kiosk-050"])


@given(st.lists(st.integers(0, len(DISTRICT) - 1), max_size=130), st.integers(1, 5))
def test_every_kiosk_stands_on_exactly_one_page(choices: list[int], page: int) -> None:
    kiosks = tuple(DISTRICT[choice].model_copy(update={"id": f"k-{n}"}) for n, choice in enumerate(choices))
    found = ask(kiosks, Question(page=page))
    assert len(found.rows) <= PAGE_ROWS
    everywhere = [row.id for n in range(1, found.pages + 1) for row in ask(kiosks, Question(page=n)).rows]
    assert sorted(everywhere) == sorted(one.id for one in kiosks)


def test_addresses_keep_the_question() -> None:
    asked = Question("room & co", Standing.READY, 3)
    assert query(asked, page=2) == "/?q=room+%26+co&show=ready&page=2"
    assert query(asked, show=Standing.BLOCKED) == "/?q=room+%26+co&show=blocked"
    assert query(asked, show=Standing.READY) == "/?q=room+%26+co", "asked again, it is let go"
    assert query(Question()) == "/"
