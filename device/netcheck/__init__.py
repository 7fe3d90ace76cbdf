"""What the school's network does to this kiosk: each step from the cable to the fleet, looked at with a deadline.

The addresses asked are those of kiosk.toml and nobody else's. What the figures mean is pure (`verdicts.py`); what
touches the network is thin (`probes.py`, `dns.py`, `machine.py`).
"""
