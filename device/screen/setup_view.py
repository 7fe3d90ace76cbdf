"""What the page on which the cameras are set up shows at one instant: words, figures, an arrow, what may be done."""

from datetime import datetime
from typing import Any, Final

from device import aim
from device.aim import Advice, Progress, Stage
from device.screen.setup_words import TABLES, SetupWords
from device.snapshot import SetupView

_ARROWS: Final = {
    Advice.LEFT: "left",
    Advice.RIGHT: "right",
    Advice.UP: "up",
    Advice.DOWN: "down",
    Advice.CLOCKWISE: "clockwise",
    Advice.ANTICLOCKWISE: "anticlockwise",
}
_MARKERS: Final = 4


def setup_view(progress: Progress, setup: SetupView, language: str) -> dict[str, Any]:
    """The JSON object of `GET /api/commission`; shares are 0 to 1, lengths millimetres, unknown is null."""
    w = TABLES.get(language, TABLES["en"])
    title, do = _words(w, progress)
    seen = progress.overhead
    return {
        "stage": progress.stage.value,
        "advice": progress.advice.value if progress.advice else None,
        "role": progress.role,
        "title": title,
        "do": do,
        "arrow": _ARROWS.get(progress.advice) if progress.advice else None,
        "corners": None if seen.corners is None else [list(one) for one in seen.corners],
        "markers": _markers(progress),
        "px_per_mm": seen.px_per_mm,
        "reads_handwriting": aim.reads_handwriting(seen.px_per_mm),
        "edge_mm": seen.edge_mm,
        "narrowest_mm": progress.narrowest_mm,
        "focus": _focus(progress),
        "figures": _figures(w, progress),
        "may_confirm": progress.stage is Stage.READY,
        "may_exchange": progress.stage is Stage.AIMING,
        "setup": _setup(w, setup),
        "direction": w.direction,
        "labels": {
            "title": w.title, "keep": dict(w.keep), "exchange": w.exchange, "close": w.close, "straight": w.straight,
            "lost": w.lost, "cameras": dict(w.cameras),
        },
    }  # fmt: skip


def _words(w: SetupWords, progress: Progress) -> tuple[str, str]:
    if progress.stage is not Stage.AIMING or progress.advice is None:
        return w.stage_title[progress.stage], w.stage_do[progress.stage]
    title, do = w.advice_title[progress.advice], w.advice_do[progress.advice]
    camera = w.cameras[progress.role or "overhead"]
    corner = w.corners[progress.hidden[0]] if progress.hidden else ""
    return title.format(camera=camera), do.format(camera=camera, corner=corner)


def _markers(progress: Progress) -> int | None:
    found = (progress.overhead.aim or {}).get("markers")
    return None if found is None else round(found)


def _focus(progress: Progress) -> float | None:
    """How near the focus is to the best that was seen, 0 to 1."""
    seen = progress.overhead
    if seen.edge_mm and progress.narrowest_mm is not None:
        return round(min(1.0, progress.narrowest_mm / seen.edge_mm), 3)
    if seen.sharpness is not None and progress.sharpest:
        return round(min(1.0, seen.sharpness / progress.sharpest), 3)
    return None


def _figures(w: SetupWords, progress: Progress) -> list[dict[str, Any]]:
    """Label, text, and whether it is good; null where it is not known yet."""
    seen, markers = progress.overhead, _markers(progress)
    reads = aim.reads_handwriting(seen.px_per_mm)
    mat = scale = focus = w.unknown
    sharp: bool | None = None
    if markers is not None:
        mat = w.found.format(n=markers)
    if seen.px_per_mm is not None:
        scale = (w.fine if reads else w.coarse).format(scale=f"{seen.px_per_mm:.1f}")
    if seen.edge_mm is not None:
        sharp = aim.is_sharp(seen.edge_mm, seen.px_per_mm)
        focus = f"{w.sharp if sharp else w.soft} ({seen.edge_mm:.1f} mm)"
    return [
        {"label": w.mat, "text": mat, "good": None if markers is None else markers == _MARKERS},
        {"label": w.scale, "text": scale, "good": reads},
        {"label": w.focus, "text": focus, "good": sharp},
    ]


def _setup(w: SetupWords, setup: SetupView) -> dict[str, Any]:
    at: datetime | None = setup.at
    words = "" if at is None else w.confirmed.format(date=f"{at:%Y-%m-%d}", by=setup.by)
    return {"at": at.isoformat() if at else None, "by": setup.by, "px_per_mm": setup.px_per_mm, "words": words}
