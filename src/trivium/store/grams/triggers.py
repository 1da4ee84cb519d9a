"""The statements that make an index of grams and keep it, in the tongues of the two databases.

Migrations keep their text, so that it is part of the schema; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Table
from sqlalchemy.engine import Dialect

from trivium.store.clauses import adapted
from trivium.store.database import Flavour, dialect_of

SHORT: Final = (1, 2, 3)
LONG: Final = (6, 9)
"""Characters of the grams that keep phrases short, whose cost is that of their grams: three make up any term of four to
eleven characters. Of grams of three characters alone a term of eleven would take nine."""

SIZES: Final[Mapping[Flavour, Sequence[int]]] = {Flavour.SQLITE: (*SHORT, *LONG), Flavour.POSTGRESQL: SHORT}
"""Characters of the grams that each database has. PostgreSQL knows no phrases, and compares each candidate's text."""

FOLDED_OF: Final = 64
"""Changes on PostgreSQL of which one sums up those of its part that are committed."""

HASHES: Final = (
    # Made of functions that every PostgreSQL has, under the one collation that every database has.
    (
        "CREATE OR REPLACE FUNCTION trivium_grams(part bigint, folded text) RETURNS bigint[] "
        "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ "
        'SELECT array(SELECT hashtextextended(substr(folded, place, size) COLLATE "C", part) '
        "FROM generate_series(1, length(folded)) AS place, generate_series(1, 3) AS size "
        "WHERE place + size <= length(folded) + 1) $$"
    ),
    (
        "CREATE OR REPLACE FUNCTION trivium_hashed(part bigint, grams text[]) RETURNS bigint[] "
        "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ "
        'SELECT array(SELECT hashtextextended(gram COLLATE "C", part) FROM unnest(grams) AS gram) $$'
    ),
)


class Names(Struct, frozen=True, eq=False, kw_only=True):
    """What the statements speak of."""

    table: str
    column: str
    index: str
    generations: str
    depends: Sequence[str]  # the columns whose changes change the index
    part: Callable[[str, Dialect], str]  # the part of a row by its name in a trigger


def of_row(clause: ColumnElement[Any], table: Table, row: str, *, dialect: Dialect) -> str:
    """The clause in SQL, about the row of a trigger."""
    found = adapted(clause, table, table.alias(row))
    return str(found.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def tokens(folded: str, part: str) -> str:
    """SQLite's expression for all grams of a text: the hexadecimal digits of each after its part.

    Those of one size stand in the order of the text, so that a longer term is a phrase of them. A gram of nothing is in
    every text, and finds all rows of a part. Short grams are shorter still at the end of the text; long ones end there.
    """
    grams = " || ' ' || ".join(f"p || group_concat(hex(substr(s, i, {size})), ' ' || p)" for size in SHORT)
    for size in LONG:
        whole = f"CASE WHEN i <= length(s) - {size - 1} THEN hex(substr(s, i, {size})) END"
        grams += f" || coalesce(' ' || p || group_concat({whole}, ' ' || p), '')"
    return (
        f"(WITH RECURSIVE n(i, s, p) AS (SELECT 1, {folded}, {part} || 'x' "  # noqa: S608 - names of our own
        f"UNION ALL SELECT i + 1, s, p FROM n WHERE i < length(s) ORDER BY 1) SELECT p || ' ' || {grams} FROM n)"
    )


def sqlite(names: Names) -> tuple[str, ...]:
    """The statements for SQLite."""
    dialect = dialect_of(Flavour.SQLITE)
    old, new = names.part("old", dialect), names.part("new", dialect)
    is_there = {row: f"({part}) IS NOT NULL AND {row}.{names.column} IS NOT NULL" for row, part in _rows(old, new)}
    gone, come = (_sqlite_change(names, row, part, where="") for row, part in _rows(old, new))
    left, entered = (_sqlite_change(names, row, part, where=f" WHERE {is_there[row]}") for row, part in _rows(old, new))
    moved = " OR ".join([f"({old}) IS NOT ({new})", *(f"old.{c} IS NOT new.{c}" for c in ("id", names.column))])
    return (
        f"CREATE VIRTUAL TABLE {names.index} USING fts5(grams, content='', columnsize=0, tokenize='ascii')",
        f"CREATE TABLE {names.generations} (part INTEGER NOT NULL PRIMARY KEY, changes INTEGER NOT NULL)",
        f"CREATE TRIGGER {names.index}_come AFTER INSERT ON {names.table} WHEN {is_there['new']} BEGIN {come} END",
        f"CREATE TRIGGER {names.index}_gone AFTER DELETE ON {names.table} WHEN {is_there['old']} BEGIN {gone} END",
        (
            f"CREATE TRIGGER {names.index}_moved AFTER UPDATE OF {', '.join(names.depends)} ON {names.table} "
            f"WHEN {moved} BEGIN {left} {entered} END"
        ),
    )


def _rows(old: str, new: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("old", old), ("new", new)


def _sqlite_change(names: Names, row: str, part: str, *, where: str) -> str:
    grams = tokens(f"{row}.{names.column}", f"({part})")
    if row == "old":
        change = f"INSERT INTO {names.index}({names.index}, rowid, grams) SELECT 'delete', old.id, {grams}"
    else:
        change = f"INSERT INTO {names.index}(rowid, grams) SELECT new.id, {grams}"
    return (
        f"{change}{where}; "
        f"INSERT INTO {names.generations}(part, changes) SELECT {part}, 1{where or ' WHERE true'} "
        "ON CONFLICT(part) DO UPDATE SET changes = changes + 1;"
    )


def postgresql(names: Names) -> tuple[str, ...]:
    """The statements for PostgreSQL.

    The generation of a part is the sum of its changes. Each transaction appends its own, so that nobody waits for
    anybody, and now and then one sums up what others have committed.
    """
    return (
        *HASHES,
        f'CREATE TABLE {names.index} (id bigint PRIMARY KEY, part bigint NOT NULL, folded text COLLATE "C" NOT NULL)',
        f"CREATE INDEX {names.index}_part_id ON {names.index} (part, id)",
        (
            # Without a list of what is pending, which every search would have to walk.
            f"CREATE INDEX {names.index}_hashes ON {names.index} USING gin (trivium_grams(part, folded)) "
            "WITH (fastupdate = off)"
        ),
        (
            f"CREATE TABLE {names.generations} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            "part bigint NOT NULL, changes bigint NOT NULL)"
        ),
        f"CREATE INDEX {names.generations}_part ON {names.generations} (part)",
        *_postgresql_functions(names),
        *(
            f"CREATE TRIGGER {names.index}_{when} AFTER {event} ON {names.table} FOR EACH ROW "
            f"EXECUTE FUNCTION {names.index}_{when}()"
            for when, event in (
                ("come", "INSERT"),
                ("gone", "DELETE"),
                ("moved", f"UPDATE OF {', '.join(names.depends)}"),
            )
        ),
    )


def _postgresql_functions(names: Names) -> tuple[str, ...]:
    dialect = dialect_of(Flavour.POSTGRESQL)
    old, new = names.part("old", dialect), names.part("new", dialect)
    is_old, is_new = (f"({part}) IS NOT NULL AND {row}.{names.column} IS NOT NULL" for row, part in _rows(old, new))
    gone = (
        f"IF {is_old} THEN DELETE FROM {names.index} WHERE id = old.id; "  # noqa: S608
        f"PERFORM {names.generations}_next({old}); END IF;"
    )
    come = (
        f"IF {is_new} THEN INSERT INTO {names.index} (id, part, folded) VALUES (new.id, {new}, new.{names.column}); "  # noqa: S608
        f"PERFORM {names.generations}_next({new}); END IF;"
    )
    moved = " OR ".join(
        [f"({old}) IS DISTINCT FROM ({new})", *(f"old.{c} IS DISTINCT FROM new.{c}" for c in ("id", names.column))]
    )
    head = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    return (
        _next_generation(names),
        f"CREATE FUNCTION {names.index}_come() {head} {come} RETURN NULL; END $$",
        f"CREATE FUNCTION {names.index}_gone() {head} {gone} RETURN NULL; END $$",
        f"CREATE FUNCTION {names.index}_moved() {head} IF {moved} THEN {gone} {come} END IF; RETURN NULL; END $$",
    )


def _next_generation(names: Names) -> str:
    table = names.generations
    return (
        f"CREATE FUNCTION {table}_next(changed bigint) RETURNS void LANGUAGE plpgsql AS $$ DECLARE made bigint; BEGIN "  # noqa: S608
        f"INSERT INTO {table} (part, changes) VALUES (changed, 1) RETURNING id INTO made; "
        f"IF mod(made, {FOLDED_OF}) = 0 THEN WITH gone AS (DELETE FROM {table} WHERE id IN "
        f"(SELECT id FROM {table} WHERE part = changed FOR UPDATE SKIP LOCKED) RETURNING changes) "
        f"INSERT INTO {table} (part, changes) SELECT changed, sum(changes) FROM gone HAVING count(*) > 0; "
        "END IF; END $$"
    )
