"""The bill of materials of one kiosk as CSV, from kit.toml. Its costs are estimates, and say so in every row."""

import csv
from decimal import Decimal
from io import StringIO
from typing import Any, Final

from hardware.tables import kit

COLUMNS: Final = ("part", "fitted", "role", "item", "quantity", "unit_cost", "cost", "currency", "status", "as_of")


def bill() -> str:
    """Each part, under it what may be bought instead; at the end what a kiosk costs without and with optional parts."""
    table = kit()
    costs = table["costs"]
    tail = (costs["currency"], costs["status"], costs["as_of"].isoformat())
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for part in table["parts"]:
        fitted = "optional" if part.get("optional") else "standard"
        for name, cost, how in ((part["name"], part["cost"], fitted), *_instead(part)):
            unit = _money(cost)
            writer.writerow(
                [part["id"], how, part["role"], name, part["quantity"], unit, unit * part["quantity"], *tail]
            )
    for words, optional in (("standard kit", False), ("with every optional part", True)):
        writer.writerow(["total", words, "", "", "", "", total(table["parts"], optional=optional), *tail])
    return out.getvalue()


def total(parts: list[dict[str, Any]], *, optional: bool) -> Decimal:
    """What the parts cost together, alternatives left out."""
    counted = [one for one in parts if optional or not one.get("optional")]
    return sum((_money(one["cost"]) * one["quantity"] for one in counted), Decimal("0.00"))


def _instead(part: dict[str, Any]) -> list[tuple[str, float, str]]:
    return [(one["name"], one["cost"], "instead") for one in part.get("instead", ())]


def _money(cost: float) -> Decimal:
    return Decimal(str(cost)).quantize(Decimal("0.01"))
