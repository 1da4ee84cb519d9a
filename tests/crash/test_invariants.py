"""The checks of the crash tests see what they are for: each is shown a site with one thing wrong."""

from __future__ import annotations

import copy
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Row

from tests.crash import invariants, machine
from tests.crash.drive import Drive
from tests.crash.invariants import INVARIANTS, Check, Scene
from tests.crash.ledger import Book, Ledger
from tests.crash.model import KILLED, Model
from tests.crash.server import Site
from tests.waiting import until
from trivium.drivers.runtimes.process.keeper.system import listeners
from trivium.drivers.runtimes.process.keeper.system.processes import Identity

DOCUMENT = Path(__file__).parents[2] / "docs" / "invariants.md"


@dataclass(frozen=True)
class Rest:
    """A site at rest: two users, each with a notebook that runs; the first has a stopped one too."""

    site: Site
    drive: Drive
    ids: tuple[int, int, int]

    def scene(self) -> Scene:
        """The site as it is."""
        return self.drive.scene()


@pytest.fixture(scope="module")
def rest() -> Iterator[Rest]:
    site = Site()
    drive = Drive(site, 1)
    try:
        drive.furnish()
        first, second = drive.hands[0], drive.hands[-1]
        ids = tuple(hand.make("dcu", 2) for hand in (first, second, first))
        drive.check()
        first.stop(ids[2])
        drive.check()
        yield Rest(site, drive, cast("tuple[int, int, int]", ids))
    finally:
        drive.close()


def _numbered(cases: Sequence[tuple[Check, object]]) -> list[str]:
    return [f"{number}-{check.__name__}" for number, (check, _) in enumerate(cases)]


def _wrongs(check: Check, scene: Scene) -> list[str]:
    return list(check(replace(scene, model=copy.deepcopy(scene.model))))


def test_a_site_at_rest_has_nothing_wrong(rest: Rest) -> None:
    scene = rest.scene()
    assert [wrong for check in INVARIANTS for wrong in _wrongs(check, scene)] == []


def test_every_invariant_is_told_in_the_docs() -> None:
    said = DOCUMENT.read_text("utf-8")
    assert [check.__name__ for check in INVARIANTS if f"`{check.__name__}`" not in said] == []


# ---- what the database has is not what was asked ---------------------------------------------------------------------

Spoil = Callable[[Ledger, int], Ledger]


def _row(table: str, key: int, **changes: Any) -> Callable[[Ledger], Ledger]:
    def spoil(ledger: Ledger) -> Ledger:
        rows = dict(getattr(ledger, table))
        rows[key] = _altered(rows[key], **changes)
        return replace(ledger, **{table: rows})

    return spoil


def _altered(row: Row[Any], **changes: Any) -> Any:
    return SimpleNamespace(**{**row._mapping, **changes})


def _without(table: str) -> Spoil:
    return lambda ledger, one: replace(
        ledger, **{table: {key: rows for key, rows in getattr(ledger, table).items() if key != one}}
    )


def _notebook(**changes: Any) -> Spoil:
    return lambda ledger, one: _row("notebooks", one, **changes)(ledger)


def _list(table: str, **changes: Any) -> Spoil:
    """The first row of a list that belongs to the notebook, or the first at all, with changes."""

    def spoil(ledger: Ledger, id: int) -> Ledger:
        rows = list(getattr(ledger, table))
        number = next((at for at, row in enumerate(rows) if getattr(row, "holder", None) == id), 0)
        rows[number] = _altered(rows[number], **changes)
        return replace(ledger, **{table: rows})

    return spoil


def _last(table: str, **changes: Any) -> Spoil:
    def spoil(ledger: Ledger, id: int) -> Ledger:
        rows = dict(getattr(ledger, table))
        rows[id] = [*rows[id][:-1], _altered(rows[id][-1], **changes)]
        return replace(ledger, **{table: rows})

    return spoil


ROWS: tuple[tuple[Check, Spoil], ...] = (
    (invariants.acknowledged_stands, _without("notebooks")),
    (invariants.acknowledged_stands, _without("operations")),
    (invariants.acknowledged_stands, _notebook(wanted="stopped")),
    (invariants.acknowledged_stands, _notebook(service_port=4)),
    (invariants.whole_or_not_at_all, _without("notebooks")),
    (invariants.whole_or_not_at_all, _without("operations")),
    (invariants.whole_or_not_at_all, _without("events")),
    (invariants.whole_or_not_at_all, _notebook(operation=1)),
    (invariants.whole_or_not_at_all, _notebook(wanted="stopped")),
    (invariants.asked_is_reached, _notebook(found="failed")),
    (invariants.asked_is_reached, _notebook(found="starting")),
    (invariants.what_runs_runs_on, _notebook(workload="0" * 64)),
    (invariants.what_runs_runs_on, _notebook(generation=7)),
    (invariants.nothing_is_held_twice, _without("reservations")),
    (invariants.nothing_is_held_twice, lambda ledger, one: _row("reservations", one, units=1)(ledger)),
    (invariants.nothing_is_held_twice, lambda ledger, one: _row("reservations", one, memory=1)(ledger)),
    (invariants.nothing_is_held_twice, _list("devices", holder=None)),
    (invariants.nothing_is_held_twice, _list("devices", holder=5)),
    (invariants.nothing_is_held_twice, _list("nodes", held_memory=1)),
    (invariants.nothing_is_held_twice, _notebook(found="stopped")),
    (invariants.free_numbers_are_true, _without("reservations")),
    (invariants.operations_are_over, _last("operations", finished_at=None)),
    (invariants.operations_are_over, _last("operations", status="failed")),
    (invariants.every_change_is_an_event, _without("events")),
    (invariants.every_change_is_an_event, _last("events", before='{"status":"stopped"}')),
    (invariants.every_change_is_an_event, _notebook(status="failed")),
    (invariants.everyone_sees_their_own, _notebook(status="failed")),
    (invariants.everyone_sees_their_own, _notebook(name="another")),
    (invariants.own_door_only, _list("devices", holder=None)),
    (invariants.nothing_is_left_behind, _without("notebooks")),
    (invariants.nothing_is_left_behind, _notebook(found="stopped")),
    (invariants.nothing_is_left_behind, _notebook(generation=7)),
)


@pytest.mark.parametrize(("check", "spoil"), ROWS, ids=_numbered(ROWS))
def test_a_wrong_row_is_seen(rest: Rest, check: Check, spoil: Spoil) -> None:
    scene = rest.scene()
    assert _wrongs(check, scene) == []
    assert _wrongs(check, replace(scene, ledger=spoil(scene.ledger, rest.ids[0]))) != []


# ---- what was asked is not what the site has -------------------------------------------------------------------------


def _lived(model: Model, id: int) -> None:
    model.lived[id] = replace(model.lived[id], main=Identity(os.getpid(), 0))


def _lost(model: Model, id: int) -> None:
    model.drop([model.by_id()[id]])


def _asked(**changes: Any) -> Callable[[Model, int], None]:
    def spoil(model: Model, id: int) -> None:
        for name, value in changes.items():
            setattr(model.by_id()[id], name, value)

    return spoil


WISHES: tuple[tuple[Check, Callable[[Model, int], None]], ...] = (
    (invariants.acknowledged_stands, _asked(name="another")),
    (invariants.acknowledged_stands, _asked(saves=1)),
    (invariants.whole_or_not_at_all, _lost),
    (invariants.asked_is_reached, _asked(ended=KILLED)),
    (invariants.what_runs_runs_on, _lived),
    (invariants.own_door_only, _lived),
    (invariants.everyone_sees_their_own, _lost),
    (invariants.everyone_sees_their_own, _asked(user="bob")),
    (invariants.sessions_live_on, lambda model, _: model.tokens.append(("bob", {"0": "x", "10001": "x"}))),
)


@pytest.mark.parametrize(("check", "spoil"), WISHES, ids=_numbered(WISHES))
def test_what_was_asked_otherwise_is_seen(rest: Rest, check: Check, spoil: Callable[[Model, int], None]) -> None:
    scene = rest.scene()
    model = copy.deepcopy(scene.model)
    spoil(model, rest.ids[0])
    assert list(check(replace(scene, model=model))) != []


# ---- what lies about on the machine ----------------------------------------------------------------------------------


@contextmanager
def _directory(path: Path) -> Iterator[None]:
    path.mkdir(parents=True)
    yield
    shutil.rmtree(path)


@contextmanager
def _process(site: Site, notebook: int) -> Iterator[None]:
    environment = {"TRIVIUM_NOTEBOOK": str(notebook), "VIRTUAL_ENV": f"{site.data}/layers/{notebook}/venv"}
    with subprocess.Popen(["/bin/sh", "-c", "read line"], env=environment, stdin=subprocess.PIPE) as one:
        until(lambda: one.pid in machine.look(site.data).processes, what="the process")
        yield


@contextmanager
def _parent(site: Site) -> Iterator[None]:
    folder = f"{site.data}/warm/1"
    words = ["/bin/sh", "-c", "read line", "/image", folder]
    with subprocess.Popen(words, env={"HOME": f"{folder}/home"}, stdin=subprocess.PIPE) as one:
        until(lambda: one.pid in machine.look(site.data).processes, what="the process")
        yield


@contextmanager
def _listener(rest: Rest) -> Iterator[None]:
    notebook, port = rest.ids[2], machine.free_port()
    environment = {"TRIVIUM_NOTEBOOK": str(notebook), "VIRTUAL_ENV": f"{rest.site.data}/layers/{notebook}/venv"}
    words = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    stopped = rest.drive.scene().model.by_id()[notebook]
    stopped.port = port
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as one:
        try:
            until(lambda: listeners.of([one.pid], port), what="the listener")
            yield
        finally:
            one.kill()
            stopped.port = None


LEFT: tuple[tuple[Check, Callable[[Rest], Any]], ...] = (
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "layers" / "1")),
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "logs" / "1")),
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "saved" / ("0" * 32))),
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "saved" / ".making-1")),
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "layers" / ".gone-1")),
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "keeper" / "1-1")),
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "temporary" / ".gone-1-1-0")),
    (invariants.nothing_is_left_behind, lambda rest: _directory(rest.site.data / "warm" / ("0" * 16))),
    (invariants.nothing_is_left_behind, lambda rest: _process(rest.site, rest.ids[2])),
    (invariants.nothing_is_left_behind, lambda rest: _process(rest.site, rest.ids[0])),
    (invariants.nothing_is_left_behind, lambda rest: _parent(rest.site)),
    (invariants.ports_are_free, _listener),
)


@pytest.mark.parametrize(("check", "leave"), LEFT, ids=_numbered(LEFT))
def test_what_was_left_is_seen(rest: Rest, check: Check, leave: Callable[[Rest], Any]) -> None:
    assert list(check(rest.scene())) == []
    with leave(rest):
        assert list(check(rest.scene())) != []


TOO_MUCH: dict[str, object] = {"layers": 1, "logs": 1, "saved": "0" * 32, "folders": "0" * 16}


@pytest.mark.parametrize("what", ["launches", "rooms", "cgroups", "temporary", *TOO_MUCH])
def test_what_is_too_much_on_the_machine_is_seen(rest: Rest, what: str) -> None:
    scene = rest.scene()
    more = getattr(scene.machine, what) | {TOO_MUCH.get(what, "1-1")}
    spoilt = replace(scene, machine=replace(scene.machine, **{what: more}))
    assert _wrongs(invariants.nothing_is_left_behind, spoilt) != []


@pytest.mark.parametrize("what", ["launches", "rooms", "layers", "logs"])
def test_what_a_running_notebook_lacks_is_seen(rest: Rest, what: str) -> None:
    scene = rest.scene()
    less = frozenset(one for one in getattr(scene.machine, what) if not str(one).startswith(str(rest.ids[0])))
    spoilt = replace(scene, machine=replace(scene.machine, **{what: less}))
    assert _wrongs(invariants.nothing_is_left_behind, spoilt) != []


def test_a_damaged_file_is_seen(rest: Rest, tmp_path: Path) -> None:
    with closing(sqlite3.connect(rest.site.data / "trivium.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    content = bytearray((tmp_path / "copy.db").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = os.urandom(20_000)
    (tmp_path / "copy.db").write_bytes(content)
    book = Book(f"sqlite:///{tmp_path / 'copy.db'}")
    assert book.faults() != []
    book.close()
