"""What rooms let a caller see is exactly the parts that their indexes of grams are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, Table, create_engine, insert, select

from trivium.resources.images import ImageScope
from trivium.resources.images.table import EVERYBODY, NOBODY, SCOPES, VERSIONS, images
from trivium.resources.notebooks.table import LISTED, NAMES, notebooks
from trivium.store.grams import Grams
from trivium.store.query import Scope

PROJECTS = (7, 8)


def rows(table: Table, **choices: Iterable[Any]) -> list[dict[str, Any]]:
    """A row for each combination, of which everything else is the same."""
    same = {
        column.name: {str: "x", bytes: b"x", bool: True}.get(column.type.python_type, 1)
        for column in table.c
        if not column.nullable and column.server_default is None and column.name not in ("id", "uuid")
    }
    combined = product(*choices.values())
    return [
        {**same, "id": number, "uuid": number.to_bytes(16), **dict(zip(choices, values, strict=True))}
        for number, values in enumerate(combined, 1)
    ]


def put(connection: Connection, table: Table, made: list[dict[str, Any]]) -> None:
    plain = Table(table.name, type(table.metadata)(), *(type(column)(column.name) for column in table.c))
    connection.execute(insert(plain), made)


def of_images() -> list[dict[str, Any]]:
    """Images of each project and visibility, there and removed, with the audience that the room gives them."""
    made = rows(images, project_id=PROJECTS, visibility=("private", "shared", "public"), deleted_at=(None, 1))
    for row in made:
        row["audience"] = EVERYBODY if row["visibility"] == "public" else row["project_id"]
        if row["deleted_at"] is not None:
            row["audience"] = NOBODY
    return made


@pytest.mark.parametrize(
    ("table", "grams", "scope", "made"),
    [
        (notebooks, NAMES, LISTED, rows(notebooks, project_id=PROJECTS, listed=(True, False))),
        *((images, VERSIONS, SCOPES[scope], of_images()) for scope in ImageScope),
    ],
    ids=["notebooks", *ImageScope],
)
def test_a_scope_is_exactly_its_parts(table: Table, grams: Grams, scope: Scope, made: list[dict[str, Any]]) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        for row in made:  # one by one: some have no value where others have one
            put(connection, table, [row])
        for project in (*PROJECTS, 9):
            bound = scope.of(project=project)
            clause = select(table.c.id).where(scope.clause)
            seen = set(connection.execute(clause, {"project": project}).scalars())
            parts = set(connection.execute(select(table.c.id).where(grams.part.in_(bound.parts))).scalars())
            assert seen == parts
            assert len(seen) < len(made)
            assert seen or project == 9
    engine.dispose()
