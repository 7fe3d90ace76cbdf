"""The roster: a list of kiosks as CSV, checked, compared with the register, and taken over whole or not at all."""
