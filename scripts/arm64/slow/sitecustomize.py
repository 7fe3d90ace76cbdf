"""Camera deadlines for an emulated processor, ten to thirty times slower than a Pi, in every process of the kiosk.

Python imports this by itself from PYTHONPATH. Nothing else is another one: the same programs run, with the same code.
"""

from device.cameras import capture, ladder

_FACTOR = 20
_MORE = {
    ladder: ("START_GRACE_NS", "DEAF_AFTER_NS", "STALLED_AFTER_NS", "REOPEN_WITHIN_NS"),
    capture: ("READ_TIMEOUT_S", "_READ_LIMIT_S", "_OPEN_LIMIT_S", "_CLOSE_LIMIT_S", "_STALLED_AFTER_NS"),
}
for _module, _names in _MORE.items():
    for _name in _names:
        setattr(_module, _name, getattr(_module, _name) * _FACTOR)
