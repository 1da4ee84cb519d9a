"""Two small resources that queries are tested on: books, and people who own them and have bosses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, Table, insert

from trivium.base.text import fold
from trivium.store import Field, Relation, Resource, Write, fields
from trivium.store.columns import Instant, Uuid16, text
from trivium.store.grams import Grams

COLOURS = ("blue", "green", "red")
tables = MetaData()

people = Table(
    "people",
    tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", text()),
    Column("name_folded", text()),
    Column("age", Integer),
    Column("boss_id", BigInteger),
)

books = Table(
    "books",
    tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid16, nullable=False),
    Column("title", text(), nullable=False),
    Column("title_folded", text(), nullable=False),
    Column("note", text()),
    Column("pages", BigInteger),
    Column("shelf", Integer, nullable=False),
    Column("weight", Double),
    Column("lent", Boolean),
    Column("colour", text()),
    Column("bought", Instant),
    Column("owner_id", BigInteger),
    Index("ix_books_shelf", "shelf", "id"),
)

NAMES = Grams(people, "name_folded", part=people.c.age)
TITLES = Grams(books, "title_folded", part=books.c.shelf)

PEOPLE = Resource(
    "person",
    people,
    (
        Field("id", fields.integer, people.c.id),
        Field("name", fields.text, people.c.name, folded=people.c.name_folded, grams=NAMES),
        Field("age", fields.integer, people.c.age),
    ),
    relations=(
        Relation("boss", lambda: PEOPLE, people.c.boss_id, people.c.id),
        Relation("books", lambda: BOOKS, people.c.id, books.c.owner_id),
        Relation("lent", lambda: BOOKS, people.c.id, books.c.owner_id, where=(books.c.lent.is_(True),)),
    ),
)

BOOKS = Resource(
    "book",
    books,
    (
        Field("id", fields.integer, books.c.id),
        Field("uuid", fields.uuid, books.c.uuid),
        Field("title", fields.text, books.c.title, folded=books.c.title_folded, grams=TITLES),
        Field("note", fields.text, books.c.note),
        Field("pages", fields.integer, books.c.pages),
        Field("shelf", fields.integer, books.c.shelf),
        Field("weight", fields.number, books.c.weight),
        Field("lent", fields.boolean, books.c.lent),
        Field("colour", fields.enum(COLOURS), books.c.colour),
        Field("bought", fields.time, books.c.bought),
        Field("secret", fields.text, books.c.note, ops=frozenset(), sortable=False),
    ),
    relations=(Relation("owner", lambda: PEOPLE, books.c.owner_id, people.c.id),),
)


def make(tx: Write) -> None:
    """Make the tables."""
    tables.create_all(tx.connection)


def fill(tx: Write, persons: Iterable[dict[str, Any]], shelf: Iterable[dict[str, Any]]) -> None:
    """Add people and books; what is folded is added to them."""
    for table, column, rows in ((people, "name", persons), (books, "title", shelf)):
        for row in rows:
            folded = None if row[column] is None else fold(row[column])
            tx.run(insert(table).values(**row, **{f"{column}_folded": folded}))
