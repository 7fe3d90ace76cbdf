"""Sound cards as the kernel lists them."""

from pathlib import Path

from device.audio.cards import cards, found


def card(root: Path, number: int, name: str, usb_id: str | None, *streams: str) -> None:
    folder = root / f"card{number}"
    folder.mkdir(parents=True)
    (folder / "id").write_text(f"{name}\n")
    if usb_id:
        (folder / "usbid").write_text(f"{usb_id}\n")
    for stream in streams:
        (folder / stream).mkdir()


def test_without_alsa_nobody_can_know(tmp_path: Path) -> None:
    assert cards(tmp_path / "asound") is None


def test_a_card_is_known_by_its_usb_id_whatever_its_number(tmp_path: Path) -> None:
    card(tmp_path, 0, "vc4hdmi0", None, "pcm0p")
    card(tmp_path, 10, "PowerConf", "291A:3301", "pcm0c", "pcm0p")
    card(tmp_path, 2, "Webcam", "046d:0825", "pcm0c")
    known = cards(tmp_path)
    assert known is not None
    assert [one.name for one in known] == ["vc4hdmi0", "Webcam", "PowerConf"]
    speakerphone = found(known, "291a:3301", "capture")
    assert speakerphone is not None
    assert speakerphone.pcm("play") == "plughw:CARD=PowerConf,DEV=0"
    assert found(known, "046d:0825", "play") is None, "a camera's microphone plays nothing"
    assert found(known, "dead:beef", "capture") is None


def test_without_an_id_it_is_the_first_usb_card_that_can(tmp_path: Path) -> None:
    card(tmp_path, 0, "vc4hdmi0", None, "pcm0p")
    card(tmp_path, 1, "Webcam", "046d:0825", "pcm1c")
    card(tmp_path, 2, "PowerConf", "291a:3301", "pcm0c", "pcm0p")
    known = cards(tmp_path) or ()
    microphone, speaker = found(known, "", "capture"), found(known, "", "play")
    assert microphone is not None
    assert microphone.pcm("capture") == "plughw:CARD=Webcam,DEV=1"
    assert speaker is not None
    assert speaker.name == "PowerConf", "the screen's own sound is no kiosk's loudspeaker"


def test_a_card_that_is_just_coming_or_is_named_oddly_is_none(tmp_path: Path) -> None:
    (tmp_path / "card0").mkdir()
    card(tmp_path, 1, "a,DEV=0;x", "046d:0825", "pcm0c")
    (tmp_path / "cards").write_text("no folder")
    assert cards(tmp_path) == ()
