"""What no clock could tell of a session, in words: how much was lost to power cuts at least and at most. Pure."""

from typing import Final

from wire.minutes import Bounds

_MINUTE_MS: Final = 60_000


def lost_in_words(bounds: Bounds) -> str:
    """`between 3 and 41 minutes were lost to a power cut; the kiosk's clock was not set`, in whole minutes outwards."""
    cuts = "a power cut" if len(bounds.gaps) == 1 else f"{len(bounds.gaps)} power cuts"
    least, most = bounds.lost_min_ms // _MINUTE_MS, bounds.lost_max_ms
    if most is not None:
        lost = f"between {least} and {_minutes(-(-most // _MINUTE_MS))} were lost to {cuts}"
    elif least:
        lost = f"at least {_minutes(least)} {'was' if least == 1 else 'were'} lost to {cuts}"
    else:
        lost = f"nobody knows how long {cuts} lasted"
    return f"{lost}; the kiosk's clock was not set"


def _minutes(count: int) -> str:
    return "1 minute" if count == 1 else f"{count} minutes"
