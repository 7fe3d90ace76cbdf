"""Labels for kiosks: a sheet to print, with what a phone and what a person can read."""
