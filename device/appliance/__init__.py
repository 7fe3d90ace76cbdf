"""The kiosk as an appliance: what systemd is told, the page before the agent, and `root/`, the files that go onto a Pi.

`root/` is laid out as they lie there; `scripts/deb` makes the package of them.
"""
