"""The process that touches ALSA: plays what it is given, says how loud a second was, and keeps neither.

Standard input carries requests, one JSON object a line, the samples of one to play right behind it; standard output
the answers. Its end is the agent's end. PyAV reaches ALSA through FFmpeg; it is imported here and in no agent.

    {"id": 1, "do": "listen", "pcm": "plughw:CARD=X,DEV=0", "seconds": 1}  ->  {"id": 1, "levels": [[-51.2, -38.0]]}
    {"id": 2, "do": "play", "pcm": "plughw:CARD=X,DEV=0", "rate_hz": 48000, "bytes": 48000}  ->  {"id": 2}
    anything that fails                                                ->  {"id": 2, "error": "no such device"}
"""

import json
import os
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import av
from av.audio.frame import AudioFrame

from device.audio.level import level

RATE_HZ: Final = 48_000
_WINDOW_S: Final = 1.0
_MOST_BYTES: Final = 4_000_000
_talking = threading.Lock()


def main() -> None:
    """Answer until standard input ends; each request in a thread, so that a tone waits for no listening."""
    # Frames are 16-bit words of this machine; every machine that Carrel runs on is little-endian.
    for request, samples in _requests(sys.stdin.buffer):
        threading.Thread(target=_answer, args=(request, samples), name="audio", daemon=True).start()
    os._exit(0)  # a driver that hangs in a thread holds up no end


def _requests(stream: BinaryIO) -> Iterator[tuple[dict[str, Any], bytes]]:
    while line := stream.readline():
        request = json.loads(line)
        yield request, stream.read(min(int(request.get("bytes", 0)), _MOST_BYTES))


def _answer(request: dict[str, Any], samples: bytes) -> None:
    told: dict[str, Any] = {"id": request["id"]}
    try:
        if request["do"] == "listen":
            told["levels"] = _levels(request["pcm"], float(request["seconds"]))
        else:
            _play(request["pcm"], int(request["rate_hz"]), samples)
    except (av.FFmpegError, OSError, ValueError) as error:
        told["error"] = str(error)[:200]
    with _talking:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _levels(pcm: str, seconds: float) -> list[tuple[float, float]]:
    """Level and peak of each whole window; the sound is let go with it."""
    found = []
    size = round(RATE_HZ * _WINDOW_S)
    heard = array("h")
    options = {"ch_layout": "mono", "sample_rate": str(RATE_HZ)}
    with av.open(pcm, format="alsa", options=options) as source:
        for frame in source.decode(audio=0):
            heard.frombytes(bytes(frame.planes[0])[: frame.samples * 2])
            if len(heard) >= size:
                one = level(heard[:size])
                found.append((one.rms_dbfs, one.peak_dbfs))
                del heard[:size]
                if len(found) >= seconds / _WINDOW_S:
                    break
    return found


def _play(pcm: str, rate_hz: int, samples: bytes) -> None:
    begun = time.monotonic()
    with av.open(pcm, "w", format="alsa") as sink:
        stream = sink.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
        frame.planes[0].update(samples.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts = rate_hz, 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            sink.mux(packet)
        # What ALSA took it has not played yet, and closing may cut it.
        time.sleep(max(0.0, len(samples) / 2 / rate_hz - (time.monotonic() - begun)))


if __name__ == "__main__":
    main()
