"""Showing how far something is while a command waits for it. All goes to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import click

from trivium.base.units import KIB
from trivium.base.values import Value

STEP: Final = 10  # per cent between two lines
EVERY: Final = 10.0  # seconds between two lines of what has no end that is known


@contextmanager
def progress(label: str) -> Generator[Callable[[int], None]]:
    """Yields what is told how many per cent are done. On a terminal it is a bar, else a line for each tenth."""
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


class Amount(Value, frozen=True):
    """How much of a source was read."""

    samples: int
    refused: int
    size: int  # bytes of the samples
    seconds: float  # for which it was read
    offset: int = 0  # bytes of the source that were read, where that is one file


@contextmanager
def amounts(label: str, *, length: int | None) -> Generator[Callable[[Amount], None]]:
    """Yields what is told how much was read of a source of so many bytes; None where nobody knows how many there are.

    On a terminal it is a bar, which only moves to and fro where the end is not known. Else it is a line every ten
    seconds, and one of what was told last.
    """
    if not sys.stderr.isatty():
        yield from _lines(label, length)
        return

    def said(amount: Amount | None) -> str | None:
        return None if amount is None else ", ".join(_told(amount, length))

    items: Iterable[Amount] = _nothing()
    # The bar's own time left would count from when this command began, and not from when the import did.
    with click.progressbar(
        items, length=length, label=label, file=sys.stderr, show_eta=False, item_show_func=said
    ) as bar:
        yield lambda now: bar.update((now.offset if length else now.samples) - bar.pos, now)


def _nothing() -> Generator[Amount]:
    """Something of which nobody knows how long it is."""
    yield from ()


def _lines(label: str, length: int | None) -> Generator[Callable[[Amount], None]]:
    last: Amount | None = None
    shown: Amount | None = None
    due = time.monotonic() + EVERY

    def show(now: Amount) -> None:
        nonlocal shown, due
        shown, due = now, time.monotonic() + EVERY
        share = [f"{100 * now.offset // length} %"] if length else []
        click.echo(f"{label}: {', '.join([*share, *_told(now, length)])}", err=True)

    def tell(now: Amount) -> None:
        nonlocal last
        last = now
        if time.monotonic() >= due:
            show(now)

    yield tell
    if last is not None and last != shown:
        show(last)


def _told(amount: Amount, length: int | None) -> list[str]:
    """The amounts, the rate, and the time that is left where that can be told."""
    told = [f"{amount.samples:,} samples", size_of(amount.size)]
    if amount.refused:
        told.append(f"{amount.refused:,} refused")
    if amount.seconds:
        told.append(f"{amount.samples / amount.seconds:,.0f} samples/s")
    if length and 0 < amount.offset < length:
        left = amount.seconds * (length - amount.offset) / amount.offset
        told.append(f"{timedelta(seconds=round(left))} left")
    return told


def size_of(size: float) -> str:
    """Bytes, as people read them."""
    if size < KIB:
        return f"{size:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        size /= KIB
        if size < KIB:
            return f"{size:.1f} {unit}"
    return f"{size / KIB:.1f} TiB"
