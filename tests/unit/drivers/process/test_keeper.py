"""The keeper's parts by themselves."""

from __future__ import annotations

import ast
import os
import selectors
import subprocess
import sys
from pathlib import Path

import pytest

from trivium.drivers.runtimes.process import environments
from trivium.drivers.runtimes.process.keeper import boot
from trivium.drivers.runtimes.process.keeper.keeper import Keeper
from trivium.drivers.runtimes.process.keeper.launches import journal, members
from trivium.drivers.runtimes.process.keeper.launches.journal import Journal
from trivium.drivers.runtimes.process.keeper.launches.spec import Failed
from trivium.drivers.runtimes.process.keeper.startup import layer, namespaces
from trivium.drivers.runtimes.process.keeper.system.processes import Identity, Seen
from trivium.drivers.runtimes.process.keeper.warm.pool import MODULE
from trivium.drivers.runtimes.process.settings import claim, run_directory

DYING = """
import os, sys
from trivium.drivers.runtimes.process.keeper.launches.journal import Journal
left = int(sys.argv[2])
def die(event, _):
    global left
    left -= event in ("os.rename", "os.remove", "os.rmdir")
    if not left:
        os._exit(9)
sys.addaudithook(die)
Journal(sys.argv[1]).remove()
"""
"""Removes notes, and dies before the step of that number changes the disk."""


def test_the_keeper_runs_on_the_standard_library_alone() -> None:
    modules = boot.code("main").replace("main(*sys.argv[2:])", "print(*sorted(sys.modules))")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", modules, boot.ROOT], capture_output=True, text=True, check=True
    )
    ours = {name for name in done.stdout.split() if not name.startswith(("_", "encodings"))}
    foreign = {name.partition(".")[0] for name in ours} - set(sys.stdlib_module_names) - {"trivium"}
    assert foreign == set()
    assert "trivium.drivers.runtimes.process.keeper.keeper" in ours
    assert "site" not in ours


def test_the_keeper_is_written_for_the_oldest_python_that_images_have() -> None:
    above = Path(boot.ROOT) / "trivium/drivers/runtimes/process/keeper"
    sources = sorted(above.rglob("*.py"))
    assert len(sources) > 20
    for path in sources:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=environments.OLDEST)


def test_a_fork_server_of_another_version_than_its_keeper_ends() -> None:
    arguments = [boot.ROOT, sys.prefix, "/nowhere", str(os.getpid()), "the edition before"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", boot.code(MODULE), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "the keeper is of another version" in done.stderr


def test_a_note_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    notes = Journal(str(tmp_path / "1-1"))
    notes.create({"a": 1})
    assert notes.read(journal.INTENT) == {"a": 1}
    notes.write(journal.STATE, {"b": 2})
    (tmp_path / "1-1" / "state").write_text("{ torn")
    assert notes.read(journal.STATE) is None
    assert notes.read(journal.ENDED) is None
    assert sorted(path.name for path in (tmp_path / "1-1").iterdir()) == ["intent", "report", "state"]
    notes.remove()
    assert notes.read(journal.INTENT) is None


@pytest.mark.parametrize("step", range(1, 7))
def test_notes_whose_removal_is_broken_off_are_all_there_or_cleared_away(tmp_path: Path, step: int) -> None:
    notes = Journal(str(tmp_path / "keeper" / "1-1"))
    (tmp_path / "keeper").mkdir()
    notes.create({"a": 1})
    notes.write(journal.STATE, {})
    notes.write(journal.ENDED, {})
    done = subprocess.run([sys.executable, "-c", DYING, notes.directory, str(step)], check=False)
    assert done.returncode == 9
    assert notes.read(journal.INTENT) == {"a": 1} or not (tmp_path / "keeper" / "1-1").exists()
    (tmp_path / "run").mkdir()
    Keeper(str(tmp_path), str(tmp_path / "run"), selectors.DefaultSelector())
    assert [path.name for path in (tmp_path / "keeper").iterdir() if path.name != "1-1"] == []


def test_each_half_of_a_report_is_its_writers_own(tmp_path: Path) -> None:
    notes = Journal(str(tmp_path / "1-1"))
    notes.create({})
    assert notes.reported(journal.MINDER) == {}
    descriptor = notes.open_report()
    journal.report(descriptor, journal.MINDER, {"main": [1, 2]})
    journal.report(descriptor, journal.STARTER, {"failed": "no_space", "detail": "长" * 3000})
    journal.report(descriptor, journal.MINDER, {"exit": 0})
    os.close(descriptor)
    assert notes.reported(journal.MINDER) == {"exit": 0}
    assert notes.reported(journal.STARTER)["failed"] == "no_space"
    assert (tmp_path / "1-1" / "report").stat().st_size == 2 * journal.SLOT


def seen(pid: int, parent: int, *, session: int = 0, started: int = 1, state: str = "S") -> Seen:
    return Seen(pid, parent, session or pid, state, started, threads=1, resident=1)


def roots(*minders: Identity, main: Identity | None = None, known: frozenset[Identity] = frozenset()) -> members.Roots:
    return members.Roots(frozenset(minders), main, known, mark="", uid=None, cgroup=None)


def test_everything_below_a_minder_is_the_launchs_and_zombies_and_minders_are_not() -> None:
    table = {
        one.pid: one
        for one in (seen(10, 1), seen(11, 10), seen(12, 11), seen(13, 10, state="Z"), seen(20, 1), seen(21, 20))
    }
    assert members.of(roots(Identity(10, 1)), table) == {11, 12}


def test_a_pid_that_was_given_to_another_process_is_nobodys() -> None:
    table = {one.pid: one for one in (seen(10, 1, started=99), seen(11, 10))}
    assert members.of(roots(Identity(10, 1)), table) == set()
    assert members.of(roots(Identity(7, 1), main=Identity(10, 1)), table) == set()


def test_without_a_minder_the_session_and_what_was_known_are_still_the_launchs() -> None:
    table = {
        one.pid: one
        for one in (seen(11, 1), seen(12, 1, session=11, started=5), seen(30, 1, started=3), seen(31, 30), seen(40, 1))
    }
    found = members.of(roots(Identity(10, 1), main=Identity(11, 1), known=frozenset({Identity(30, 3)})), table)
    assert found == {11, 12, 30, 31}


def test_a_path_is_resolved_and_its_links_are_told(tmp_path: Path) -> None:
    (tmp_path / "real/inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "absolute").symlink_to(tmp_path / "link" / "inner")
    resolved = namespaces.resolve(str(tmp_path / "absolute"))
    assert resolved.path == str(tmp_path / "real/inner")
    assert [Path(link).name for link, _ in resolved.links] == ["absolute", "link"]
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(Failed):
        namespaces.resolve(str(tmp_path / "round"))


def test_a_layer_is_made_again_without_losing_what_is_in_it(tmp_path: Path) -> None:
    told = layer.ask(sys.executable)
    venv = tmp_path / "venv"
    layer.make(str(venv), (), told)
    site = Path(layer.site_of(str(venv), told))
    (site / "mine.py").write_text("X = 1\n")
    (venv / "bin/pip").write_text("the user's own")
    layer.make(str(venv), ("/saved/a", "/saved/b"), told)
    chain = (site / layer.CHAIN).read_text()
    assert chain.index("/saved/b") < chain.index("/saved/a") < chain.index(told.purelib)
    assert (site / "mine.py").exists()
    assert (venv / "bin/pip").read_text() == "the user's own"
    done = subprocess.run(
        [venv / "bin/python", "-c", "import mine, msgspec, sys; print(sys.prefix)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(venv)


def test_the_run_directory_is_short_and_each_data_directorys_own(tmp_path: Path) -> None:
    one, other = run_directory(tmp_path / "a"), run_directory(tmp_path / "b")
    assert one != other
    assert one == run_directory(tmp_path / "a")
    assert len(str(one)) < 60


def test_a_run_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(PermissionError):
        claim(tmp_path / "link")
    claim(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o711
