"""The worker's heartbeat: what it knows of its camera, four times a second and at once when something changes."""

import dataclasses
import logging
import socket
from typing import TYPE_CHECKING, Any, Final

from device.cameras.boundary import HEARTBEAT_S, Report
from device.cameras.capture import Capture

if TYPE_CHECKING:
    from device.cameras.coder import Coder
    from device.cameras.eyes import Eyes
    from device.cameras.recorder import Recorder

_log = logging.getLogger(__name__)
_NS: Final = 1_000_000_000


class Reporter:
    """Sends reports while the capture thread makes progress."""

    def __init__(
        self, control: socket.socket, capture: Capture, coder: "Coder", recorder: "Recorder", eyes: "Eyes"
    ) -> None:
        self._control = control
        self._capture, self._coder, self._recorder, self._eyes = capture, coder, recorder, eyes
        self._sent: tuple[Any, ...] = ()
        self._sent_ns = 0

    def due_in_s(self, now_ns: int) -> float:
        """Seconds until the next heartbeat; zero or less when it is overdue."""
        return HEARTBEAT_S - (now_ns - self._sent_ns) / _NS

    def report(self, order: int, now_ns: int) -> None:
        """Send a report if it is time or if anything changed; none while the capture thread is stuck.

        Args:
            order: the number of the last order taken.
            now_ns: CLOCK_MONOTONIC.
        """
        facts, coded, kept = self._capture.facts(), self._coder.facts, self._recorder.facts
        is_blank = facts.opened_ns is not None and (facts.last_frame_ns or 0) < facts.opened_ns
        now = (
            facts.state, order, facts.detail, is_blank, self._coder.is_giving, kept.keep, kept.plan, kept.segment,
            self._eyes.seen, self._eyes.cards, self._eyes.trouble,
        )  # fmt: skip
        if (now == self._sent and self.due_in_s(now_ns) > 0) or self._capture.is_stuck(now_ns):
            return
        self._sent, self._sent_ns = now, now_ns
        seen = self._eyes.seen
        report = Report(
            state=facts.state,
            sent_ns=now_ns,
            order=order,
            device_open=facts.device_open or self._capture.may_be_open(),
            opened_ns=facts.opened_ns,
            frames=facts.frames,
            fps=self._capture.fps(now_ns),
            last_frame_ns=facts.last_frame_ns,
            native=facts.native,
            packets=coded.packets,
            last_packet_ns=coded.last_packet_ns,
            left_out=coded.left_out,
            keep=kept.keep,
            plan=kept.plan,
            segment=kept.segment,
            lost=kept.lost,
            seen=None if seen is None else tuple(dataclasses.asdict(one) for one in seen),
            unchecked=self._eyes.trouble,
            mat=self._eyes.mat,
            corners=self._eyes.corners,
            aim=self._eyes.aim,
            cards=self._eyes.cards,
            detail=facts.detail or coded.trouble,
        )
        try:
            self._control.send(report.packet())
        except BlockingIOError:
            # The agent is busy; it has plenty of older reports to read, and gets the next one.
            _log.debug("the agent does not read reports")
        except ConnectionError:
            _log.debug("the agent is gone")  # and the next read of the socket ends this process
