"""`carrel-kiosk commission`: what the page on the kiosk's screen shows, in a terminal, for whoever comes over ssh."""

import http.client
import json
import sys
import time
from typing import Any, Final

from device.errors import KioskError

_EVERY_S: Final = 0.5
_ANSWERS_WITHIN_S: Final = 10.0


def commission(port: int, *, by: str, within_s: float, confirm: bool, exchange: bool) -> None:
    """Set up the cameras of the running agent; its own screen shows the same meanwhile.

    Args:
        port: of the agent's page.
        by: in which role somebody confirms: `it`, `aide` or `therapist`.
        within_s: give up after so long.
        confirm: confirm from here as soon as everything is good; else somebody does it at the kiosk.
        exchange: let the two cameras change their roles first.

    Raises:
        KioskError: no agent answers, it refuses, or nobody confirmed in time; the message says which.
    """
    if exchange:
        _post(port, {"do": "exchange", "by": by})
        _say("The cameras have changed their roles.")
    view, said = _post(port, {"do": "begin"}), ""
    deadline = time.monotonic() + within_s
    while view["stage"] not in {"done", "closed"}:
        words = f"{view['title']}. {view['do']}"
        if words != said:
            said = words
            _say(f"{words}  [{_figures(view)}]")
        if view["stage"] == "ready" and confirm:
            view = _post(port, {"do": "confirm", "by": by})
            continue
        if time.monotonic() > deadline:
            _post(port, {"do": "end"})
            raise KioskError(f"the cameras were not set up within {within_s:g} s; the last advice was: {words}")
        time.sleep(_EVERY_S)
        view = _asked(port, "GET", None)
    if view["stage"] == "closed":
        raise KioskError("it ended before anything was kept: a session began, or somebody left the page")
    _say(f"{view['title']}. {view['do']}  [{_figures(view)}]")


def _figures(view: dict[str, Any]) -> str:
    return "; ".join(f"{one['label']}: {one['text']}" for one in view["figures"])


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _post(port: int, body: dict[str, Any]) -> dict[str, Any]:
    return _asked(port, "POST", body)


def _asked(port: int, method: str, body: dict[str, Any] | None) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWERS_WITHIN_S)
    headers = {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json"} if body else {}
    try:
        connection.request(method, "/api/commission", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise KioskError(f"no agent answers on port {port} ({error}); start it, then try again") from error
    finally:
        connection.close()
    if not isinstance(found, dict):
        raise KioskError(f"what answers on port {port} is no Carrel kiosk")
    if answer.status >= http.client.BAD_REQUEST:
        raise KioskError(str(found.get("error", answer.reason)))
    return found
