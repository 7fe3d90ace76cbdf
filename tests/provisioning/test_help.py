"""Every command says what it does."""

import argparse
from collections.abc import Iterator

import pytest

from provisioning.cli import _parser


def commands(parser: argparse.ArgumentParser, so_far: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield so_far
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, (*so_far, name))


@pytest.mark.parametrize("command", [*commands(_parser())], ids=" ".join)
def test_help_is_there_and_says_something(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args([*command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 4
