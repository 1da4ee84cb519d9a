"""Showing how far something is while a command waits for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import click

STEP: Final = 10  # per cent between two lines


@contextmanager
def progress(label: str) -> Generator[Callable[[int], None]]:
    """Yields what is told how many per cent are done. On a terminal it is a bar, else a line for each tenth.

    Both go to standard error: standard output is for what was asked.
    """
    if sys.stderr.isatty():
        with click.progressbar(length=100, label=label, file=sys.stderr) as bar:
            yield lambda done: bar.update(done - bar.pos)
        return
    told = -STEP

    def tell(done: int) -> None:
        nonlocal told
        if done >= told + STEP or done == 100 != told:  # noqa: PLR2004 - per cent
            told = done
            click.echo(f"{label}: {done} %", err=True)

    yield tell
