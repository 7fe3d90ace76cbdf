"""The contract that kiosk and fleet share: topics, messages, ledger events, signals, minutes."""
