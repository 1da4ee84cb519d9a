"""Data sets of the growth benchmark: so many notebooks of 1,000 projects, whose sizes follow Zipf's law.

The largest project has half of all rows. Rows are copies of two notebooks that the rooms' own services made, written
past the triggers; what these keep is then made as a migration makes it.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, insert, text

from benchmarks import copying
from benchmarks.processes import Place, serving
from benchmarks.seed import seed_notebooks
from trivium.base.caller import Caller
from trivium.base.clock import SystemClock
from trivium.base.text import fold
from trivium.base.values import Value
from trivium.resources import users
from trivium.resources.notebooks.table import notebooks
from trivium.resources.projects.table import projects
from trivium.store import Flavour, Read, Store, Write
from trivium.store.counters import all_counted, recount
from trivium.store.grams import backfill
from trivium.store.grams.declared import INFO

PROJECTS: Final = 1000
STEEPNESS: Final = 1.73  # with which the largest of 1,000 projects has half of all
OWNERS: Final = ("half", "thousand", "ten")
ABSENT: Final = "zzqqyy"  # in no name
COMMON: Final = "diffusion"  # in 2 % of the names
CHINESE: Final = "评估"  # in 1 % of the names
WORDS: Final = (
    "train",
    "eval",
    "llama",
    "qwen",
    "bert",
    "数据",
    "测试",
    "训练",
    "模型",
    "dev",
    "resnet",
    "clip",
    "exp",
)
REGION: Final = "bench"


class Owner(Value, frozen=True, kw_only=True):
    """Somebody whose lists are asked for."""

    name: str
    project: int
    rows: int


class Rows(Value, frozen=True, kw_only=True):
    """A data set that is there."""

    rows: int
    place: Place
    owners: tuple[Owner, ...]


def rows_of(count: int, folder: Path, database: str | None) -> Rows:
    """The data set of so many rows, made unless it is there."""
    place = Place(data=folder / f"growth-{count}", database=_schema(database, count) if database else None)
    done = place.data / ("made-postgresql" if database else "made")
    if not done.exists():
        with serving(place):
            pass
        seed_notebooks(place.url, 2)  # one that failed, one that was stopped
        _make(place.url, count)
        done.touch()
    store = Store.open(place.url, SystemClock(), "cli")
    try:
        return Rows(rows=count, place=place, owners=store.read_now(_owners))
    finally:
        store.close()


def _schema(database: str, count: int) -> str:
    """A schema of the data set's own, in the database that was given."""
    import psycopg  # noqa: PLC0415 - only benchmarks on PostgreSQL need it

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS growth_{count}".encode())
    return f"{database}{'&' if '?' in database else '?'}options=-csearch_path%3Dgrowth_{count}"


def _owners(tx: Read) -> tuple[Owner, ...]:
    counted = text("SELECT count(*) FROM notebooks WHERE project_id = :project AND listed")
    found = [users.find(tx, name) for name in OWNERS]
    return tuple(
        Owner(name=user.name, project=user.project, rows=tx.value(counted, {"project": user.project})) for user in found
    )


def _make(url: str, count: int) -> None:
    store = Store.open(url, SystemClock(), "cli")
    try:
        accounts = store.write_now(_accounts)
        columns = ", ".join(column.name for column in notebooks.c)
        templates = store.read_now(lambda tx: tx.fetch(f"SELECT {columns} FROM notebooks ORDER BY id", ()))
        with _untriggered(store):
            copying.write(store, notebooks, _rows(templates, accounts, count))
            store.write_now(_keep)
    finally:
        store.close()


def _accounts(tx: Write) -> list[tuple[int, int, str]]:
    """Project, user and user's name of each project, the largest first; those of the owners are where they belong."""
    admin = users.oldest_admin(tx)
    assert admin is not None
    caller = Caller(user=admin.id, user_name=admin.name, project=admin.project, role=admin.role)
    owners = [users.create(tx, caller, users.NewUser(name=name), project_name=REGION) for name in OWNERS]
    made = [(user.project, user.id, user.name) for user in owners]
    for number in range(PROJECTS - len(made)):
        id = tx.ids.next()
        tx.run(
            insert(projects).values(
                id=id,
                uuid=UUID(int=id, version=4),
                domain_id=_domain(tx),
                owner_id=admin.id,
                name=f"project-{number}",
                enabled=True,
                created_at=tx.now,
            )
        )
        made.append((id, admin.id, admin.name))
    return made


def _domain(tx: Read) -> int:
    return tx.value(text("SELECT id FROM domains"))


def _sizes(count: int) -> list[int]:
    """Rows of the owner of half, of a thousand and of ten, then of all others by Zipf's law."""
    half = count // 2
    fixed = [half, min(1000, count // 8), 10]
    shares = [rank**-STEEPNESS for rank in range(2, PROJECTS - 1)]
    rest = count - sum(fixed)
    return fixed + [int(rest * share / sum(shares)) for share in shares] + [0]


def _rows(
    templates: Sequence[tuple[Any, ...]], accounts: Sequence[tuple[int, int, str]], count: int
) -> Iterator[tuple[Any, ...]]:
    """The rows, oldest first; projects take turns by chance."""
    chance = random.Random(count)
    turns = [place for place, size in enumerate(_sizes(count)) for _ in range(size)]
    turns += [len(accounts) - 1] * (count - len(turns))
    chance.shuffle(turns)
    columns = [column.name for column in notebooks.c]
    places = {name: columns.index(name) for name in columns}
    first = templates[0][0] - (count << 22)
    for number, turn in enumerate(turns):
        row = list(templates[0 if chance.random() < 0.2 else 1])
        project, owner, owner_name = accounts[turn]
        name = _name(chance)
        id = first + (number << 22)
        changed = {"id": id, "uuid": UUID(int=id << 32 | number, version=4).bytes, "project_id": project}
        changed |= {"owner_id": owner, "owner_name": owner_name, "name": name, "name_folded": fold(name)}
        changed["owner_name_folded"] = fold(owner_name)
        for column, value in changed.items():
            row[places[column]] = value
        yield tuple(row)


def _name(chance: random.Random) -> str:
    parts = [chance.choice(WORDS), chance.choice(WORDS), str(chance.randrange(1_000_000))]
    if chance.random() < 0.02:
        parts.append(COMMON)
    if chance.random() < 0.01:
        parts.append(CHINESE)
    return "-".join(parts)


@contextlib.contextmanager
def _untriggered(store: Store) -> Generator[None]:
    """The table without its triggers."""
    if store.flavour is Flavour.POSTGRESQL:
        store.write_now(copying.execute, ("ALTER TABLE notebooks DISABLE TRIGGER USER",))
        yield
        store.write_now(copying.execute, ("ALTER TABLE notebooks ENABLE TRIGGER USER",))
        return
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'notebooks'"
    triggers = store.read_now(lambda tx: tx.fetch(found, ()))
    store.write_now(copying.execute, [f"DROP TRIGGER {name}" for name, _ in triggers])
    yield
    store.write_now(copying.execute, [sql for _, sql in triggers])


def _keep(tx: Write) -> None:
    """Make what the triggers keep."""
    for counted in all_counted():
        if counted.table is notebooks:
            recount(tx, counted)
    for grams in notebooks.info[INFO]:
        with _without_hashes(tx.connection, tx.flavour, grams.index):
            # The two notebooks that were made by the services are there already.
            again = "delete-all" if tx.flavour is Flavour.SQLITE else ""
            empty = (
                f"INSERT INTO {grams.index}({grams.index}) VALUES ('{again}')" if again else f"TRUNCATE {grams.index}"
            )
            copying.execute(tx, [empty, *backfill(grams, tx.flavour)])
    if tx.flavour is Flavour.SQLITE:
        copying.execute(tx, ["ANALYZE"])


@contextlib.contextmanager
def _without_hashes(connection: Connection, flavour: Flavour, index: str) -> Generator[None]:
    """On PostgreSQL an index is made faster at once than row by row."""
    if flavour is Flavour.SQLITE:
        yield
        return
    name = f"{index}_hashes"
    made = connection.exec_driver_sql(f"SELECT pg_get_indexdef('{name}'::regclass)").scalar()
    connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    connection.exec_driver_sql(str(made))
    for table in ("notebooks", index):
        connection.exec_driver_sql(f"ANALYZE {table}")
