"""Who this kiosk is: a key that never leaves it, the certificate of that key, and how both are changed."""
