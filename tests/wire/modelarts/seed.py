"""The answers that the seed documents, as data: held against what is really answered."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

TABLES: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
NEVER: Final = TABLES["never"]
TYPES: Final[Mapping[str, type]] = {"string": str, "integer": int, "boolean": bool}
CALLS: Final = tuple(name for name in TABLES if name.startswith("List"))


def fields() -> frozenset[str]:
    """Every field, as `Table.field`."""
    return frozenset(f"{table}.{name}" for table, rows in TABLES.items() if table != "never" for name in rows)


def faults(table: str, answer: Any, at: str = "$") -> Iterator[str]:
    """Where an answer has a field of another type or another word than its table says."""
    if not isinstance(answer, dict):
        yield f"{at}: {answer!r} is no {table}"
        return
    for name, told in TABLES[table].items():
        if name in answer:
            yield from _of_field(told, answer[name], f"{at}.{name}")


def present(table: str, answer: Any) -> Iterator[str]:
    """The fields that an answer has, as `Table.field`."""
    for name, told in TABLES[table].items():
        if name not in answer:
            continue
        yield f"{table}.{name}"
        kind = told.split()[0]
        inner = kind.removesuffix("[]")
        if inner not in TYPES:
            for part in answer[name] if kind.endswith("[]") else (answer[name],):
                yield from present(inner, part)


def _of_field(told: str, value: Any, at: str) -> Iterator[str]:
    kind, *words = told.split()
    if kind.endswith("[]"):
        if not isinstance(value, list):
            yield f"{at}: {value!r} is no list"
            return
        for place, part in enumerate(value):
            yield from _of_field(" ".join((kind.removesuffix("[]"), *words)), part, f"{at}[{place}]")
    elif kind not in TYPES:
        yield from faults(kind, value, at)
    elif type(value) is not TYPES[kind]:
        yield f"{at}: {value!r} is no {kind}"
    elif words and value not in words:
        yield f"{at}: {value!r} is none of {words}"
