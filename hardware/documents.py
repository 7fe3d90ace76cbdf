"""The documents that are made of kit.toml and kept beside it: python -m hardware.documents; --check only looks."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from hardware.bill import bill
from hardware.desk_picture import desk_picture
from hardware.drawing import svg
from hardware.mount_picture import mount_picture
from hardware.wiring_picture import wiring_picture

FOLDER: Final = Path(__file__).parent

DOCUMENTS: Final[dict[str, Callable[[], str]]] = {
    "bill-of-materials.csv": bill,
    "drawings/desk.svg": lambda: svg(desk_picture()),
    "drawings/mount.svg": lambda: svg(mount_picture()),
    "drawings/wiring.svg": lambda: svg(wiring_picture()),
}
"""What each file in `FOLDER` holds."""


def stale(folder: Path) -> list[str]:
    """Which documents in `folder` are missing, or are not what kit.toml gives."""
    return [name for name, made in DOCUMENTS.items() if _text(folder / name) != made()]


def write(folder: Path) -> None:
    """Write them all into `folder`."""
    for name, made in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made(), encoding="utf-8", newline="\n")


def main(argv: Sequence[str] | None = None) -> None:
    """Write or check them."""
    parser = argparse.ArgumentParser(
        prog="python -m hardware.documents", description="The kit's drawings and its bill."
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they lie (%(default)s)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is not what kit.toml gives")
    asked = parser.parse_args(argv)
    if asked.check:
        if old := stale(asked.folder):
            sys.exit(f"Not what hardware/kit.toml gives: {', '.join(old)}. Type  make hardware-docs  and look at them.")
        return
    try:
        write(asked.folder)
    except OSError as error:
        parser.error(f"{asked.folder} cannot be written: {error.strerror}. Name a folder that you may write to.")


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8") if path.is_file() else None


if __name__ == "__main__":
    main()
