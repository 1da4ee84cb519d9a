"""Columns and fields of a catalogue's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Table

from trivium.base.text import fold
from trivium.store import Field, fields
from trivium.store.columns import Instant, Uuid16, text

FOLDED = "_folded"


def owned() -> tuple[Column[Any], ...]:
    """The columns that say which thing it is, whose, and who sees it: a project, or `EVERYBODY`."""
    return (
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("uuid", Uuid16, nullable=False, unique=True),
        Column("project_id", BigInteger, ForeignKey("projects.id"), nullable=False),
        Column("audience", BigInteger, nullable=False),
    )


def times() -> tuple[Column[Any], Column[Any]]:
    """When it was made and when it was last changed."""
    return Column("created_at", Instant, nullable=False), Column("changed_at", Instant, nullable=False)


def folded(name: str, *, nullable: bool = True) -> tuple[Column[Any], Column[Any]]:
    """A text that is compared without regard to case: as it was written, and folded."""
    return Column(name, text(), nullable=nullable), Column(f"{name}{FOLDED}", text(), nullable=nullable)


def shown(table: Table) -> tuple[Column[Any], ...]:
    """The columns that pages carry: what is folded is there to be compared with."""
    return tuple(column for column in table.c if not column.key.endswith(FOLDED))


def texts(table: Table, names: Iterable[str]) -> tuple[Field, ...]:
    """The fields of such texts, by the names of their columns."""
    return tuple(Field(name, fields.caseless, table.c[name], folded=table.c[f"{name}{FOLDED}"]) for name in names)


def folded_values(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of columns, with the folded form of each text that the table has so."""
    extra = {
        f"{name}{FOLDED}": None if value is None else fold(value)
        for name, value in values.items()
        if f"{name}{FOLDED}" in table.c
    }
    return {**values, **extra}
