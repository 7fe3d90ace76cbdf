"""The page that stands in for the kiosk's own while no bundle was taken over: what is wrong, and whom to call."""

import html
import http.server
from pathlib import Path
from typing import Final

from device.bundle.apply import REFUSED, SETTINGS

_EACH_S: Final = 2.0
"""How often the screen asks again, and how soon the notice ends once there are settings."""
_NOTHING: Final = "no bundle was found on the card"
_MOST: Final = 400

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Carrel: not set up</title>
<style>body{{font:28px/1.4 sans-serif;margin:3rem;background:#fff;color:#1b2a2f}}h1{{font-size:44px;margin:0 0 1rem}}
code{{display:block;font-size:20px;margin-top:2rem;white-space:pre-wrap;overflow-wrap:anywhere}}</style></head>
<body><main><h1>This kiosk is not set up.</h1><p>Please call campus IT and read out the line below.</p>
<p lang="es">Este quiosco no está configurado. Llame al servicio de informática y lea la línea de abajo.</p>
<code>bundle not applied: {why}</code></main></body></html>
"""


def page(root: Path) -> bytes:
    """The page, with what is known of why."""
    try:
        why = (root / REFUSED).read_text(encoding="utf-8", errors="replace").strip()[:_MOST] or _NOTHING
    except OSError:
        why = _NOTHING
    return _PAGE.format(why=html.escape(why)).encode()


def serve(root: Path, port: int) -> None:
    """Serve the page on loopback at `port` until the kiosk has settings; the port is then free for the agent.

    Raises:
        OSError: the port cannot be had.
    """
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 5.0

        def do_GET(self) -> None:
            if self.headers.get("Host") not in hosts:  # a page elsewhere that calls itself this one
                self.send_error(400)
                return
            body = page(root)
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads who looked at a notice."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        server.timeout = _EACH_S
        while not (root / SETTINGS).exists():
            server.handle_request()
