from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.console.standing import BADGES, COUNTED, Standing, standing
from fleet.console.words import tell
from fleet.views import KioskView
from tests.fleet.console.made_up import NOW, kiosk, session, signal, span
from wire.minutes import Mode
from wire.signals import Severity, Verdict


def said(one: KioskView) -> str:
    return " ".join(reason.text for reason in tell(one, NOW, UTC).reasons)


def test_a_ready_kiosk_says_so_with_word_shape_and_colour() -> None:
    told = tell(kiosk(), NOW, UTC)
    assert (told.badge.word, told.badge.shape, told.badge.tone) == ("Ready", "ok", "ready")
    assert told.evidence == "checked"
    assert told.evidence_at == NOW - timedelta(seconds=3)
    assert told.running is None


def test_reasons_are_a_therapists_words_and_since_when() -> None:
    covered = kiosk(verdict=Verdict.ATTENTION, signals=(signal("camera.covered", "overhead"),))
    told = tell(covered, NOW, UTC)
    assert told.badge.word == "Needs a hand"
    assert [(one.text, one.since) for one in told.reasons] == [("The desk camera is covered.", "10:01")]


def test_what_a_stronger_signal_holds_back_is_no_reason() -> None:
    dark = signal("camera.dark", "overhead", outranked=True)
    covered = kiosk(verdict=Verdict.ATTENTION, signals=(dark, signal("camera.covered", "overhead")))
    assert said(covered) == "The desk camera is covered."


def test_the_worst_reason_comes_first() -> None:
    signals = (signal("storage.low"), signal("storage.readonly"))
    assert said(kiosk(verdict=Verdict.BLOCKED, signals=signals)).startswith("The kiosk cannot keep a record")


@pytest.mark.parametrize("name", ["link.down", "software.behind", "schedule.stale"])
def test_a_signal_for_information_leaves_a_kiosk_ready(name: str) -> None:
    told = tell(kiosk(signals=(signal(name, severity=Severity.INFO),)), NOW, UTC)
    assert told.badge.word == "Ready"
    assert [one.text for one in told.reasons] == ["It finds nothing wrong."]


def test_without_any_camera_it_cannot_run_a_session() -> None:
    signals = tuple(signal("camera.missing", role) for role in ("overhead", "front"))
    blind = kiosk(verdict=Verdict.ATTENTION, signals=signals)
    assert standing(blind) is Standing.BLOCKED
    assert said(blind) == "Neither camera gives a picture."


def test_one_missing_camera_needs_a_hand() -> None:
    one_eyed = kiosk(verdict=Verdict.ATTENTION, signals=(signal("camera.missing", "front"),))
    assert standing(one_eyed) is Standing.ATTENTION
    assert said(one_eyed) == "The front camera gives no picture."


@pytest.mark.parametrize(("presence", "word"), [("unknown", "Not heard from"), ("offline", "Offline")])
def test_a_silent_kiosk_in_session_is_not_guessed_at(presence: str, word: str) -> None:
    silent = kiosk(
        presence=presence,  # type: ignore[arg-type]  # the parameters above are the two values
        heard_s=70,
        state="live",
        session=session([span(0, 60)], "running"),
        signals=(signal("camera.covered", "front"),),
    )
    told = tell(silent, NOW, UTC)
    assert told.badge.word == word
    assert said(silent) == "Not heard from since 10:01. It was in session; it keeps its own record."
    assert told.running is None, "no clock counts on while nobody knows"
    assert (told.evidence, told.evidence_at) == ("last heard", NOW - timedelta(seconds=70))


def test_a_silent_idle_kiosk_says_since_when_and_nothing_more() -> None:
    assert said(kiosk(presence="offline", heard_s=7_200)) == "Not heard from since 08:02."


def test_a_kiosk_never_heard_says_so_and_has_no_evidence() -> None:
    new = kiosk(presence="unknown", heard_s=None, state=None)
    assert said(new) == "Never heard from."
    assert tell(new, NOW, UTC).evidence_at is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("starting", Standing.LIVE),
        ("live", Standing.LIVE),
        ("ending", Standing.LIVE),
        ("buffering", Standing.BUFFERING),
        ("paused", Standing.PAUSED),
        ("idle", Standing.READY),
        ("a-state-of-next-year", Standing.READY),
    ],
)
def test_what_a_kiosk_does_decides_where_it_stands(state: str, expected: Standing) -> None:
    assert standing(kiosk(state=state)) is expected


def test_a_running_session_has_its_clock_and_its_start() -> None:
    line = session([span(0, 757)], "running", age_s=4.0, started_at=NOW - timedelta(seconds=761))
    told = tell(kiosk(state="live", session=line), NOW, UTC)
    assert told.running is not None
    assert told.running.elapsed_ms == 757_000
    assert told.running.at == NOW - timedelta(seconds=4)
    assert told.running.started == "09:49"
    assert told.running.ticking


def test_a_session_of_a_kiosk_without_a_clock_has_no_start() -> None:
    line = session([span(0, 10)], "running", started_at=datetime(1970, 1, 1, 0, 2, tzinfo=UTC))
    told = tell(kiosk(state="live", session=line), NOW, UTC)
    assert told.running is not None
    assert told.running.started is None


def test_trouble_in_a_session_stands_beside_it() -> None:
    told = tell(kiosk(state="live", verdict=Verdict.ATTENTION, signals=(signal("camera.glare", "overhead"),)), NOW, UTC)
    assert told.badge.word == "In session"
    assert told.trouble is BADGES[Standing.ATTENTION]


def test_an_interrupted_session_says_so() -> None:
    line = session([span(0, 5, Mode.INTERRUPTED, cause="camera")], "interrupted")
    assert said(kiosk(state="live", session=line)).startswith("The session is interrupted.")


def test_a_connected_kiosk_without_fresh_news_is_not_called_silent() -> None:
    told = tell(kiosk(verdict=Verdict.UNKNOWN), NOW, UTC)
    assert told.standing is Standing.UNKNOWN
    assert told.badge.word == "Not known yet"
    assert said(kiosk(verdict=Verdict.UNKNOWN, state="booting")) == "It is starting up."


def test_a_verdict_without_a_reason_admits_it() -> None:
    assert said(kiosk(verdict=Verdict.BLOCKED)) == "It does not say why."


def test_every_standing_has_its_own_word_and_shape() -> None:
    assert len({(badge.word, badge.shape) for badge in BADGES.values()}) == len(Standing)
    assert set(COUNTED) == set(Standing)


@given(
    presence=st.sampled_from(["unknown", "offline"]),
    verdict=st.sampled_from(list(Verdict)),
    state=st.sampled_from([None, "idle", "live", "paused", "buffering", "fault"]),
    heard_s=st.none() | st.floats(0, 1e7),
)
def test_silence_is_never_shown_as_a_verdict_or_a_session(
    presence: str, verdict: Verdict, state: str | None, heard_s: float | None
) -> None:
    silent = kiosk(
        presence=presence,  # type: ignore[arg-type]  # sampled from the two values
        verdict=verdict,
        state=state,
        heard_s=heard_s,
    )
    told = tell(silent, NOW, UTC)
    assert told.standing in {Standing.UNKNOWN, Standing.OFFLINE}
    assert told.badge.tone == "unknown"
    assert told.trouble is None
    assert told.running is None
    assert len(told.reasons) == 1
