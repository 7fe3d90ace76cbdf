"""A kiosk's bundle: what is copied onto its card, and signed so that no bit of it can change unnoticed."""
