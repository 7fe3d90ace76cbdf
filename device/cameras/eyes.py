"""The picture checks of one camera: a small grey copy, once a second, and what is seen in it.

When a look disagrees with what was true before, the next ones come sooner: a covered lens is named within two seconds.
While somebody aims the camera (commissioning) they come four times a second, and tell where the mat is and how sharp.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from device.cameras.pixels import large_grey, size, small_grey
from device.cameras.source import Frame, Native

if TYPE_CHECKING:
    from device.vision.cards import CardSet, CardsHeld
    from device.vision.mat import Marker, MatGeometry, MatPose, MatSeen, Place
    from device.vision.watch import Observation, Watcher

_log = logging.getLogger(__name__)

EVERY_NS: Final = 1_000_000_000
UNSURE_NS: Final = 350_000_000
WIDTH_PX: Final = 320
_AIMING_NS: Final = 250_000_000
"""Between two looks while a hand turns the camera: no slower than the hand."""
_AGAIN_NS: Final = 200_000_000
"""When to ask again for a frame that has not come."""


class Eyes:
    """Looks at the newest frame once a second; nothing leaves it but what it found.

    Args:
        role: `overhead` or `front`.
        mat: the kit's mat, as `KitMat.plain` has it; None where there is none to look for.
        cards: the kit's student cards, as `KitCards.plain` has them; looked for by the overhead camera only.
        is_open: whether they look at all.
    """

    def __init__(
        self,
        role: str,
        mat: Mapping[str, Any] | None = None,
        cards: Mapping[str, Any] | None = None,
        *,
        is_open: bool = True,
    ) -> None:
        self._role = role
        self._is_open = is_open
        self._plain = mat
        self._plain_cards = cards if role == "overhead" and cards and cards["numbers"] else None
        self._card_set: CardSet | None = None
        self._lying: CardsHeld | None = None
        self._watcher: Watcher | None = None
        self._geometry: MatGeometry | None = None
        self._pose: MatPose | None = None
        self._has_had_mat = False
        self._due_ns = 0
        self._shown_ns = 0
        self._aim_until_ns = 0
        self._is_learning = False
        self._reference: Mapping[str, Any] | None = None
        self.seen: tuple[Observation, ...] | None = None
        """What is true now; None while the camera is closed or nothing was looked at yet."""
        self.trouble = ""
        """Why nothing is known of the pictures though there are some; empty while the checks work."""
        self.mat: dict[str, float] | None = None
        """What is known of the mat: numbers only; None while nothing was looked at."""
        self.cards: tuple[int, ...] | None = None
        """The student cards that lie there; None while nothing was looked at, or none are looked for."""
        self.place: Place | None = None
        """Where the mat lies, in pictures of the small size."""
        self.corners: list[list[float]] | None = None
        """The mat's corners, clockwise from its own upper left, in shares of the picture's width and height."""
        self.aim: dict[str, float] | None = None
        """How the newest picture is aimed and focused; None while nobody aims."""
        self.learned: dict[str, Any] | None = None
        """A reference that was asked for and is ready, until somebody takes it."""

    @property
    def geometry(self) -> "MatGeometry | None":
        """The mat that is looked for."""
        if self._geometry is None and self._plain is not None:
            from device.vision.mat import MatGeometry  # noqa: PLC0415 - imported with the first look, as below

            of = self._plain
            corners = {int(number): np.array(points, np.float64) for number, points in of["markers"].items()}
            self._geometry = MatGeometry(of["width_mm"], of["height_mm"], corners)
        return self._geometry

    def due_in_s(self, now_ns: int) -> float:
        """Seconds until the next look; zero or less when it is due."""
        return (self._due_ns - now_ns) / 1e9

    def look(self, frame: Frame, now_ns: int, native: Native | None = None) -> None:
        """Look, if it is time and the frame is a new one; `native` is what the camera really gives.

        A check that breaks ends nothing: what is seen is not known then, and the next frame is looked at afresh.
        """
        try:
            self._look(frame, now_ns, native)
        except Exception as error:  # noqa: BLE001 - a picture nobody thought of must not take the camera with it
            trouble = f"the picture checks broke: {type(error).__name__}: {error}"
            if not self.trouble:
                _log.exception("the picture checks of the %s camera broke", self._role)
            self.close()
            self.trouble = trouble
            self._due_ns = now_ns + EVERY_NS

    def _look(self, frame: Frame, now_ns: int, native: Native | None) -> None:
        if now_ns < self._due_ns:
            return
        if not self._is_open:
            self._due_ns = now_ns + EVERY_NS
            return
        if frame.captured_ns == self._shown_ns:
            self._due_ns = now_ns + _AGAIN_NS
            return
        watcher = self._watch()
        self._shown_ns = frame.captured_ns
        grey = small_grey(frame, WIDTH_PX)
        markers = self._markers(grey)  # one search for mat and cards
        found: MatSeen | None = None
        if (geometry := self.geometry) is not None:
            # An enlarged picture shows no more of a letter than the camera saw.
            real_px = min(size(frame)[0], native.width) if native is not None else size(frame)[0]
            size_px = grey.shape[1], grey.shape[0]
            found = self._look_for_mat(markers, size_px, frame.captured_ns, geometry, real_px / size_px[0])
        if self._plain_cards is not None:
            self._look_for_cards(markers, self._plain_cards)
        self.seen = watcher.look(grey, frame.captured_ns, self._sure_corners(found))
        self._tell_learned(watcher)
        self.trouble = ""
        is_aimed = now_ns < self._aim_until_ns
        self.aim = self._measure_aim(frame, found, watcher) if is_aimed else None
        self._due_ns = now_ns + (_AIMING_NS if is_aimed else UNSURE_NS if watcher.unsure else EVERY_NS)

    def aim_for(self, now_ns: int, for_s: float) -> None:
        """Somebody aims the camera for so long at least."""
        self._aim_until_ns = now_ns + round(for_s * 1e9)
        if self._watcher is not None:
            self._watcher.forget_view()
        self._due_ns = min(self._due_ns, now_ns)

    def learn(self) -> None:
        """Learn this camera anew, as it is now: what was known of it is forgotten; `learned` tells when it is done."""
        self._watch().refer(None)
        self._is_learning, self.learned = True, None

    def refer(self, plain: Mapping[str, Any] | None) -> None:
        """Judge by a reference that was learned before; None learns one as it comes, and tells nobody.

        One that cannot be read counts as none, and is logged: a kiosk that cannot compare still sees.
        """
        self._reference, self._is_learning = plain, False
        if self._watcher is not None:
            self._hand_reference(self._watcher)

    def close(self) -> None:
        """The camera is closed: what was seen is not true of it any more."""
        self.trouble = ""
        self.seen = self.mat = self.place = self.corners = self.aim = self._pose = self.cards = self._lying = None
        if self._watcher is not None:
            self._watcher.reset()

    def _watch(self) -> "Watcher":
        if self._watcher is None:
            # Imported with the first look, so that the first picture after a restart does not wait for it.
            from device.vision.watch import Watcher  # noqa: PLC0415 - see above

            self._watcher = Watcher(self._role)
            self._hand_reference(self._watcher)
        return self._watcher

    def _hand_reference(self, watcher: "Watcher") -> None:
        if self._reference is None:
            watcher.refer(None)
            return
        from device.vision.stored import BadReference, from_plain  # noqa: PLC0415 - as above

        try:
            watcher.refer(from_plain(self._reference))
        except BadReference as error:
            _log.warning("the %s camera's reference is not used: %s", self._role, error)
            watcher.refer(None)

    def _tell_learned(self, watcher: "Watcher") -> None:
        if self._is_learning and watcher.reference is not None:
            from device.vision.stored import to_plain  # noqa: PLC0415 - as above

            self._is_learning, self.learned = False, to_plain(watcher.reference)

    def _sure_corners(self, found: "MatSeen | None") -> Any:
        """Where this very picture shows the mat, in shares of its width, if that is known well."""
        place = None if found is None else found.place
        if place is None or not place.is_sure or self.geometry is None:
            return None
        return (place.corners_px(self.geometry) + 0.5) / place.size_px[0]

    def _measure_aim(self, frame: Frame, found: "MatSeen | None", watcher: "Watcher") -> dict[str, float]:
        aim: dict[str, float] = {}
        if watcher.newest is not None:
            aim["sharpness"] = round(watcher.newest.sharpness, 3)
        if found is None:
            return aim
        aim |= found.summary() | {f"marker_{one.number}": 1.0 for one in found.markers}
        if found.place is not None and self.geometry is not None:
            from device.vision.focus import edge_width_mm  # noqa: PLC0415 - only while somebody aims

            across, down = size(frame)
            width_mm = edge_width_mm(large_grey(frame), found.place.homography_for(across, down), self.geometry)
            aim |= {} if width_mm is None else {"edge_mm": round(width_mm, 2)}
        return aim

    def _markers(self, grey: Any) -> "tuple[Marker, ...]":
        if self._plain is None and self._plain_cards is None:
            return ()
        from device.vision.mat import find_markers  # noqa: PLC0415 - as above

        return find_markers(grey)

    def _look_for_cards(self, markers: "tuple[Marker, ...]", plain: Mapping[str, Any]) -> None:
        from device.vision.cards import CardSet, CardsHeld, cards_among, cards_held  # noqa: PLC0415 - as above

        self._card_set = self._card_set or CardSet(frozenset(plain["numbers"]), plain["side_mm"])
        now = cards_among(markers, self._card_set, self.place)
        self._lying = cards_held(now, self._lying or CardsHeld())
        self.cards = self._lying.numbers

    def _look_for_mat(
        self,
        markers: "tuple[Marker, ...]",
        size_px: tuple[int, int],
        captured_ns: int,
        geometry: "MatGeometry",
        grown: float,
    ) -> "MatSeen":
        from device.vision.mat import MatPose, seen_by  # noqa: PLC0415 - as above

        self._pose = self._pose or MatPose(geometry)
        now = seen_by(markers, geometry, size_px)
        held = self._pose.update(now, captured_ns)
        self.place = held.place
        self.corners = None
        if held.place is not None:
            shares = (held.place.corners_px(geometry) + 0.5) / np.array(held.place.size_px)
            self.corners = [[round(float(x), 4), round(float(y), 4)] for x, y in shares]
        found = now.summary()
        if held.place is not None:
            # In the camera's picture, not in the small copy that was looked at.
            found |= {"px_per_mm": round(held.place.px_per_mm * grown, 2), "age_s": round(held.age_s or 0.0, 1)}
        # A desk that never showed a mat is not missing one.
        self._has_had_mat = self._has_had_mat or (held.place is not None and held.place.is_sure)
        self.mat = found | {"missing_s": round(held.missing_s, 1), "expected": float(self._has_had_mat)}
        return now
