"""The kiosk agent: what runs on the Pi."""
