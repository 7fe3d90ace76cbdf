"""Whether each bench can fail: the same, with something broken in the child's own memory; it must find rows lost."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from lab.bench.loss import cuts, files, network
from lab.bench.loss.table import Row, Table


def mutate(table: Table, folder: Path, *, quick: bool) -> None:
    """Run each bench in small with a mutation; a line of `table` is well when the mutation was found out."""
    few = 2 if quick else 10
    found: list[tuple[str, Callable[[Table], None]]] = [
        (
            "an effect shown before its row is durable",
            lambda one: files.kills(one, folder / "early", 25 * few, promise_early=True),
        ),
        *((how, partial(cuts.cuts, folder=folder / how, count=2 * few, mutation=how)) for how in cuts.MUTATIONS),
        (
            "rows acknowledged before the fleet's commit",
            lambda one: network.fleet_kills(one, folder / "answers", few, "answers-early"),
        ),
    ]
    for words, bench in found:
        inner = Table(folder, "mutated", quiet=True)
        bench(inner)
        if inner.not_run:
            table.skip(f"mutation: {words}", "; ".join(inner.not_run.values()))
            continue
        lost = sum(row.lost for row in inner.rows)
        tried = sum(row.tried for row in inner.rows)
        facts = sum(row.facts for row in inner.rows)
        missed = "" if lost else "the bench did not notice"
        note = f"{inner.rows[0].of}: the bench found {lost} lost, as it must"
        table.add(Row(f"mutation: {words}", tried, "with it", 0, 0, facts, note, missed))
