"""How a kiosk joins its school's network: described in the campus's file, written as a keyfile of NetworkManager."""
