"""What a session is, when it runs, and the journal that proves it."""
