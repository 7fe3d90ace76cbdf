"""The register's kiosks as a roster again, harmless to the spreadsheet that opens it."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from provisioning.roster.device import COLUMNS, Device

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet calculate: OWASP, "CSV Injection"."""


def exported(devices: Iterable[Device]) -> str:
    """CSV with every column, which read in again changes nothing."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    for one in devices:
        writer.writerow(escaped(getattr(one, column) or "") for column in COLUMNS)
    return text.getvalue()


def escaped(cell: str) -> str:
    """`cell`, with an apostrophe before it where it would otherwise be calculated."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
