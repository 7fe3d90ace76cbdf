"""What the programs that draw a PDF have in common: ask for a paper and a file, and write it."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path


def write_pdf(
    program: str, what: str, draw: Callable[[str], bytes], papers: Sequence[str], argv: Sequence[str] | None
) -> None:
    """Draw `what` on the paper that was asked for, the first of `papers` by default, and write it to a file.

    Raises:
        SystemExit: the arguments make no sense or the file cannot be written; said on standard error.
    """
    parser = argparse.ArgumentParser(prog=program, description=f"Draw {what} as a PDF, true to scale.")
    parser.add_argument("--paper", choices=papers, default=papers[0], help="the paper in the printer (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the PDF to write")
    asked = parser.parse_args(argv)
    try:
        asked.output.write_bytes(draw(asked.paper))
    except OSError as error:
        parser.error(
            f"{asked.output} cannot be written: {error.strerror}. Name a file in a folder that you may write to."
        )
