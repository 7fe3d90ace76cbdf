"""What stands on the page in every state."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from device.screen.model import Screen, Shape, Tap, Tone, View
from device.screen.view import view
from device.session.states import Phase
from device.snapshot import CameraView, RecordingView, Snapshot
from tests.device.screen.gallery import ELEVEN, GALLERY, NOBODY, TEN, with_dead_camera
from tests.device.screen.room import PLACE, Room, written
from wire.ledger import ClockTrust
from wire.signals import Severity, Verdict

ROWS = [
    # name in the gallery, screen, tone, shape, headline, what to do, the small line
    ("booting", "booting", "unknown", "wait", "One moment", "The kiosk is starting up.", ""),
    ("booting-heard", "booting", "unknown", "wait", "One moment", "The kiosk is starting up.", "Your press was heard."),
    ("checking", "ready", "unknown", "question", "Checking", "Press the button to start.", ""),
    ("ready", "ready", "ready", "ok", "Ready", "Press the button to start.", ""),
    ("ready-booking", "ready", "ready", "ok", "Ready", "Press the button to start the 10:15.",
     "30 minutes. Starts in 8 minutes; you may start early."),
    ("looking", "ready", "unknown", "wait", "Checking …", "Press the button to start the 10:15.",
     "The kiosk looks itself over for ten seconds. The button works all the same."),
    ("looked-well", "ready", "ready", "ok", "Ready", "Press the button to start the 10:15.",
     "30 minutes. Starts in 8 minutes; you may start early. Checked at 10:07: nothing is wrong."),
    ("looked-partly", "ready", "ready", "ok", "Ready", "Press the button to start the 10:15.",
     ("30 minutes. Starts in 8 minutes; you may start early. Checked at 10:07: nothing is wrong. "
      "The pictures were not checked.")),
    ("looked-covered", "not_ready", "attention", "warn", "Uncover the desk camera",
     "Lift off what covers the desk camera.", "Found at 10:07, when the kiosk looked itself over."),
    ("ready-late", "ready", "ready", "ok", "Ready", "Press the button to start the 10:00.",
     "45 minutes. It should have started 7 minutes ago."),
    ("ready-nothing-due", "ready", "ready", "ok", "Ready", "Next: 11:00, in 53 minutes.",
     "The button also starts without a booking."),
    ("ready-next-day", "ready", "ready", "ok", "Ready", "Next: Tuesday 9:30.",
     "The button also starts without a booking."),
    ("can-start-link", "not_ready", "attention", "warn", "You can start", "Press the button to start the 10:15.",
     "No network: the therapist cannot see you yet."),
    ("can-start-clock", "not_ready", "attention", "warn", "You can start", "Press the button to start.",
     "Nothing to do; the clock sets itself when the network is back."),
    ("not-ready-covered", "not_ready", "attention", "warn", "Uncover the desk camera",
     "Lift off what covers the desk camera.", "You can start anyway. The therapist will not see the desk."),
    ("not-ready-dark-both", "not_ready", "attention", "warn", "Too dark for the front camera", "Switch on the light.",
     "You can start anyway. The therapist will not see well."),
    ("not-ready-missing", "not_ready", "attention", "warn", "Front camera missing",
     "Unplug the kiosk, wait ten seconds, plug it in.",
     "You can start anyway. The therapist will not see the student."),
    ("not-ready-lamp", "not_ready", "blocked", "stop", "The camera lamp is wrong",
     "Call for help: the camera lamp is wrong.",
     "You can start. The cameras stay off."),
    ("not-ready-stuck", "not_ready", "attention", "warn", "The button is stuck",
     "Free the button: something presses it.",
     "Tap this screen to start."),
    ("not-ready-overdue", "not_ready", "attention", "warn", "Time to start", "Press the button to start the 10:00.",
     "45 minutes. It should have started 7 minutes ago."),
    ("asking", "asking", "attention", "question", "Nothing is planned now.", "Press again to start without a booking.",
     "Next: 11:00, in 53 minutes."),
    ("asking-after-boot", "asking", "attention", "question", "Start now?", "Press again to start the 10:15.", ""),
    ("identify", "identify", "live", "here", "Room 12", "maple-12", ""),
    ("refused-no-camera", "refused", "blocked", "stop", "Cannot start",
     "No camera works. Unplug the kiosk, wait ten seconds, plug it in.", "If that does not help, call 214."),
    ("refused-update", "refused", "blocked", "stop", "Cannot start yet",
     "An update is being put in place. Wait a few minutes.", ""),
    ("fault", "fault", "blocked", "stop", "Call 214 for help", "The kiosk cannot keep its record.",
     "No session can start."),
    ("starting", "starting", "live", "wait", "Starting", "The cameras are being switched on.", ""),
    ("live", "live", "live", "rec", "In session", "", "Connected."),
    ("live-unplanned", "live", "live", "rec", "In session", "", "Connected."),
    ("live-therapist", "live", "live", "rec", "In session", "", "The therapist has joined."),
    ("live-last-minutes", "live", "live", "rec", "In session", "Hold the button to end the session.",
     "Tap this screen for more time."),
    ("live-past-end", "live", "live", "rec", "In session", "Hold the button to end the session.",
     "Past the planned end. It ends by itself in 8 minutes."),
    ("live-next-waits", "live", "live", "rec", "In session", "Press the button to end this one and start the 10:15.",
     "Past the planned end. It ends by itself in 9 minutes."),
    ("live-camera-covered", "live", "live", "rec", "In session", "Lift off what covers the desk camera.", "Connected."),
    ("live-camera-missing", "live", "live", "rec", "In session", "",
     "The desk camera gives no picture. The session goes on, and its times are kept."),
    ("live-unwritten", "live", "live", "rec", "In session", "Call for help: the kiosk cannot keep its record.",
     "Connected."),
    ("live-card", "live", "live", "rec", "In session", "", "Connected."),
    ("live-other-card", "live", "live", "rec", "In session",
     "This is the 10:45's card. Put it away and show your own.", "Nothing is recorded now."),
    ("live-other-card-of-nobody-today", "live", "live", "rec", "In session",
     "This card is another student's. Put it away and show your own.", "Nothing is recorded now."),
    ("live-other-card-not-recorded", "live", "live", "rec", "In session",
     "This is the 10:45's card. Put it away and show your own.", "Connected."),
    ("live-other-card-gone", "live", "live", "rec", "In session", "Show your own card.",
     "Nothing is recorded until then."),
    ("live-other-card-objected", "live", "live", "rec", "In session", "", "Connected."),
    ("starting-other-card", "starting", "live", "wait", "Starting",
     "This is the 10:45's card. Put it away and show your own.", ""),
    ("offline-other-card", "offline", "live", "box", "In session, no network",
     "This is the 8:45's card. Put it away and show your own.", "Nothing is recorded now."),
    ("waiting", "waiting", "live", "rec", "Waiting for the therapist", "You can begin the activity.", "Connected."),
    ("offline", "offline", "live", "box", "In session, no network",
     "The therapist cannot see or hear you. Keep the activity going, or call 555 0134.",
     "Kept here: session times. No pictures kept."),
    ("offline-nobody-to-call", "offline", "live", "box", "In session, no network",
     "The therapist cannot see or hear you. Keep the activity going.", "Kept here: session times. No pictures kept."),
    ("offline-recorded", "offline", "live", "box", "In session, no network",
     "The therapist cannot see or hear you. Keep the activity going, or call 555 0134.",
     "Kept here: session times and sealed pictures."),
    ("out-of-reach", "live", "live", "rec", "In session", "Move the button out of reach.",
     "It was pressed again and again."),
    ("paused", "paused", "unknown", "pause", "Paused", "Cameras and microphone are off. Press the button to go on.",
     "The session ends by itself in 33 minutes."),
    ("paused-closing", "paused", "unknown", "pause", "Paused", "Cameras and microphone are being switched off.",
     "The session ends by itself in 33 minutes."),
    ("paused-out-of-reach", "paused", "unknown", "pause", "Paused",
     "Move the button out of reach. Press the button to go on.", "The session ends by itself in 15 minutes."),
    ("paused-going-on", "paused", "unknown", "pause", "Going on in 2", "Press the button to stay paused.", ""),
    ("ending", "ending", "live", "rec", "Ending in 7", "Press the button to go on with the session.", ""),
    ("ending-paused", "ending", "live", "rec", "Ending in 7", "Press the button to stay paused.", ""),
    ("ended", "ended", "ready", "ok", "Session ended", "",
     "Next: 11:00, in 22 minutes. Press the button to go on with this session."),
    ("ended-next-due", "ended", "ready", "ok", "Session ended", "Press the button to start the 10:15.", ""),
    ("power-countdown", "countdown_power", "live", "wait", "The power was out", "The session goes on in 4.", ""),
    ("power-unknown", "countdown_power", "live", "wait", "The kiosk had stopped", "The session goes on in 4.", ""),
    ("power-too-long", "ended", "ready", "ok", "Session ended", "", "It ended while the kiosk was off."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "screen", "tone", "shape", "headline", "do", "then"), ROWS, ids=[row[0] for row in ROWS]
)
def test_state_is_said_by_word_shape_and_colour(
    name: str, screen: str, tone: str, shape: str, headline: str, do: str, then: str
) -> None:
    found = view(GALLERY[name](), "en")
    assert (found.screen, found.tone, found.shape) == (Screen(screen), Tone(tone), Shape(shape))
    assert (found.headline, found.do, found.then) == (headline, do, then)


@pytest.mark.parametrize("make", GALLERY.values(), ids=GALLERY)
def test_spanish_says_everything_that_english_says(make: Callable[[], Snapshot]) -> None:
    english, spanish = view(make(), "en"), view(make(), "es")
    for part in ("headline", "do", "then", "bar_label", "headline_pattern", "do_pattern", "help"):
        assert bool(getattr(english, part)) == bool(getattr(spanish, part)), part
    assert [one.name for one in english.actions] == [one.name for one in spanish.actions]
    assert len(english.footer) == len(spanish.footer)
    assert english.headline != spanish.headline or english.screen is Screen.IDENTIFY


@pytest.mark.parametrize(
    ("name", "english", "spanish"),
    [
        ("live-card", "Blue fox: confirmed.", "Confirmado con tarjeta: zorro azul."),
        ("live-cards-of-a-group", "Blue fox, yellow kite: confirmed.",
         "Confirmado con tarjeta: zorro azul, cometa amarilla."),
        ("live-cards-unplanned", "Blue fox, red boat: confirmed. 2 students: a group.",
         "Confirmado con tarjeta: zorro azul, barco rojo. 2 estudiantes: un grupo."),
        ("live", "", ""),
        ("live-other-card", "Blue fox: confirmed.", "Confirmado con tarjeta: zorro azul."),
        ("live-other-card-objected", "", ""),
    ],
)  # fmt: skip
def test_a_card_is_called_by_its_picture_and_nobody_by_a_name(name: str, english: str, spanish: str) -> None:
    snapshot = GALLERY[name]()
    assert (view(snapshot, "en").card, view(snapshot, "es").card) == (english, spanish)
    assert "s-0" not in english


def test_not_this_student_is_offered_where_another_bookings_card_lies_and_nowhere_else() -> None:
    offers = {name: view(make(), "en").offer for name, make in GALLERY.items()}
    offered = {name for name, one in offers.items() if one and one.name == "not-this-student"}
    assert offered == {name for name in GALLERY if "other-card" in name and "objected" not in name}
    found = view(GALLERY["live-other-card"](), "en").offer
    assert found is not None
    assert (found.name, found.label) == ("not-this-student", "Not this student")


def footer(found: View) -> list[str]:
    return [one.text for one in found.footer]


class TestWhatIsKnown:
    def test_nothing_is_said_of_what_the_therapist_sees_where_it_cannot_be_known(self) -> None:
        found = view(GALLERY["live"](), "en")
        assert "therapist" not in f"{found.headline} {found.do} {found.then}"

    def test_offline_nobody_has_been_told(self) -> None:
        for name, make in GALLERY.items():
            found = view(make(), "en")
            assert "told" not in f"{found.headline} {found.do} {found.then} {footer(found)}", name

    def test_cameras_are_off_only_when_they_are(self) -> None:
        room = Room().boot().start().press()
        assert "are off" not in view(room.snapshot(), "en").do
        assert view(room.pictures(state="closed").snapshot(), "en").do.startswith("Cameras and microphone are off.")

    def test_everything_sent_only_when_nothing_waits(self) -> None:
        assert footer(view(GALLERY["ended"](), "en"))[1:] == ["Everything sent"]
        assert "7 facts wait here to be sent" in footer(view(GALLERY["ended-unplanned"](), "en"))
        assert "1 fact waits here to be sent" in footer(view(GALLERY["ended-next-due"](), "en"))

    def test_a_record_kept_in_memory_is_not_called_sent(self) -> None:
        assert footer(view(GALLERY["ended-unwritten"](), "en"))[1:] == ["Kept in memory only"]

    def test_no_time_of_day_without_a_clock(self) -> None:
        room = Room(TEN).boot().wrong("camera.covered", "overhead")
        room.now = replace(room.now, trust=ClockTrust.UNSET)
        found = view(room.snapshot(), "en")
        assert ":" not in found.do
        assert found.tiles[0].note == "Desk: covered"

    def test_how_long_the_network_is_away_is_not_read_from_a_stepped_clock(self) -> None:
        room = Room().boot().network(up=False).passes(70)
        assert "No network for 1 min" in footer(view(room.snapshot(), "en"))
        room.link_since = room.now.wall.replace(year=1970)
        assert "No network" in footer(view(room.snapshot(), "en"))

    def test_before_the_first_answer_the_network_is_neither_there_nor_away(self) -> None:
        room = Room().happens_first()
        assert footer(view(room.snapshot(), "en")) == ["Room 12", "Connecting"]

    @pytest.mark.parametrize("name", ["starting", "live", "waiting", "offline"])
    def test_whether_pictures_are_kept_stands_in_every_session(self, name: str) -> None:
        plain = GALLERY[name]()
        assert plain.recording.keep == "nothing"
        assert "Not recorded" in footer(view(plain, "en"))
        allowed = replace(plain, recording=RecordingView("all", "always"))
        assert "Not recorded" in footer(view(allowed, "en")), "allowed, but nothing is written: the disk refuses"
        recorded = footer(view(replace(allowed, cameras=written(plain.cameras)), "en"))
        assert "Recorded, sealed" in recorded
        assert "Not recorded" not in recorded

    def test_everything_sent_is_not_said_while_recordings_wait(self) -> None:
        ended = replace(GALLERY["ended"](), backlog_rows=0)
        assert "Everything sent" in footer(view(ended, "en"))
        waits = footer(view(replace(ended, recording=RecordingView(segments=3)), "en"))
        assert "Times sent; recordings wait here, sealed" in waits

    def test_the_last_seconds_in_memory_are_no_recording(self) -> None:
        assert "Not recorded" in footer(view(GALLERY["live-pre-roll"](), "en"))
        offline = replace(GALLERY["offline"](), recording=RecordingView("pre-roll", "when-offline"))
        assert view(offline, "en").then == "Kept here: session times. No pictures kept."

    def test_spanish_says_the_same_of_what_is_kept(self) -> None:
        found = view(GALLERY["offline-recorded"](), "es")
        assert "Se graba, sellado" in footer(found)
        assert found.then == "Se guardan aquí: los tiempos y las imágenes selladas."

    def test_how_to_end_is_said_beside_what_is_kept(self) -> None:
        found = view(GALLERY["offline-recorded-last-minutes"](), "en")
        assert found.then == "Kept here: session times and sealed pictures. Hold the button to end the session."

    def test_nothing_is_said_of_a_recording_that_has_stopped(self) -> None:
        kept = RecordingView("all", "always")
        for name in ("ready", "paused", "ending", "ended"):
            assert "Recorded, sealed" not in footer(view(replace(GALLERY[name](), recording=kept), "en"))


class TestClocksAndBars:
    def test_the_clock_counts_from_the_press_and_goes_on_by_itself(self) -> None:
        found = view(GALLERY["live"](), "en")
        assert found.clock is not None
        assert (found.clock.elapsed_ms, found.clock.ticking) == (761_000, True)

    def test_the_bar_reaches_its_end_at_the_planned_end(self) -> None:
        found = view(GALLERY["live"](), "en")
        assert found.bar_of_ms == 38 * 60_000  # pressed at 10:07 for a booking that ends at 10:45
        assert found.bar == pytest.approx(761 / 2280)
        assert found.bar_label == "until 10:45"

    def test_without_a_booking_the_bar_leads_to_where_it_ends_by_itself(self) -> None:
        found = view(GALLERY["live-unplanned"](), "en")
        assert (found.bar_of_ms, found.bar_label) == (3_600_000, "ends by itself at 1:00:00")

    def test_past_the_planned_end_the_bar_is_full(self) -> None:
        assert view(GALLERY["live-past-end"](), "en").bar == 1

    @pytest.mark.parametrize(
        ("name", "left_ms", "of_ms", "pattern"),
        [
            ("ending", 6_600, 10_000, "Ending in {seconds}"),
            ("paused-going-on", 1_800, 3_000, "Going on in {seconds}"),
            ("asking", 7_000, 10_000, ""),
        ],
    )
    def test_countdowns(self, name: str, left_ms: int, of_ms: int, pattern: str) -> None:
        found = view(GALLERY[name](), "en")
        assert (found.countdown_to_ms, found.countdown_of_ms, found.headline_pattern) == (left_ms, of_ms, pattern)

    def test_the_ended_session_shows_its_minutes(self) -> None:
        found = view(GALLERY["ended"](), "en")
        assert [(one.label, one.value) for one in found.figures] == [
            ("Session", "28:38"),
            ("Planned", "30:00"),
            ("Without network", "1:50"),
            ("Paused", "0:44"),
            ("Interrupted", "1:40"),
        ]

    def test_what_did_not_happen_has_no_figure(self) -> None:
        assert [one.label for one in view(GALLERY["ended-unplanned"](), "en").figures] == ["Session"]

    def test_a_gap_of_unknown_length_is_not_given_one(self) -> None:
        found = view(GALLERY["ended-not-known"](), "en")
        assert (found.figures[-1].label, found.figures[-1].value) == ("Interrupted", "not known how long")
        assert found.then.startswith("It is not known how long the power was out; the clock was not set.")

    @pytest.mark.parametrize(
        ("name", "language", "figure", "sentence"),
        [
            ("ended-between", "en", "0 to 4 min", "Between 0 and 4 minutes were lost while the power was out;"),
            ("ended-between", "es", "de 0 a 4 min", "Se perdieron entre 0 y 4 minutos sin luz;"),
            ("ended-at-least", "en", "at least 3 min", "At least 3 min were lost while the power was out;"),
            ("ended-at-least", "es", "al menos 3 min", "Se perdieron al menos 3 min sin luz;"),
        ],
    )
    def test_what_was_lost_without_a_clock_is_said_with_its_bounds(
        self, name: str, language: str, figure: str, sentence: str
    ) -> None:
        found = view(GALLERY[name](), language)
        assert found.figures[-1].value == figure
        assert found.then.startswith(sentence)


class TestTwoMinutesAfterTheEnd:
    def test_the_minutes_stand_for_two_minutes(self) -> None:
        room = Room().boot().start().passes(60).hold().passes(12)
        assert view(room.passes(107).snapshot(), "en").screen is Screen.ENDED
        assert view(room.passes(11).snapshot(), "en").screen is Screen.READY

    def test_while_they_stand_a_press_goes_on_with_the_session(self) -> None:
        room = Room().boot().start().passes(60).hold().passes(12)
        assert "go on with this session" in view(room.snapshot(), "en").then
        room.press()
        assert view(room.snapshot(), "en").screen in {Screen.STARTING, Screen.LIVE}


class TestAChildReadsIt:
    def test_no_hint_at_the_button_before_the_last_two_minutes(self) -> None:
        room = Room(TEN).boot().start()
        assert view(room.snapshot(), "en").do == ""
        assert "utton" not in view(room.passes(38 * 60 - 6 - 121).snapshot(), "en").do
        assert "Hold the button" in view(room.passes(2).snapshot(), "en").do

    def test_pictures_belong_to_the_controls_in_session(self) -> None:
        assert view(GALLERY["live"](), "en").tiles_on_tap
        assert not view(GALLERY["ready"](), "en").tiles_on_tap

    def test_no_picture_while_paused(self) -> None:
        for name in ("paused", "paused-closing", "paused-going-on", "ending", "ended"):
            assert view(GALLERY[name](), "en").tiles == ()

    def test_a_tap_in_session_only_shows_the_controls(self) -> None:
        taps = {name: view(make(), "en").tap for name, make in GALLERY.items()}
        assert {taps[name] for name in ("live", "waiting", "offline")} == {Tap.REVEAL}
        assert {taps[name] for name in ("ready", "asking", "paused", "ending", "ended", "booting", "fault")} == {
            Tap.PRESS
        }
        assert {taps[name] for name in ("starting", "identify", "power-countdown")} == {Tap.NOTHING}


class TestTrouble:
    def test_one_thing_to_do_is_the_worst_one(self) -> None:
        room = (
            Room()
            .boot()
            .wrong("clock.unset")
            .wrong("camera.covered", "overhead")
            .passes(1)
            .wrong("camera.dark", "front")
        )
        assert view(room.snapshot(), "en").headline == "Uncover the desk camera"

    def test_blocked_comes_before_attention(self) -> None:
        room = Room().boot().wrong("camera.covered", "overhead").passes(1).wrong("lamp.mismatch")
        assert view(room.snapshot(), "en").headline == "The camera lamp is wrong"

    def test_what_can_be_helped_comes_before_what_cannot(self) -> None:
        room = Room().boot().wrong("storage.low").passes(1).wrong("heat.high")
        assert view(room.snapshot(), "en").headline == "The kiosk is hot"

    def test_a_signal_that_is_held_back_says_nothing(self) -> None:
        room = Room().boot().wrong("camera.covered", "overhead").wrong("camera.dark", "overhead")
        assert view(room.snapshot(), "en").headline == "Uncover the desk camera"

    def test_information_is_not_trouble(self) -> None:
        room = Room().boot().network(up=False).wrong("link.down").wrong("software.behind")
        found = view(room.snapshot(), "en")
        assert (found.screen, found.headline) == (Screen.READY, "Ready")

    def test_both_cameras_away_but_not_given_up_does_not_say_cannot_start(self) -> None:
        room = Room().boot()
        for role in ("overhead", "front"):
            room.wrong("camera.missing", role, Severity.BLOCKED)
        found = view(room.snapshot(), "en")
        assert (found.screen, found.tone) == (Screen.NOT_READY, Tone.BLOCKED)
        assert found.then == "You can start anyway. The therapist will see no picture."

    def test_cannot_start_stands_before_anybody_pressed(self) -> None:
        room = Room().boot().pictures(state="missing")
        assert view(room.snapshot(), "en").headline == "Cannot start"

    def test_a_refusal_whose_cause_is_gone_is_not_repeated(self) -> None:
        room = Room().boot().pictures(state="missing").press().pictures()
        assert room.state.refused is not None
        assert view(room.snapshot(), "en").screen is Screen.READY

    def test_nobody_is_told_to_unplug_a_kiosk_in_session(self) -> None:
        found = view(GALLERY["live-camera-missing"](), "en")
        assert "Unplug" not in found.do + found.then

    def test_four_pauses_in_two_minutes_and_later_no_more(self) -> None:
        room = Room().boot().start()
        for _ in range(4):
            room.press().passes(1).press().passes(3.5).pictures()
        assert view(room.snapshot(), "en").do == "Move the button out of reach."
        assert view(room.passes(121).snapshot(), "en").do == ""

    def test_a_verdict_without_reasons_is_still_a_verdict(self) -> None:
        found = view(replace(GALLERY["ready"](), verdict=Verdict.ATTENTION), "en")
        assert (found.screen, found.tone, found.headline) == (Screen.NOT_READY, Tone.ATTENTION, "You can start")

    def test_a_room_without_numbers_names_none(self) -> None:
        room = Room(place=NOBODY).boot().pictures(state="missing")
        found = view(room.snapshot(), "en")
        assert found.then == "If that does not help, call for help."
        assert found.help == ""
        assert view(GALLERY["fault"](), "en").help == "Help: call 214"


class TestTiles:
    def test_a_covered_camera_shows_since_when_instead_of_its_picture(self) -> None:
        desk, student = view(GALLERY["not-ready-covered"](), "en").tiles
        assert (desk.show, desk.bad, desk.note) == (False, True, "Desk: covered since 10:07")
        assert (student.show, student.bad, student.note) == (True, False, "")

    def test_a_dark_picture_is_shown_and_marked(self) -> None:
        assert all(tile.show and tile.bad for tile in view(GALLERY["not-ready-dark-both"](), "en").tiles)

    @pytest.mark.parametrize(
        ("state", "age_s", "note"),
        [
            ("missing", None, "Desk camera missing"),
            ("stalled", 4.0, "Desk camera missing"),
            ("opening", None, "Desk camera starts"),
            ("closed", None, "Desk camera off"),
            ("closed", 750.0, "Desk camera off. Last picture 12 min ago"),
            ("open", None, "Desk camera: no picture"),
            ("open", 0.1, ""),
        ],
    )
    def test_why_there_is_no_picture(self, state: str, age_s: float | None, note: str) -> None:
        room = Room().boot()
        room.views["overhead"] = CameraView(state, None, age_s, None)
        tile = view(room.snapshot(), "en").tiles[0]
        assert (tile.note, tile.show) == (note, not note)

    def test_an_old_picture_is_not_shown_as_if_it_were_now(self) -> None:
        assert not view(with_dead_camera(GALLERY["ready"]()), "en").tiles[0].show

    def test_a_camera_nobody_spoke_of_is_not_known(self) -> None:
        found = view(replace(GALLERY["ready"](), cameras={}), "en")
        assert [tile.note for tile in found.tiles] == ["Desk camera: not known", "Front camera: not known"]


@pytest.mark.parametrize(("language", "unset", "doubted"), [
    ("en", "Clock not set", "Time not confirmed"), ("es", "Reloj sin hora", "Hora sin confirmar"),
])  # fmt: skip
def test_t1_t4_how_far_the_time_may_be_believed_is_said_where_it_may_not(
    language: str, unset: str, doubted: str
) -> None:
    assert unset in footer(view(GALLERY["can-start-clock"](), language))
    held = Room().boot().wrong("clock.unset", None, Severity.INFO)
    assert doubted in footer(view(held.snapshot(), language))
    found = footer(view(Room().boot().snapshot(), language))
    assert not {unset, doubted} & set(found), "a clock that is right needs no words"
    in_session = Room().boot().start().wrong("clock.unset", None, Severity.INFO)
    assert doubted not in footer(view(in_session.snapshot(), language)), "there it helps nobody"


def test_an_end_is_shown_by_its_minute_though_the_two_clocks_were_not_read_at_once() -> None:
    shown = GALLERY["live"]()
    assert shown.state.session is not None
    assert shown.state.session.planned_end_ns is not None
    early = replace(shown.state.session, planned_end_ns=shown.state.session.planned_end_ns - 20_000)
    assert (
        view(replace(shown, state=replace(shown.state, session=early)), "en").bar_label == view(shown, "en").bar_label
    )


def test_times_are_the_rooms_own() -> None:
    room = Room(ELEVEN, place=replace(PLACE, time_zone="America/New_York")).boot()
    assert view(room.snapshot(), "en").do == "Next: 12:00, in 53 minutes."
    room.place = replace(PLACE, time_zone="Middle-earth/Bree")
    with pytest.raises(ValueError, match="Middle-earth/Bree"):  # settings refuse it; nothing guesses another
        view(room.snapshot(), "en")


def test_a_kiosk_asked_who_it_is_says_so_in_session_without_hiding_the_clock() -> None:
    found = view(GALLERY["live-identify"](), "en")
    assert found.screen is Screen.LIVE
    assert footer(found)[0] == "Room 12 · maple-12"


def test_the_gallery_shows_every_screen_and_every_phase() -> None:
    shown = [make() for make in GALLERY.values()]
    assert {view(one, "en").screen for one in shown} == set(Screen)
    assert {one.state.phase for one in shown} == set(Phase)


def looked_covered() -> Room:
    return Room(TEN).boot().looked(*_covered)


_covered = GALLERY["looked-covered"]().preflight.last.checks  # type: ignore[union-attr]  # the gallery's own look


def test_what_a_look_found_stands_for_half_an_hour_or_until_the_cameras_show_how_it_is() -> None:
    room = looked_covered()
    assert view(room.snapshot(), "en").screen is Screen.NOT_READY
    assert view(room.pictures().snapshot(), "en").screen is Screen.READY, "open cameras are judged as they are now"
    assert view(looked_covered().passes(31 * 60).snapshot(), "en").headline == "Ready"


def test_what_a_look_found_well_is_said_for_a_minute() -> None:
    room = Room(TEN).boot().looked()
    assert "Checked at 10:07" in view(room.snapshot(), "en").then
    assert "Checked" not in view(room.passes(61).snapshot(), "en").then


def test_what_is_wrong_is_said_even_while_the_kiosk_looks() -> None:
    assert view(Room(TEN).boot().looks().wrong("lamp.mismatch").snapshot(), "en").tone is Tone.BLOCKED
    covered = Room(TEN).boot().looks().wrong("camera.covered", "overhead")
    assert view(covered.snapshot(), "en").headline == "Uncover the desk camera"
    assert view(Room(TEN).boot().looks().wrong("clock.unset").snapshot(), "en").headline == "Checking …"


def test_a_session_is_shown_and_no_look_from_before_it() -> None:
    assert view(looked_covered().start().passes(30).snapshot(), "en").screen is Screen.LIVE
