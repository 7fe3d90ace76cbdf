"""What can be wrong with something that came over the wire.

WireError
├── BadPayload   the bytes are not the JSON this contract allows
├── BadTopic     the topic is none of this contract's
├── BadSegment   the file or piece is no sealed segment of this form
└── BrokenChain  ledger rows that do not follow from each other
"""


class WireError(Exception):
    """Anything that came over the wire and cannot be used."""


class BadPayload(WireError, ValueError):
    """The payload is too large, not UTF-8, not JSON as this contract allows it, or does not fit its model."""


class BadTopic(WireError, ValueError):
    """The topic is not one of `carrel/v1/{campus}/{kiosk}/…`."""


class BadSegment(WireError, ValueError):
    """Not a sealed segment, or its header cannot be read."""


class BrokenChain(WireError, ValueError):
    """A ledger row's hash does not follow from the row before it."""
