"""The mount drawing as a PDF, true to scale: python -m hardware.mount --paper a4 -o mount.pdf."""

from collections.abc import Sequence

from hardware.command import write_pdf
from hardware.drawing import pdf
from hardware.mount_picture import PAPERS, mount_picture


def mount(paper: str) -> bytes:
    """The plate of the overhead camera on `paper`, one of `PAPERS`, as a PDF."""
    return pdf(mount_picture(), paper)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the PDF."""
    write_pdf("python -m hardware.mount", "the plate of the overhead camera", mount, PAPERS, argv)


if __name__ == "__main__":
    main()
