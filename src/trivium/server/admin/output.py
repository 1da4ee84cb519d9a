"""Printing what was found: as JSON for programs, as aligned columns for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import click
import msgspec

Row = Mapping[str, object]
UNSHOWN = "\N{REPLACEMENT CHARACTER}"


def print_rows(rows: Sequence[Row], columns: Sequence[str], *, output: str) -> None:
    """Print a list: all fields as a JSON array, or the named columns."""
    if output == "json":
        print_json(rows)
        return
    lines = [[column.replace("_", " ").upper() for column in columns]]
    lines += [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())


def print_row(row: Row, *, output: str) -> None:
    """Print one thing: a JSON object, or one line for each field."""
    if output == "json":
        print_json(row)
        return
    width = max(_width(name) for name in row)
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' ')}:{' ' * (width - _width(name))}  {_cell(value)}")


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def printable(text: str) -> str:
    """The text without what would move the cursor: names of files come from whoever made the files."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else UNSHOWN for letter in text)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
