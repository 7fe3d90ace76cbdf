"""From what the probes brought back to rows with words: pure. A row that is the network's doing says so (`filters`)."""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from device.netcheck.dns import Answer, Outcome
from device.netcheck.machine import Port
from device.netcheck.probes import Hands, Knock, Page, Reach, TimeSaid
from device.netcheck.rows import Mark, Row
from device.netcheck.targets import Target

SLOW_MS: Final = 400.0
"""From one end to the other and back. Over 400 ms one way nothing interactive may be planned (ITU-T G.114); a therapist
who speaks and a child who moves need both ways together within it."""
LOST_SHARE: Final = 0.1
_TELL_IT: Final = "Give the page for the firewall team to the people who run the school's network."


def of_ports(ports: Sequence[Port]) -> Row:
    """The cable, or the wireless link."""
    facts = {one.name: "carrier" if one.has_carrier else "none" for one in ports}
    up = [one for one in ports if one.has_carrier]
    if not ports:
        return Row("link", "this machine", Mark.UNKNOWN, "It lists no network port of its own.")
    if not up:
        return Row("link", ", ".join(facts), Mark.TROUBLE, "No network port has a link.",
                   "Check the cable at the kiosk and at the wall, or the wireless network's name and key.",
                   facts=facts)  # fmt: skip
    kinds = [f"{one.name} ({'wireless' if one.is_wireless else _wired(one)})" for one in up]
    return Row("link", ", ".join(one.name for one in up), Mark.OK, f"A link on {', '.join(kinds)}.", facts=facts)


def of_address(address: str | None, lease: Mapping[str, str]) -> Row:
    """Whether the machine got an address of the school's network."""
    where = lease.get("SERVER_ADDRESS", "this machine")
    if address is None:
        return Row("address", where, Mark.TROUBLE, "It has no address that leads out.",
                   "Check that DHCP answers on this port; network access control may not know the kiosk.")  # fmt: skip
    if ipaddress.ip_address(address).is_link_local:
        return Row("address", where, Mark.TROUBLE, f"It gave itself {address}: nobody answered its DHCP.",
                   "Check that DHCP answers on this port; network access control may not know the kiosk.")  # fmt: skip
    return Row("address", where, Mark.OK, f"Its address is {address}.", facts={"address": address, **lease})


def of_name(name: str, answer: Answer, made_up: Answer | None) -> Row:
    """One configured name, and what the resolver makes of a name under it that does not exist.

    Args:
        name: the configured one.
        answer: what it led to.
        made_up: what a random name under it led to; None where that was not asked.
    """
    facts = {"outcome": answer.outcome.value, "addresses": list(answer.addresses)}
    trouble = _NAMES.get(answer.outcome)
    if trouble is not None:
        says, do = trouble
        return Row("dns", name, Mark.TROUBLE, says.format(name=name), do, filters=True, facts=facts)
    if bad := [one for one in answer.addresses if _leads_nowhere(one)]:
        return Row("dns", name, Mark.TROUBLE, f"It is answered with {bad[0]}: a filter that blocks by name.",
                   f"Let the school's DNS filter answer {name} truly.", filters=True, facts=facts)  # fmt: skip
    if made_up is not None and made_up.addresses and not set(made_up.addresses) <= set(answer.addresses):
        says = f"A name that does not exist is answered with {made_up.addresses[0]}: the resolver invents answers."
        return Row("dns", name, Mark.TROUBLE, says, _TELL_IT, filters=True, facts=facts)
    return Row("dns", name, Mark.OK, f"It is {', '.join(answer.addresses)}.", facts=facts)


def of_portal(target: Target, page: Page | None) -> Row:
    """Whether somebody else answers in the fleet's place over plain HTTP, as a captive portal does."""
    where = f"http://{target.where}"
    do = "Sign the kiosk in at the school's portal, or have it let through by its address."
    if page is None:
        return Row("portal", where, Mark.OK, "Nobody answers in its place over plain HTTP.")
    other = urlsplit(page.location).hostname
    if page.status == 511 or (300 <= page.status < 400 and other not in {None, target.host}):
        says = f"It is led to {other or 'a page that asks to sign in'} instead: a captive portal."
        return Row("portal", where, Mark.TROUBLE, says, do, filters=True, facts={"to": page.location})
    if page.status == 200 and not _is_ours(page.body):
        says = "Somebody else's page answers in its place: a captive portal or a filter."
        return Row("portal", where, Mark.TROUBLE, says, do, filters=True, facts={"status": 200})
    return Row("portal", where, Mark.OK, f"It answers itself ({page.status}).", facts={"status": page.status})


def of_proxy(proxy: str | None) -> Row:
    """A proxy that is configured on the machine: the kiosk goes past it."""
    if proxy is None:
        return Row("proxy", "this machine", Mark.OK, "None is configured.")
    says = f"{proxy} is configured; the kiosk does not use it and connects directly."
    do = "If only the proxy gets out, let the kiosk's addresses out directly."
    return Row("proxy", proxy, Mark.UNKNOWN, says, do, facts={"proxy": proxy})


def of_time(target: Target | None, said: TimeSaid | None, *, synchronized: bool) -> Row:
    """One time server; `target` is None where the system's own service is all there is."""
    vouched = "The machine's own time service has set the clock." if synchronized else ""
    if target is None:
        where = "the machine's time service"
        if synchronized:
            return Row("time", where, Mark.OK, vouched)
        return Row("time", where, Mark.UNKNOWN, "It has not set the clock, and no time server is configured to ask.",
                   "Name the school's time servers with ntp_servers under [network] in kiosk.toml.")  # fmt: skip
    if said is not None:
        facts = {"offset_s": said.offset_s, "round_trip_s": said.round_trip_s, "stratum": said.stratum}
        says = (
            f"It answers; by it this clock is {abs(said.offset_s):.2f} s {'behind' if said.offset_s > 0 else 'ahead'}."
        )
        return Row("time", target.where, Mark.OK, says, facts=facts)
    if synchronized:
        return Row("time", target.where, Mark.OK, f"It does not answer us. {vouched}")
    do = f"Let UDP port {target.port} out to it, or name a server that can be reached."
    return Row("time", target.where, Mark.TROUBLE, "No answer: the clock cannot be set.", do, filters=True)


def of_knock(target: Target, said: Knock, *, others_open: bool) -> Row:
    """One TCP address.

    Args:
        target: where.
        said: what came of it.
        others_open: whether another address that serves the same purpose can be reached.
    """
    name, facts = "port", {"reach": said.reach.value, "took_ms": said.took_ms}
    if said.reach is Reach.OPEN:
        return Row(name, target.where, Mark.OK, f"Open, {said.took_ms:.0f} ms.", facts=facts)
    spare = " Another address works, so nothing is lost by it." if others_open else ""
    says, do, filters = _REACHES[said.reach]
    mark = Mark.UNKNOWN if others_open else Mark.TROUBLE
    do = do.format(port=target.port, host=target.host)
    return Row(name, target.where, mark, f"{says}{spare}", do, filters=filters and not others_open, facts=facts)


def of_hands(target: Target, said: Hands) -> Row:
    """One TLS address: whose certificate is presented (X3). There is no way around a wrong one."""
    facts = {"word": said.word, "issuer": said.issuer}
    if said.word == "trusted":
        return Row("tls", target.where, Mark.OK, "Its certificate is the one that the kiosk trusts.", facts=facts)
    whose = f"signed by '{said.issuer}', not by your CA" if said.issuer else "not signed by your CA"
    says, do, filters = _HANDS[said.word]
    says = says.format(whose=whose, host=target.host, detail=said.detail or "without a reason")
    return Row("tls", target.where, Mark.TROUBLE, says, do.format(host=target.host), filters=filters, facts=facts)


def of_round_trip(median_ms: float | None, lost_share: float | None, where: str) -> Row:
    """How far away the fleet is, and how much of what is asked stays unanswered."""
    if median_ms is None:
        return Row("round trip", where, Mark.UNKNOWN, "Nothing answered that could be timed.")
    facts = {"median_ms": median_ms, "lost_share": lost_share}
    lost = "" if lost_share is None else f", {lost_share:.0%} unanswered"
    slow, lossy = median_ms > SLOW_MS, lost_share is not None and lost_share > LOST_SHARE
    says = f"{median_ms:.0f} ms{lost}."
    do = "Look for what else fills the line, and at the wireless signal." if slow or lossy else ""
    return Row("round trip", where, Mark.TROUBLE if slow or lossy else Mark.OK, says, do, facts=facts)


def of_upload(bps: int | None, needed_bps: int) -> Row:
    """What can be sent, against what two cameras need."""
    needs = f"two cameras need {needed_bps / 1e6:.1f} Mbit/s"
    if bps is None:
        says = f"Not measured: the running agent measures it, outside sessions and with a link ({needs})."
        return Row("upload", "the fleet", Mark.UNKNOWN, says, facts={"needed_bps": needed_bps})
    facts = {"bps": bps, "needed_bps": needed_bps}
    if bps >= needed_bps:
        return Row("upload", "the fleet", Mark.OK, f"{bps / 1e6:.1f} Mbit/s or more; {needs}.", facts=facts)
    return Row("upload", "the fleet", Mark.TROUBLE, f"About {bps / 1e6:.1f} Mbit/s; {needs}.",
               "Look for what else fills the line; give the kiosks a share of it.", facts=facts)  # fmt: skip


_NAMES: Final = {
    Outcome.NXDOMAIN: ("The resolver says that there is no {name}.", "Check the name; then the school's DNS filter."),
    Outcome.SERVFAIL: ("The resolver fails on {name} (SERVFAIL).", "Look at the school's resolver and its upstream."),
    Outcome.REFUSED: (
        "The resolver refuses to answer this kiosk.",
        "Let the kiosk's network use the school's resolver.",
    ),
    Outcome.SILENT: ("No name server answers in time.", "Let DNS (port 53) out to the name servers of the lease."),
    Outcome.NO_SERVER: ("The machine knows no name server.", "Have DHCP give one."),
    Outcome.FAILED: ("{name} leads to no address that this machine can use.", "Look at the school's resolver."),
}
_REACHES: Final = {
    Reach.REFUSED: ("Refused: nobody listens there, or a firewall says no.",
                    "If the fleet runs, let TCP port {port} out to {host}.", False),
    Reach.SILENT: ("No answer at all: a firewall drops what is sent there.",
                   "Let TCP port {port} out to {host}.", True),
    Reach.NO_WAY: ("There is no way there from here.", "Check the kiosk's address and router.", False),
}  # fmt: skip
"""What is said, what to do, and whether it is surely the network's doing: a fleet that is down refuses as well."""
_BYPASS: Final = "Except {host} from TLS inspection; a kiosk trusts its own authority only."
_HANDS: Final = {
    "foreign": ("The certificate was {whose}: the traffic is inspected.", _BYPASS, True),
    "expired": ("Its certificate is over by this kiosk's clock.", "Check the clock, then the certificate.", False),
    "not-yet-valid": ("Its certificate is not valid yet by this kiosk's clock.", "Check the kiosk's clock.", False),
    "other-name": ("Its certificate is for another name than {host}.", "Check the address in kiosk.toml.", False),
    "refused": ("The other side refuses the handshake ({detail}).", "Check the kiosk's own certificate.", False),
    "no-tls": ("What answers there does not speak TLS.", _BYPASS, True),
    "reset": ("The handshake is cut off.", _BYPASS, True),
    "silent": ("The handshake gets no answer.", _BYPASS, True),
}


def _wired(port: Port) -> str:
    return f"{port.speed_mbit_s} Mbit/s" if port.speed_mbit_s else "wired"


def _leads_nowhere(address: str) -> bool:
    one = ipaddress.ip_address(address.partition("%")[0])
    return one.is_unspecified or one.is_loopback or one.is_link_local


def _is_ours(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and "ok" in said
