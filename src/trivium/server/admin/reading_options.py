"""The options of `trivium dataset import` that say how a source is read, and what of it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

from trivium.resources.datasets.ports import Columns, TextFormat, Wanted

F = TypeVar("F", bound=Callable[..., Any])
KEPT: Final = "trivium.reading"
PLAIN: Final = TextFormat()
OFTEN: Final = "May be given several times."


def reading(command: F) -> F:
    """Give a command the options, which `wanted_of`, `texts_of` and `columns_of` read."""
    for option in reversed(
        (
            _flag("header", "The first row of each .csv file names the columns."),
            _several("column", "SOURCE=NAME", "What a column is called in the dataset.", callback=_keep_pairs),
            _flag("no-labels", "Leave labels out."),
            _flag("unconfirmed", "Labels do not count before somebody has confirmed them."),
            _flag("difficult-only", "Only samples with labels that are marked as hard."),
            _several("label", "NAME", "Only samples with this label, or with another that is so named."),
            _several("without-label", "NAME", "No samples with this label."),
            _flag("result-files", "Labels of NAME.txt are in the lines of NAME_result.txt."),
            _one("text-end", "CHARACTER", "What ends a text, before its labels (default: a tab)."),
            _one("between", "CHARACTER", "What is between labels of a text (default: a comma)."),
        )
    ):
        command = option(command)
    return command


def wanted_of() -> Wanted:
    """What the command line that runs wants of a source. Its files are told apart by their contents."""
    said = _said()
    return Wanted(
        labels=not said.get("no_labels"),
        difficult_only=bool(said.get("difficult_only")),
        included=frozenset(said.get("label", ())),
        excluded=frozenset(said.get("without_label", ())),
        confirmed=not said.get("unconfirmed"),
        digests=True,
    )


def texts_of() -> TextFormat:
    """How it says that texts and labels are told apart."""
    said = _said()
    return TextFormat(
        separate=bool(said.get("result_files")),
        text_end=said.get("text_end") or PLAIN.text_end,
        between=said.get("between") or PLAIN.between,
    )


def columns_of() -> Columns:
    """How it says that the rows of tables are read."""
    said = _said()
    return Columns(maps=dict(said.get("column", ())), has_header=bool(said.get("header")))


def _said() -> dict[str, Any]:
    return click.get_current_context().meta.get(KEPT, {})


def _flag(name: str, help: str) -> Callable[[F], F]:
    return click.option(f"--{name}", is_flag=True, expose_value=False, callback=_keep, help=help)


def _several(name: str, metavar: str, help: str, *, callback: Callable[..., None] | None = None) -> Callable[[F], F]:
    return click.option(
        f"--{name}",
        multiple=True,
        metavar=metavar,
        expose_value=False,
        callback=callback or _keep,
        help=f"{help} {OFTEN}",
    )


def _one(name: str, metavar: str, help: str) -> Callable[[F], F]:
    return click.option(f"--{name}", metavar=metavar, expose_value=False, callback=_keep_character, help=help)


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta.setdefault(KEPT, {})[parameter.name] = value


def _keep_pairs(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> None:
    pairs = [one.partition("=")[::2] for one in value]
    if not all(source and name for source, name in pairs):
        message = "must be SOURCE=NAME"
        raise click.BadParameter(message, context, parameter)
    _keep(context, parameter, pairs)


def _keep_character(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None and len(value) != 1:
        message = "must be one character"
        raise click.BadParameter(message, context, parameter)
    _keep(context, parameter, value)
