"""Who is served: the kiosk's own page on its own machine, and nobody else (H1, H2)."""

import pytest
from starlette.datastructures import Headers

from device.screen.guard import own_hosts, refusal

HOSTS = own_hosts(8080)
OWN = "http://127.0.0.1:8080"


def asked(method: str = "GET", path: str = "/", **headers: str) -> int | None:
    """The status with which a request is refused; None when it is served."""
    told = {"host": "127.0.0.1:8080"} | {name.replace("_", "-"): value for name, value in headers.items()}
    found = refusal(method, path, Headers(told), HOSTS)
    return None if found is None else int(found[0])


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST:8080"])
def test_own_names_are_served(host: str) -> None:
    assert asked(host=host) is None


@pytest.mark.parametrize(
    "host",
    ["evil.com", "evil.com:8080", "127.0.0.1", "127.0.0.1:8081", "127.0.0.1:8080.evil.com", "localhost.:8080", ""],
)
def test_h1_a_foreign_host_is_refused(host: str) -> None:
    assert asked(host=host) == 400


def test_h1_two_hosts_are_refused() -> None:
    raw = [(b"host", b"127.0.0.1:8080"), (b"host", b"evil.com")]
    found = refusal("GET", "/", Headers(raw=raw), HOSTS)
    assert found is not None
    assert found[0] == 400


def test_on_port_80_the_port_may_be_left_out() -> None:
    assert "localhost" in own_hosts(80)
    assert "localhost" not in HOSTS


@pytest.mark.parametrize(
    "origin", ["http://evil.com", "null", "https://127.0.0.1:8080", "http://127.0.0.1:9999", "", OWN + "/"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_h2_a_foreign_origin_is_refused(method: str, origin: str) -> None:
    assert asked(method, "/api/state", origin=origin) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FROB"])
def test_h2_a_write_without_origin_is_refused(method: str) -> None:
    assert asked(method, "/api/button") == 403


def test_the_pages_own_requests_are_served() -> None:
    assert asked("POST", "/api/button", origin=OWN, sec_fetch_site="same-origin") is None
    assert asked("POST", "/api/button", origin="http://localhost:8080") is None
    assert asked("GET", "/api/events", sec_fetch_site="same-origin") is None
    assert asked("GET", "/", sec_fetch_site="none") is None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_can_embed_nothing(site: str) -> None:
    for path in ("/", "/api/events", "/api/cameras/front/snapshot.jpg", "/api/state"):
        assert asked("GET", path, sec_fetch_site=site, sec_fetch_mode="no-cors", sec_fetch_dest="image") == 403
    assert asked("POST", "/api/button", origin=OWN, sec_fetch_site=site) == 403
    framed = {"sec_fetch_site": site, "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}
    assert asked("GET", "/", **framed) == 403


def test_a_link_to_the_page_may_be_followed() -> None:
    link = {"sec_fetch_site": "same-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert asked("GET", "/", **link) is None
    assert asked("GET", "/api/cameras/front/snapshot.jpg", **link) == 403


@pytest.mark.parametrize("length", ["16385", "104857600", "-1", "1e3", "9" * 40, "²"])
def test_h4_a_long_body_is_refused_before_it_is_read(length: str) -> None:
    assert asked("POST", "/api/button", origin=OWN, content_length=length) == 413
    assert asked("POST", "/api/button", origin=OWN, content_length="16384") is None
