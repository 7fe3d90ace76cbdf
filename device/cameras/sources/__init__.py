"""Where frames come from; a camera URI names one of them."""

from device.cameras.source import CameraSpec, Source
from device.cameras.uri import parse_uri


def open_source(spec: CameraSpec) -> Source:
    """Open the camera that `spec.uri` names. Only a camera worker calls this: an open driver can hang its process.

    Raises:
        BadCameraUri: the URI names no kind of camera.
        SourceMissing: nothing is there, or it gives no pictures.
        SourceFailed: it is there and broke while being opened.
    """
    # Imported on use: a kiosk with CSI cameras loads no file reader, and a broken driver hurts nobody else.
    uri = parse_uri(spec.uri)
    match uri.scheme:
        case "file":
            from device.cameras.sources.file import open_file  # noqa: PLC0415 - see above

            return open_file(spec, uri.target)
        case "v4l2":
            from device.cameras.sources.v4l2 import open_v4l2  # noqa: PLC0415 - see above

            return open_v4l2(spec, uri.target)
        case "scene":
            from device.cameras.sources.scene import open_scene  # noqa: PLC0415 - see above

            return open_scene(spec, uri.target)
        case _:
            from device.cameras.sources.picamera2 import open_picamera2  # noqa: PLC0415 - see above

            return open_picamera2(spec, uri.target)
