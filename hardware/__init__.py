"""The kit: its parts as data (kit.toml), and what is printed for it. Imports no other package of Carrel."""
