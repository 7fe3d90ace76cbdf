"""What can be wrong with a camera.

CameraError
├── BadCameraUri   the text names no kind of camera this kiosk knows
├── BadCameraSpec  a role, size or rate no camera can have
├── SourceMissing  no such device or file, or nothing that gives pictures
├── SourceStalled  open, but no frame came in time
├── SourceFailed   it was there and broke: close it and open it again
├── RebindRefused  the system does not let the camera's USB port be switched off and on
├── NoPicture      somebody asked for a picture and there is none to give
├── BadMessage     the two sides of the process boundary do not understand each other
└── BadKey         what was given as the fleet's public key is none
"""


class CameraError(Exception):
    """Anything wrong with a camera; its text is fit to be shown to people."""


class BadCameraUri(CameraError, ValueError):
    """The text names no kind of camera this kiosk knows."""


class BadCameraSpec(CameraError, ValueError):
    """A role, picture size or frame rate that no camera can have."""


class SourceMissing(CameraError):
    """There is no such device or file, or nothing in it gives pictures."""


class SourceStalled(CameraError):
    """The source is open, but no frame came in time."""


class SourceFailed(CameraError):
    """The source was there and broke; it must be closed and opened again."""


class RebindRefused(CameraError):
    """The camera's USB port could not be taken off its driver and put back."""


class NoPicture(CameraError):
    """A picture was asked for and there is none to give."""


class BadMessage(CameraError, ValueError):
    """What came over the process boundary is not what the other side may send."""


class BadKey(CameraError, ValueError):
    """What was given as the fleet's public key is none; nothing can be recorded with it."""
