"""The bundle on the kiosk's card: checked against its campus's signature, taken over, and scrubbed of secrets."""
