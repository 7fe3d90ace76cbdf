"""Setting up the cameras: somebody turns them until mat and focus are good, then one press keeps that as the reference.

While it goes on the cameras are open for it, and it ends by itself when nobody looks any more or a session begins. What
is to be done next is decided by aim.py; what was confirmed is kept by placement.py.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from device import aim, placement
from device.aim import Progress, Seen, Stage
from device.cameras.supervisor import Camera
from device.errors import KioskError, Refused
from device.kiosk import Kiosk
from device.placement import CameraReference, Person, Placement
from device.session import states as s
from device.session.clock import NS_PER_S
from device.snapshot import SetupView

_log = logging.getLogger(__name__)

PURPOSE: Final = "commissioning"
_TICK_S: Final = 0.25
_AIM_FOR_S: Final = 2.0
_AIM_AGAIN_NS: Final = NS_PER_S
_UNWATCHED_NS: Final = 20 * NS_PER_S
"""So long nobody asked how it goes: the page was left, or the command broken off."""
_STEADY_NS: Final = 2 * NS_PER_S
"""So long everything must have been good before it is learned: a hand that lets go of a camera moves it once more."""
_SHAKEN_NS: Final = NS_PER_S
"""So long something must be wrong again before what was good is given up: an arm passes."""
_LEARNED_WITHIN_NS: Final = 30 * NS_PER_S
_DONE_SHOWN_NS: Final = 6 * NS_PER_S
_LONGEST_NS: Final = 15 * 60 * NS_PER_S
"""A page that somebody left open does not keep the cameras open."""


class Commissioning:
    """One at a time, whoever began it.

    Args:
        kiosk: whose cameras.
        cameras: by role.
        placed: what was found out before.
    """

    def __init__(self, kiosk: Kiosk, cameras: dict[str, Camera], placed: Placement) -> None:
        self._kiosk, self._cameras = kiosk, cameras
        self._folder = kiosk.settings.data_dir
        self.placement = placed
        self.progress = Progress(Stage.CLOSED)
        self._begun = asyncio.Event()
        self._asked_ns = self._since_ns = self._aimed_ns = self._begun_ns = 0
        self._pressed = False
        self._good_ns: int | None = None
        self._bad_ns: int | None = None

    def recall(self) -> None:
        """Have the cameras judged by what was confirmed of them; of others it is said that they have to be set up."""
        for camera in self._cameras.values():
            camera.refer(self.placement.reference(camera.spec))
        self._say()
        if self.placement.commissioned is not None and not self.is_commissioned:
            _log.warning("a camera is not the one that was set up; set the cameras up anew")

    @property
    def is_commissioned(self) -> bool:
        """Whether both cameras are as somebody found them good."""
        return self.placement.stands(*(camera.spec for camera in self._cameras.values()))

    async def run(self) -> None:
        """Follow what the cameras tell while it goes on, until cancelled."""
        while True:
            await self._begun.wait()
            if self._pressed:
                await self._confirm_by_button()
            self._tick(self._now_ns())
            await asyncio.sleep(_TICK_S)

    # What somebody asks

    def begin(self) -> None:
        """Open the cameras and tell what to do; asked again while it goes on, nothing changes.

        Raises:
            Refused: a session runs, or the picture checks are switched off.
        """
        self._refuse_in_session()
        if not self._kiosk.settings.cameras.picture_checks:
            raise Refused("The picture checks are switched off (picture_checks under [cameras] in kiosk.toml).")
        self.look()
        if self.progress.stage is not Stage.CLOSED:
            return
        self._kiosk.cameras.ask_for(PURPOSE, wanted=True)
        self._begun_ns = self._now_ns()
        self._go(Stage.AIMING)
        self._begun.set()
        self._kiosk.follow()

    def look(self) -> Progress:
        """How it goes; as long as somebody asks, it goes on."""
        self._asked_ns = self._now_ns()
        return self.progress

    async def confirm(self, by: Person) -> None:
        """Keep the cameras as they are now: from here on the kiosk compares itself with that.

        Raises:
            Refused: they are not good yet.
            PlacementUnwritable: the disk refuses; everything is as before, and it can be confirmed again.
        """
        if self.progress.stage is not Stage.READY:
            raise Refused("The cameras are not ready to be confirmed yet; do what the page says first.")
        found = {role: self._made(camera) for role, camera in self._cameras.items()}
        cameras = {role: one for role, one in found.items() if one is not None}
        if len(cameras) < len(found):
            raise Refused("A camera was started anew meanwhile; wait until it is ready again.")
        kept = self.placement.model_copy(
            update={"commissioned": placement.Commissioned(at=self._kiosk.clock.now().wall, by=by, cameras=cameras)}
        )
        await asyncio.to_thread(placement.save, self._folder, kept)
        self.placement = kept
        self.recall()
        desk = cameras["overhead"]
        await self._kiosk.tell(
            s.Noted("cameras.commissioned", {"by": by, "px_per_mm": desk.px_per_mm, "edge_mm": desk.edge_mm})
        )
        _log.info("the cameras are set up; the desk is seen at %s px per mm", desk.px_per_mm)
        self._go(Stage.DONE)

    async def exchange(self, by: Person) -> None:
        """Let the two devices change their roles, for good; what was confirmed before does not count any more.

        Raises:
            Refused: a session runs, or it goes on already.
            PlacementUnwritable: the disk refuses; nothing changed.
        """
        self._refuse_in_session()
        if self.progress.stage is Stage.EXCHANGING:
            raise Refused("The cameras are being exchanged already.")
        kept = Placement(exchanged=not self.placement.exchanged)
        before = self.progress.stage
        self._go(Stage.EXCHANGING)
        try:
            await asyncio.to_thread(placement.save, self._folder, kept)
            self.placement = kept
            await self._kiosk.cameras.become(
                {role: self._kiosk.settings.cameras.spec(role, exchanged=kept.exchanged) for role in self._cameras}
            )
            await self._kiosk.tell(s.Noted("cameras.exchanged", {"by": by}))
        finally:
            self._go(before if before in {Stage.CLOSED, Stage.AIMING} else Stage.AIMING)
            self._kiosk.follow()

    def takes_press(self) -> bool:
        """The button went down: whether that was meant for this, and not for a session."""
        self._pressed = self.progress.stage is Stage.READY
        return self._pressed

    def end(self) -> None:
        """It is over; what was not confirmed is forgotten."""
        if self.progress.stage is Stage.CLOSED:
            return
        if self.progress.stage is not Stage.DONE:
            self.recall()
        self._begun.clear()
        self._kiosk.cameras.ask_for(PURPOSE, wanted=False)
        self._go(Stage.CLOSED)
        self._kiosk.follow()

    # How it goes on

    async def _confirm_by_button(self) -> None:
        self._pressed = False
        try:
            await self.confirm("it")
        except KioskError as error:
            _log.warning("the button confirmed nothing: %s", error)

    def _tick(self, now_ns: int) -> None:
        stage = self.progress.stage
        if stage is Stage.EXCHANGING:
            return
        done = stage is Stage.DONE and now_ns - self._since_ns > _DONE_SHOWN_NS
        is_left = now_ns - self._asked_ns > _UNWATCHED_NS or now_ns - self._begun_ns > _LONGEST_NS
        if done or is_left or self._kiosk.state.session is not None:
            self.end()
            return
        if now_ns - self._aimed_ns >= _AIM_AGAIN_NS:
            self._aimed_ns = now_ns
            for camera in self._cameras.values():
                camera.aiming.want(_AIM_FOR_S)
        if stage is not Stage.DONE:
            self._judge()
            self._move_on(now_ns)
        self._kiosk.tell_news()

    def _judge(self) -> None:
        views = self._kiosk.cameras.views()
        desk, student = Seen.of(views["overhead"]), Seen.of(views["front"])
        before = self.progress
        narrowest_mm = min((one for one in (before.narrowest_mm, desk.edge_mm) if one is not None), default=None)
        sharpest = max((one for one in (before.sharpest, desk.sharpness) if one is not None), default=None)
        swapped = self._kiosk.judgement.names("camera.swapped")
        advice, role = aim.advice_for_overhead(desk, narrowest_mm, swapped=swapped), "overhead"
        if advice is None:
            advice, role = aim.advice_for_front(student), "front"
        self.progress = Progress(
            before.stage, advice, role if advice else None, aim.hidden_corners(desk), desk, narrowest_mm, sharpest
        )

    def _move_on(self, now_ns: int) -> None:
        stage, is_good = self.progress.stage, self.progress.advice is None
        self._good_ns = (self._good_ns or now_ns) if is_good else None
        self._bad_ns = None if is_good else (self._bad_ns or now_ns)
        if stage is Stage.AIMING:
            if self._good_ns is not None and now_ns - self._good_ns >= _STEADY_NS:
                asked = [camera.aiming.learn() for camera in self._cameras.values()]
                self._go(Stage.LEARNING if all(asked) else Stage.AIMING)
            return
        shaken = self._bad_ns is not None and now_ns - self._bad_ns >= _SHAKEN_NS
        late = stage is Stage.LEARNING and now_ns - self._since_ns > _LEARNED_WITHIN_NS
        learned = all(camera.aiming.learned is not None for camera in self._cameras.values())
        if shaken or late or (stage is Stage.READY and not learned):
            self.recall()
            self._go(Stage.AIMING)
        elif stage is Stage.LEARNING and learned:
            self._go(Stage.READY)

    def _go(self, stage: Stage) -> None:
        fresh = stage in {Stage.CLOSED, Stage.EXCHANGING}
        self.progress = Progress(stage) if fresh else replace(self.progress, stage=stage)
        self._since_ns = self._now_ns()
        self._good_ns = self._bad_ns = None
        self._say()

    def _made(self, camera: Camera) -> CameraReference | None:
        learned, status = camera.aiming.learned, camera.status()
        if learned is None:
            return None
        mat = (status.mat or {}) if camera.spec.role == "overhead" else {}
        edge_mm = self.progress.overhead.edge_mm if camera.spec.role == "overhead" else None
        return CameraReference(
            uri=camera.spec.uri, width=camera.spec.width, height=camera.spec.height, reference=dict(learned),
            px_per_mm=mat.get("px_per_mm"), edge_mm=edge_mm,
        )  # fmt: skip

    def _say(self) -> None:
        kept = self.placement.commissioned if self.is_commissioned else None
        desk = kept.cameras["overhead"].px_per_mm if kept is not None else None
        stage = self.progress.stage.value
        self._kiosk.setup = SetupView(stage, kept.at if kept else None, kept.by if kept else None, desk)
        self._kiosk.tell_news()

    def _refuse_in_session(self) -> None:
        if self._kiosk.state.session is not None:
            raise Refused("A session is running; set the cameras up when it is over.")

    def _now_ns(self) -> int:
        return self._kiosk.clock.now().mono_ns
