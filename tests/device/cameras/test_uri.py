import pytest

from device.cameras.errors import BadCameraSpec, BadCameraUri, CameraError
from device.cameras.source import CameraSpec
from device.cameras.uri import CameraUri, parse_uri


@pytest.mark.parametrize(
    ("text", "scheme", "target"),
    [
        (
            "picamera2:/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a",
            "picamera2",
            "/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a",
        ),
        ("v4l2:/dev/v4l/by-path/usb-0:1.2-video", "v4l2", "/dev/v4l/by-path/usb-0:1.2-video"),
        ("file:/srv/clips/a desk: morning.mp4", "file", "/srv/clips/a desk: morning.mp4"),
        ("scene:desk", "scene", "desk"),
        ("scene:student", "scene", "student"),
    ],
)
def test_each_form_of_uri_is_understood_and_written_back_the_same(text: str, scheme: str, target: str) -> None:
    assert parse_uri(text) == CameraUri(scheme, target)
    assert str(parse_uri(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "desk",
        "scene:",
        "scene:garden",
        "file:",
        "file:clip.mp4",
        "v4l2:/etc/passwd",
        "v4l2:0",
        "picamera2:",
        "rtsp://camera.example/stream",
        "File:/clip.mp4",
        "file:/a\0b",
    ],
)
def test_anything_else_is_refused_with_what_was_given_and_what_exists(text: str) -> None:
    with pytest.raises(BadCameraUri) as refusal:
        parse_uri(text)
    assert repr(text) in str(refusal.value)
    for form in ("picamera2:<id>", "v4l2:/dev/", "file:/path", "scene:desk", "scene:student"):
        assert form in str(refusal.value)
    assert isinstance(refusal.value, CameraError)
    assert isinstance(refusal.value, ValueError)


@pytest.mark.parametrize(
    ("role", "width", "height", "fps"),
    [
        ("ceiling", 640, 480, 30),
        ("front", 0, 480, 30),
        ("front", 640, 99_999, 30),
        ("front", 640, 480, 0),
        ("front", 640, 480, float("nan")),
    ],
)
def test_a_spec_no_camera_can_meet_is_refused(role: str, width: int, height: int, fps: float) -> None:
    with pytest.raises(BadCameraSpec):
        CameraSpec(role, "scene:desk", width, height, fps)
