"""The headers that every answer carries."""

from typing import Final

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it a browser sends `Origin: null` with our own forms, and origins are what we check.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""An answer that sets one of them itself keeps its own."""
