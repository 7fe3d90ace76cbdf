"""`carrel-kiosk selftest`: real workers on scenes, clips and missing devices, and what their figures mean."""

import asyncio
import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gpiozero import LED
from hypothesis import given
from hypothesis import strategies as st

from device import placement
from device.agent import Hardware
from device.audio.sound import Hearing
from device.cameras.ladder import CameraState
from device.cameras.source import CameraSpec, Native, Packet
from device.cameras.status import CameraStatus
from device.cli import main
from device.placement import Placement
from device.selftest import parts
from device.selftest.camera import try_camera
from device.selftest.figures import Coded, result
from device.selftest.parts import look_at_clock, look_at_seal, look_at_sound, look_at_storage, panel
from device.selftest.run import needs_devices
from device.session.clock import Instant
from device.settings import AudioSettings, Settings
from lab.demo import free_port
from lab.kit import SimulatedKit
from lab.sound import MICROPHONE_ID, SPEAKER_ID, LabSound, Mute
from tests import media, sealed
from tests.device.cameras.fake_picamera2 import DESK, STUDENT
from tests.device.screen.gallery import GALLERY
from tests.device.screen.room import MORNING
from tests.device.screen.served import ShownKiosk, served
from wire.ledger import ClockTrust
from wire.segments import key_id
from wire.settings_file import read_settings

KEY = base64.b64encode(sealed.PUBLIC).decode()
NOW = Instant(600_000_000_000, MORNING, "boot-1", ClockTrust.SYNCED)
SPEC = CameraSpec("overhead", "v4l2:/dev/video0", 640, 360, 20)
OPEN = CameraStatus(
    "overhead", CameraState.OPEN, 4242, 20.0, 0.05, device_open=True, restarts=0, detail="",
    native=Native(640, 360, 20.0, "MJPG"),
)  # fmt: skip
FIGURES = {
    "ok", "id", "role", "uri", "asked", "native", "fps", "first_frame_ms", "latency_ms", "packets", "keyframes",
    "bitrate_bps", "encoder", "left_out", "restarts", "seen", "px_per_mm", "attention", "problem",
}  # fmt: skip


def config(
    folder: Path, overhead: str = "scene:desk", front: str = "scene:student", *, key: str = "", port: int = 0,
    size: str = "width = 320\nheight = 180\nfps = 10",
) -> Path:  # fmt: skip
    """A kiosk.toml for small pictures; its data folder does not exist yet."""
    path = folder / "kiosk.toml"
    path.write_text(
        f'data_dir = "{folder}/var/carrel"\n[kiosk]\nid = "lincoln-12"\ncampus = "lincoln"\n'
        f'[link]\nurls = ["mqtts://fleet.example.org:8883"]\n[screen]\nport = {port or free_port()}\n'
        f'[recording]\nfleet_key = "{key}"\n'
        f'[cameras.overhead]\nuri = "{overhead}"\n{size}\n[cameras.front]\nuri = "{front}"\n{size}\n',
        encoding="utf-8",
    )
    return path


def settings(folder: Path, *, key: str = "", **recording: float) -> Settings:
    found = read_settings(Settings, config(folder, key=key))
    return found.model_copy(update={"recording": found.recording.model_copy(update=recording)})


def selftest(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, list[str]]:
    """Exit code, standard output, and the lines of standard error."""
    code = main(["selftest", "--config", str(path), "--seconds", "2", *more])
    told = capsys.readouterr()
    return code, told.out, told.err.splitlines()


class TestTheCommand:
    def test_scenes_pass_and_json_is_one_object_and_nothing_else(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, err = selftest(config(tmp_path, key=KEY), capsys, "--json")
        told = json.loads(out)
        assert code == 0
        assert (told["ok"], told["kiosk"]) == (True, "lincoln-12")
        assert list(told) == ["ok", "kiosk", "cameras", "storage", "seal", "panel", "clock", "sound"]
        assert list(told["cameras"]) == ["overhead", "front"]
        for role, camera in told["cameras"].items():
            assert set(camera) == FIGURES
            assert (camera["role"], camera["asked"]) == (role, {"width": 320, "height": 180, "fps": 10})
            assert (camera["native"]["width"], camera["native"]["height"]) == (320, 180)
            assert camera["packets"] > 2
            assert camera["keyframes"] >= 1
            assert camera["bitrate_bps"] > 1000
            assert camera["first_frame_ms"] > 0
            assert camera["latency_ms"] > 0
            assert (camera["encoder"], camera["restarts"], camera["problem"]) == ("software", 0, None)
        assert told["cameras"]["overhead"]["id"] == "desk"
        assert told["seal"]["key_id"] == key_id(sealed.PUBLIC)
        assert len(err) == 1
        assert err[0].startswith("Opening the cameras")

    def test_cameras_that_were_exchanged_are_tried_as_they_are_used(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = config(tmp_path, overhead="scene:student", front="scene:desk")
        data = read_settings(Settings, path).data_dir
        data.mkdir(parents=True)
        placement.save(data, Placement(exchanged=True))
        code, out, _ = selftest(path, capsys, "--json")
        assert code == 0
        assert {role: one["id"] for role, one in json.loads(out)["cameras"].items()} == {
            "overhead": "desk", "front": "student",
        }  # fmt: skip

    def test_clips_pass_and_a_person_reads_a_table(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        desk, student = media.clip("overhead", tmp_path), media.clip("front", tmp_path)
        code, out, _ = selftest(config(tmp_path, f"file:{desk}", f"file:{student}"), capsys)
        assert code == 0
        for words in (
            "overhead camera",
            "front camera",
            str(desk),
            "keyframes",
            "storage",
            "seal",
            "panel",
            "clock",
            "sound",
        ):
            assert "".join(words.split()) in "".join(out.split()), "a long path may go over two lines"
        assert "FAILS" not in out
        assert max(map(len, out.splitlines())) <= 120

    def test_a_missing_device_is_named_and_the_other_camera_is_well(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, err = selftest(config(tmp_path, "v4l2:/dev/video97"), capsys, "--json")
        cameras = json.loads(out)["cameras"]
        assert code == 1
        assert err[-1] == "carrel-kiosk: the self-test failed: overhead camera"
        assert "/dev/video97: there is no such device" in cameras["overhead"]["problem"]
        assert "[cameras.overhead] in kiosk.toml" in cameras["overhead"]["problem"]
        assert (cameras["overhead"]["native"], cameras["overhead"]["first_frame_ms"]) == (None, None)
        assert cameras["front"]["ok"]

    def test_a_smaller_camera_is_used_and_its_real_figures_are_said(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        clip = media.render("overhead", tmp_path)
        path = config(tmp_path, f"file:{clip}", f"file:{clip}", size="width = 640\nheight = 360\nfps = 10")
        code, out, _ = selftest(path, capsys, "--json")
        overhead = json.loads(out)["cameras"]["overhead"]
        assert code == 0
        assert (overhead["ok"], overhead["problem"]) == (True, None)
        assert "It gives 320x180, not the 640x360 asked for" in overhead["attention"]
        assert (overhead["native"]["width"], overhead["native"]["height"]) == (320, 180)

    def test_a_bad_fleet_key_is_named_before_anything_opens(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, err = selftest(config(tmp_path, key="c2hvcnQ="), capsys, "--json")
        assert (code, out, len(err)) == (1, "", 1)
        assert "recording.fleet_key" in err[0]
        assert "5 bytes instead of 32" in err[0]

    def test_what_a_running_agent_holds_is_not_taken_from_it(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with served(ShownKiosk(GALLERY["ready"]())) as address:
            port = int(address.rpartition(":")[2])
            code, out, err = selftest(config(tmp_path, "v4l2:/dev/video0", port=port), capsys, "--json")
            assert (code, out) == (1, "")
            assert err == [
                "carrel-kiosk: the agent is running and holds the cameras; use carrel-kiosk state, or stop it first"
            ]
            code, out, _ = selftest(config(tmp_path, port=port), capsys, "--json")
            assert (code, json.loads(out)["panel"]["says"]) == (0, "the running agent holds button and lamps")

    @pytest.mark.parametrize("seconds", ["0", "1", "61", "-3", "nan", "soon"])
    def test_it_watches_for_a_sensible_time(
        self, tmp_path: Path, seconds: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as left:
            main(["selftest", "--config", str(config(tmp_path)), "--seconds", seconds])
        assert left.value.code == 2
        assert "between 2 and 60 seconds" in capsys.readouterr().err


class TestACamera:
    def test_a_driver_that_breaks_is_told_with_its_words(self) -> None:
        found = asyncio.run(
            try_camera(
                CameraSpec("front", "scene:student", 160, 90, 10), 2,
                "tests.device.cameras.odd_sources:open_odd", {"kind": "explosive"},
            )
        )  # fmt: skip
        assert not found.ok
        assert found.problem is not None
        assert "ZeroDivisionError: in the driver" in found.problem
        assert found.packets == 0

    def test_a_pi_camera_is_known_by_libcameras_own_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "picamera2.py").write_text(
            "from tests.device.cameras.fake_picamera2 import DESK, STUDENT, Bench, Picamera2, Sensor\n"
            "Picamera2.bench = Bench([Sensor(STUDENT), Sensor(DESK)])\n"
        )
        monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path))
        spec = CameraSpec("overhead", "picamera2:i2c@88000/imx708@1a", 320, 180, 10)
        found = asyncio.run(try_camera(spec, 2))
        assert (found.id, found.problem) == (DESK, None)
        assert found.packets > 2
        nameless = asyncio.run(try_camera(replace(spec, uri="picamera2:imx708"), 2))
        assert nameless.id == "imx708"
        assert nameless.problem is not None
        assert STUDENT in nameless.problem
        assert DESK in nameless.problem


def coded(count: int, *, every_ms: int = 50, size: int = 1_000, age_ms: int = 30) -> Coded:
    found = Coded()
    for number in range(count):
        at_ns = number * every_ms * 1_000_000
        found.take(Packet(bytes(size), at_ns, number % 10 == 0), at_ns + age_ms * 1_000_000)
    return found


def judged(status: CameraStatus = OPEN, given: Coded | None = None, spec: CameraSpec = SPEC) -> Any:
    return result(spec, "video0", status, coded(41) if given is None else given, first_frame_ms=800)


class TestFigures:
    def test_of_coded_pictures(self) -> None:
        found = judged()
        assert (found.packets, found.keyframes, found.bitrate_bps, found.latency_ms) == (41, 5, 160_000, 30.0)
        assert (found.ok, found.attention, found.problem, found.seen) == (True, None, None, ())

    @pytest.mark.parametrize("count", [0, 1])
    def test_nothing_is_made_of_too_few(self, count: int) -> None:
        found = coded(count)
        assert (found.per_s, found.bitrate_bps) == (None, None)

    def test_pictures_that_nobody_can_code(self) -> None:
        assert "nobody can code as H.264" in judged(given=Coded()).problem

    def test_a_camera_that_stopped_in_between(self) -> None:
        found = judged(replace(OPEN, state=CameraState.STALLED, detail="it is open but gives no frames"))
        assert found.problem.startswith("It stopped giving pictures: it is open but gives no frames.")

    def test_a_slow_camera_and_a_slow_machine_are_told_apart(self) -> None:
        assert judged(replace(OPEN, fps=12.0)).attention == "It gives 12.0 frames a second, not the 20 asked for."
        assert "Only 10.0 of its 20 frames a second are coded" in judged(given=coded(21, every_ms=100)).attention

    def test_a_process_that_had_to_be_replaced_is_told(self) -> None:
        assert "started anew (2 times)" in judged(replace(OPEN, restarts=2)).attention

    def test_what_the_picture_checks_find_is_said_in_words(self) -> None:
        seen = ({"condition": "covered", "evidence": {}}, {"condition": "unusable", "evidence": {}})
        found = judged(replace(OPEN, seen=seen))
        assert found.seen == ("The desk camera is covered.", "Its pictures hold nothing that can be looked at.")
        assert found.ok, "a cover on the lens is no broken camera"

    @pytest.mark.parametrize(
        ("uri", "encoder", "form", "who"),
        [
            ("picamera2:imx708", "software", "YUV420", "software"),
            ("picamera2:imx708", "hardware", "YUV420", "hardware"),
            ("v4l2:/dev/video0", "hardware", "H264", "hardware"),
            ("v4l2:/dev/video0", "hardware", "MJPG", "software"),
        ],
    )
    def test_who_coded(self, uri: str, encoder: str, form: str, who: str) -> None:
        status = replace(OPEN, native=Native(640, 360, 20.0, form))
        assert judged(status, spec=replace(SPEC, uri=uri, encoder=encoder)).encoder == who

    @given(
        state=st.sampled_from(CameraState), count=st.integers(0, 50), width=st.integers(1, 1280),
        height=st.integers(1, 720), detail=st.sampled_from(["", "/dev/video0: the device does not open"]),
    )  # fmt: skip
    def test_a_camera_is_well_exactly_when_its_coded_pictures_come(
        self, state: CameraState, count: int, width: int, height: int, detail: str
    ) -> None:
        status = replace(OPEN, state=state, detail=detail, native=Native(width, height, 20.0, "MJPG"))
        found = judged(status, coded(count))
        assert found.ok == (state is CameraState.OPEN and count > 0)
        assert found.ok == (found.problem is None)
        assert (f"{width}x{height}" in (found.attention or "")) == (width < 640 or height < 360)
        assert json.loads(json.dumps(found.json(), allow_nan=False))["ok"] == found.ok


class TestStorage:
    def test_it_is_left_as_it_was_found(self, tmp_path: Path) -> None:
        before = sorted(tmp_path.rglob("*"))
        found = look_at_storage(settings(tmp_path))
        assert (found.ok, found.facts["writable"]) == (True, True)
        assert found.facts["room_bytes"] > 0
        assert [one for one in sorted(tmp_path.rglob("*")) if one not in before] == [tmp_path / "kiosk.toml"]

    def test_a_shelf_that_is_there_stays(self, tmp_path: Path) -> None:
        of = settings(tmp_path)
        (of.data_dir / "segments").mkdir(parents=True)
        assert look_at_storage(of).ok
        assert (of.data_dir / "segments").is_dir()
        assert list((of.data_dir / "segments").iterdir()) == []

    def test_a_folder_that_cannot_be_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "var").write_text("no folder")
        found = look_at_storage(settings(tmp_path))
        assert (found.ok, found.facts["writable"]) == (False, False)
        assert f"{tmp_path}/var/carrel cannot be written" in found.says
        assert "data_dir in kiosk.toml" in found.says

    def test_less_than_an_hour_of_room_matters_where_something_is_recorded(self, tmp_path: Path) -> None:
        small = settings(tmp_path, key=KEY, quota_gb=0.001)
        assert not look_at_storage(small).ok
        assert "quota_gb" in look_at_storage(small).says
        assert look_at_storage(settings(tmp_path, quota_gb=0.001)).ok


class TestTheSeal:
    def test_a_piece_sealed_here_has_the_form_that_the_fleet_opens(self, tmp_path: Path) -> None:
        found = look_at_seal(settings(tmp_path, key=KEY), NOW)
        assert (found.ok, found.facts["key_id"]) == (True, key_id(sealed.PUBLIC))

    def test_no_key_is_said_and_no_error(self, tmp_path: Path) -> None:
        found = look_at_seal(settings(tmp_path), NOW)
        assert found.ok
        assert found.says.startswith("no key of the fleet is configured")

    @pytest.mark.parametrize("key", ["c2hvcnQ=", "not base64!", base64.b64encode(bytes(32)).decode()])
    def test_a_key_with_which_nothing_can_be_sealed(self, tmp_path: Path, key: str) -> None:
        of = settings(tmp_path)
        of = of.model_copy(update={"recording": of.recording.model_copy(update={"fleet_key": key})})
        found = look_at_seal(of, NOW)
        assert not found.ok
        assert "fleet_key under [recording]" in found.says


class TestThePanel:
    def test_the_cameras_lamp_is_lit_while_a_camera_may_be_open(self, tmp_path: Path) -> None:
        of, kit = settings(tmp_path), SimulatedKit()
        lamp = kit.pin_factory.pin(of.panel.camera_lamp_pin)
        with panel(of, Hardware(pin_factory=kit.pin_factory), agent_runs=False) as found:
            assert (found.ok, found.facts) == (True, {"fitted": True, "camera_lamp": True})
            assert lamp.state
        assert not lamp.state

    @pytest.mark.parametrize(("board", "ok"), [(None, True), ("Raspberry Pi 5 Model B Rev 1.0", False)])
    def test_a_machine_without_pins_is_no_error_and_a_pi_without_them_is(
        self, tmp_path: Path, board: str | None, ok: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parts, "board_model", lambda: board)
        of, kit = settings(tmp_path), SimulatedKit()
        with (
            LED(of.panel.lamp_pin, pin_factory=kit.pin_factory),
            panel(of, Hardware(pin_factory=kit.pin_factory), agent_runs=False) as found,
        ):
            assert found.ok == ok
            assert ("no button or lamps here" in found.says) == ok


@pytest.mark.parametrize("trust", ClockTrust)
def test_the_clocks_trust_is_said_and_fails_nothing(trust: ClockTrust) -> None:
    found = look_at_clock(replace(NOW, trust=trust))
    assert (found.ok, found.facts["trust"]) == (True, trust.value)
    assert "2026-11-23 16:07:00 UTC, " in found.says


@pytest.mark.parametrize(
    ("overhead", "needs"), [("scene:desk", False), ("file:/a.mp4", False), ("v4l2:/dev/video0", True)]
)
def test_files_and_scenes_can_be_shared_with_a_running_agent(tmp_path: Path, overhead: str, needs: bool) -> None:
    assert needs_devices(read_settings(Settings, config(tmp_path, overhead))) == needs


def test_sound_is_looked_for_by_usb_id_and_opened_by_nobody(tmp_path: Path) -> None:
    sound = LabSound(tmp_path / "sound")
    fitted = {"fitted": True, "microphone": MICROPHONE_ID, "speaker": SPEAKER_ID}
    with_sound = settings(tmp_path).model_copy(update={"audio": AudioSettings.model_validate(fitted)})
    assert look_at_sound(settings(tmp_path), sound.hearing).facts == {"fitted": False}
    well = look_at_sound(with_sound, sound.hearing)
    assert (well.ok, well.facts["microphone"], well.facts["speaker"]) == (True, "LabMic", "LabSpeaker")
    sound.set(Mute.NO_SPEAKER)
    less = look_at_sound(with_sound, sound.hearing)
    assert not less.ok
    assert "no loudspeaker is plugged in; this machine lists LabMic (1d6b:0a01)" in less.says
    assert not look_at_sound(with_sound, Hearing(tmp_path / "none")).ok
