import json

from hypothesis import given
from hypothesis import strategies as st

from fleet.console.vitals import vitals

SET_UP = "Cameras set up"


def table(health: dict[str, object] | None) -> dict[str, str]:
    return {vital.word: vital.value for vital in vitals(health)}


def test_what_has_no_sensor_is_unknown() -> None:
    shown = table({"temperature_c": None, "undervoltage_now": False, "storage_free_bytes": 41_200_000_000})
    assert shown["Temperature"] == "unknown"
    assert shown["Under-voltage now"] == "no"
    assert shown["Throttled now"] == "unknown"
    assert shown["Storage free"] == "41.2 GB"


def test_a_kiosk_that_sent_none_has_only_unknowns() -> None:
    assert set(table(None).values()) == {"unknown"}


def test_each_camera_is_named() -> None:
    shown = table({"cameras": {"overhead": {"state": "open", "fps": 29.97}, "front": {"state": "lost", "fps": None}}})
    assert shown["Desk camera, frame rate"] == "30.0 per second"
    assert shown["Front camera, state"] == "lost"
    assert shown["Front camera, frame rate"] == "unknown"


def test_what_a_camera_really_gives_its_last_repair_and_the_wear_of_the_card_are_told() -> None:
    front = {"state": "open", "native": {"width": 640, "height": 480, "fps": 30.0, "form": "MJPG"}}
    shown = table(
        {
            "cameras": {"front": {**front, "last_step": "kill (deaf)"}},
            "segments": 12,
            "storage_written_today_bytes": 3_100_000_000,
            "storage_years_left": 4.26,
        }
    )
    assert shown["Front camera, gives"] == "640x480 MJPG"
    assert shown["Front camera, last repair"] == "kill (deaf)"
    assert shown["Sealed segments kept"] == "12"
    assert shown["Written today"] == "3.1 GB"
    assert shown["Card lasts, at this rate"] == "about 4.3 years"


def test_t4_how_far_the_clock_is_trusted_is_said_in_words() -> None:
    shown = table({"clock": "synced", "clock_source": "fleet", "clock_off_s": -64_800.4})
    assert shown["Clock"] == "right, by a time source"
    assert shown["Time by"] == "the fleet's own time, for want of NTP that can be believed"
    assert shown["Machine's clock beside the fleet's"] == "18.0 h behind"
    far = [table({"clock_off_s": off})["Machine's clock beside the fleet's"] for off in (0.24, 157_680_000)]
    assert far == ["0.2 s ahead", "1825 days ahead"]
    assert table({"clock": "held"})["Clock"] == "set earlier; no time source vouches for it now"
    assert table({"clock": "of a later version"})["Clock"] == "of a later version"


_TEXT = st.text("ab<>&\"'é7", max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "uptime_s",
                "temperature_c",
                "clock",
                "clock_source",
                "clock_off_s",
                "cameras",
                "storage_free_bytes",
                "backlog_rows",
            ]
        ),
        _VALUES,
    )
)
def test_no_kiosk_can_break_the_page(health: dict[str, object]) -> None:
    assert vitals(json.loads(json.dumps(health)))


def test_the_desk_cameras_scale_says_what_it_is_good_for() -> None:
    def worksheet(px_per_mm: float | None) -> str | None:
        cameras = {"overhead": {"px_per_mm": px_per_mm}, "front": {"px_per_mm": None}}
        return table({"cameras": cameras}).get("Worksheet")

    assert worksheet(3.94) == "3.9 px per mm: good enough for handwriting"
    assert worksheet(2.99) == "2.9 px per mm: too coarse to judge letters; move the camera closer"
    assert worksheet(None) == "unknown"
    assert "Worksheet" not in table({"cameras": {"overhead": {"state": "open"}}}), "a kiosk that does not tell"


def test_whether_the_cameras_were_set_up_is_told_as_far_as_it_is_known() -> None:
    assert (
        table({"cameras_set_up_at": "2026-03-02T09:00:00Z", "cameras_set_up_by": "it"})[SET_UP] == "2026-03-02, by IT"
    )
    assert table({"cameras_set_up_at": None})[SET_UP].startswith("not yet")
    unclear: list[dict[str, object]] = [
        {},
        {"cameras_set_up_at": "soon", "cameras_set_up_by": "it"},
        {"cameras_set_up_at": 3},
    ]
    for odd in unclear:
        assert table(odd)[SET_UP] == "unknown"
