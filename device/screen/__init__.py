"""The kiosk's own page, on loopback: what an aide understands from two metres."""
