"""The network check as lines for a terminal, and as Markdown for the firewall team: from the same data as the check."""

from textwrap import wrap
from typing import Final

from device.netcheck.rows import Mark, Result
from device.netcheck.targets import targets, time_servers
from device.settings import Settings

_WORDS: Final = {Mark.OK: "ok", Mark.TROUBLE: "FAILS", Mark.UNKNOWN: "?"}
_WIDTH: Final = 100


def table(result: Result) -> str:
    """A few lines for each thing that was looked at: what, where, and what to do."""
    lines = []
    for row in result.rows:
        lines += _wrapped(f"{row.name:<11}{_WORDS[row.mark]:>5}  ", f"{row.where}: {row.says}")
        if row.do and row.mark is not Mark.OK:
            lines += _wrapped(" " * 16 + "! ", row.do)
    lines.append(f"{len(result.rows)} looked at, {len(result.troubles)} in trouble, {result.took_s:.1f} s")
    return "\n".join(lines)


def rules(settings: Settings) -> list[tuple[str, str, str]]:
    """What a firewall has to let out: protocol, to where, and what for."""
    found = [("TCP", one.where, one.why) for one in targets(settings)]
    found += [("UDP", one.where, one.why) for one in time_servers(settings)]
    if not time_servers(settings):
        found.append(("UDP", "the school's time servers:123", "setting the clock (NTP)"))
    found.append(("UDP, TCP", "the school's name servers:53", "the names above (DNS)"))
    return found


def untouched(settings: Settings) -> list[str]:
    """The hosts whose TLS may not be opened on the way."""
    return list(dict.fromkeys(one.host for one in targets(settings) if one.tls))


def _wrapped(first: str, text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * 18, break_on_hyphens=False)
