"""Datasets as an operator imports them: by a command, by a server, and by one after the other was killed."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.contract.annotations import world
from tests.flows.operator import Operator, is_ready, site_in
from tests.waiting import until
from trivium.base.units import GIB
from trivium.resources.transfers.table import imports
from trivium.store import Read

LINES = 5000
TOGETHER = 2000  # samples that are kept together
HUGE = 64 * GIB


@pytest.fixture
def operator(database_url: str, tmp_path: Path) -> Iterator[Operator]:
    with site_in(tmp_path / "data", database_url, Operator) as made:
        yield made


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Operator]:
    """An operator with SQLite: for what no database has to do with."""
    with site_in(tmp_path / "data", "sqlite://", Operator) as made:
        yield made


def write_pets(root: Path, *labels: str, of_each: int = 3) -> Path:
    """Images in directories that are called as their labels."""
    files = {f"pets/{label}/{number}.png": world.png() for label in labels for number in range(of_each)}
    return world.write(root, files) / "pets"


def write_texts(root: Path, lines: int = 4, name: str = "texts.manifest") -> Path:
    """A manifest of texts, every other of which is good."""
    label = "modelarts/text_classification"
    rows = (
        {"source": f"content://{name} {number}", "annotation": [{"type": label, "name": ("bad", "good")[number % 2]}]}
        for number in range(lines)
    )
    file = root / name
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return file


def write_endless(root: Path) -> Path:
    """The same, and a line behind them that takes minutes to read: it is sparse."""
    file = write_texts(root, LINES)
    os.truncate(file, HUGE)
    return file


def shorten(file: Path) -> None:
    """Take the last line away."""
    with file.open("rb") as lines:
        size = sum(len(lines.readline()) for _ in range(LINES))
    os.truncate(file, size)


def of_pets(path: Path, *more: str) -> list[str]:
    """The command that imports pets."""
    return ["dataset", "import", str(path), "--name", "pets", "--type", "image-classification", *more]


def of_texts(path: Path, *more: str) -> list[str]:
    """The command that imports texts."""
    words = ["dataset", "import", str(path), "--manifest", "--name", "texts", "--type", "text-classification"]
    return [*words, *more]


def numbers(operator: Operator, name: str) -> dict[str, Any]:
    """How many samples a dataset has, and how many of these which label."""
    shown = operator.tell("dataset", "show", name)
    assert shown["samples"] == shown["annotated"]
    return {"samples": shown["samples"], **{label["label"]: label["samples"] for label in shown["labels"]}}


def numbers_of(operator: Operator, name: str) -> dict[str, int]:
    """How many samples have which label."""
    return {label["label"]: label["samples"] for label in operator.tell("dataset", "show", name)["labels"]}


def test_a_directory_is_imported_without_a_server_and_shown(operator: Operator) -> None:
    path = write_pets(operator.datasets, "cat", "dog")
    (path / "cat" / "broken.png").write_bytes(b"none")
    done = operator.run(*of_pets(path, "--public", "-o", "json"))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["status"], made["total"], made["imported"], made["refused"]) == ("done", 7, 6, 1)
    amounts, refused, reason = done.stderr.splitlines()
    assert amounts.startswith(f"pets: 6 samples, {6 * len(world.png())} B, 1 refused, ")
    assert refused == "1 of 7 were refused:"
    assert "cat/broken.png" in reason
    shown = operator.tell("dataset", "show", "pets")
    assert shown["imports"] == [made]
    assert operator.tell("dataset", "show", shown["id"]) == shown
    assert (shown["type"], shown["visibility"], shown["url"]) == ("image-classification", "public", str(path))
    assert numbers(operator, "pets") == {"samples": 6, "cat": 3, "dog": 3}
    (listed,) = operator.tell("dataset", "list")
    assert listed == {name: value for name, value in shown.items() if name not in ("labels", "imports")}


def test_a_dataset_is_exported_without_a_server_and_imported_again(operator: Operator) -> None:
    operator.tell(*of_pets(write_pets(operator.datasets, "cat", "dog")))
    out = operator.datasets / "out"
    told = operator.tell("dataset", "export", "pets", str(out), "--copy")
    assert (told["status"], told["total"], told["written"], told["refused"]) == ("done", 6, 6, 0)
    assert Path(told["manifest"]).read_text("utf-8").count("\n") == 6
    assert sorted(path.name for path in (out / "data").iterdir()) == ["cat", "dog"]
    again = operator.tell(*of_pets(out / "data", "--name", "again"))
    assert (again["imported"], again["refused"]) == (6, 0)
    assert numbers(operator, "again") == {"samples": 6, "cat": 3, "dog": 3}
    full = operator.run("dataset", "export", "pets", str(out))
    assert (full.returncode, "not there, or empty" in full.stderr) == (1, True), full.stderr
    outside = operator.run("dataset", "export", "pets", "/tmp/elsewhere")
    assert (outside.returncode, str(operator.datasets) in outside.stderr) == (1, True), outside.stderr


def test_what_is_imported_into_a_dataset_that_is_there_is_added_to_it(operator: Operator) -> None:
    first = operator.tell(*of_texts(write_texts(operator.datasets)))
    again = operator.tell(*of_texts(write_texts(operator.datasets, 6)))
    other = operator.tell(*of_texts(write_texts(operator.datasets, 2, "more.manifest")))
    assert {first["dataset_id"], again["dataset_id"], other["dataset_id"]} == {first["dataset_id"]}
    assert [(one["imported"], one["same"]) for one in (first, again, other)] == [(4, 0), (6, 4), (2, 0)]
    assert numbers(operator, "texts") == {"samples": 8, "bad": 4, "good": 4}
    shown = operator.tell("dataset", "show", "texts")
    assert [one["import"] for one in shown["imports"]] == [other["import"], again["import"], first["import"]]
    path = write_pets(operator.datasets, "cat")
    said = operator.run("dataset", "import", str(path), "--name", "texts", "--type", "free", "--table")
    assert (said.returncode, said.stdout) == (1, "")
    assert "of another type (text-classification)" in said.stderr


def test_an_export_says_truly_what_it_lacks_and_names_that_are_no_text_come_again(local: Operator) -> None:
    path = write_pets(local.datasets, "cat")
    (path / "cat" / os.fsdecode(b"caf\xe9.png")).write_bytes(world.png(9, 9))
    local.tell(*of_pets(path))
    told = local.tell("dataset", "export", "pets", str(local.datasets / "out"))
    assert (told["written"], told["refused"]) == (4, 0)
    again = local.tell(*of_pets(Path(told["manifest"]), "--manifest", "--name", "again"))
    assert (again["imported"], again["refused"]) == (4, 0)
    (path / "cat" / "0.png").unlink()
    done = local.run("dataset", "export", "pets", str(local.datasets / "copies"), "--copy")
    assert done.returncode == 0
    assert "1 of 4 samples could not be written. The first: 0.png is not there any more." in done.stderr


def test_the_rows_of_a_table_are_imported_by_their_header(local: Operator) -> None:
    path = world.write(
        local.datasets, {"flights/a.csv": "to,hours\nOslo,2\nRome\n", "flights/b.csv": "to,hours\nBonn,3\n"}
    )
    words = ["dataset", "import", str(path / "flights"), "--table", "--header", "--name", "flights", "--type", "table"]
    made = local.tell(*words)
    assert (made["imported"], made["refused"], made["way"]) == (2, 1, "table")
    (refused,) = local.tell("dataset", "show", "flights", "--refused")
    assert (refused["file"], refused["line"], refused["code"]) == ("a.csv", 3, "dataset.source.columns")


def test_what_is_wanted_of_a_source_and_how_it_is_read_is_said_by_options(local: Operator) -> None:
    label = "modelarts/text_classification"
    said = [("one", "good", True), ("two", "good", False), ("three", "bad", True)]
    rows = [
        {"source": f"content://{text}", "annotation": [{"type": label, "name": name, "hard": hard}]}
        for text, name, hard in said
    ]
    manifest = world.write_manifest(local.datasets, *rows)
    for number, (words, told) in enumerate(
        {
            ("--difficult-only",): {"samples": 2, "annotated": 2},
            ("--label", "good"): {"samples": 2, "annotated": 2},
            ("--label", "good", "--label", "bad", "--without-label", "bad"): {"samples": 2, "annotated": 2},
            ("--unconfirmed",): {"samples": 3, "annotated": 0},
            ("--no-labels",): {"samples": 3, "annotated": 0},
        }.items()
    ):
        local.tell(*of_texts(manifest, "--name", f"texts{number}", *words))
        shown = local.tell("dataset", "show", f"texts{number}")
        assert {key: shown[key] for key in told} == told, words
    path = (
        world.write(local.datasets, {"more/a.txt": "x;y\n", "more/a_result.txt": "c|d\n", "more/b.txt": "z\n"}) / "more"
    )
    kind = ("--type", "text-classification")
    local.tell("dataset", "import", str(path), "--name", "apart", *kind, "--result-files", "--between", "|")
    assert numbers_of(local, "apart") == {"c": 1, "d": 1}
    (path / "a_result.txt").unlink()
    local.tell("dataset", "import", str(path), "--name", "within", *kind, "--text-end", ";")
    assert numbers_of(local, "within") == {"y": 1}
    table = world.write(local.datasets, {"flights.csv": "to,hours\nOslo,2\n"}) / "flights.csv"
    words = ["dataset", "import", str(table), "--table", "--header", "--type", "table"]
    made = local.tell(*words, "--name", "flights", "--column", "to=town", "--column", "hours=time")
    assert (made["imported"], made["refused"]) == (1, 0)
    for wrong in (("--column", "to"), ("--column", "=town"), ("--between", ", ")):
        done = local.run(*words, "--name", "wrong", *wrong)
        assert (done.returncode, wrong[0] in done.stderr) == (2, True)


def test_what_cannot_be_imported_is_said_and_leaves_nothing(local: Operator, tmp_path: Path) -> None:
    outside, inside = write_pets(tmp_path, "cat"), write_pets(local.datasets, "cat")
    refused = [
        (of_pets(outside), 1, "TRIVIUM_DATASETS__ROOTS"),
        (of_pets(local.datasets), 1, "TRIVIUM_DATASETS__ROOTS"),
        (of_pets(inside / "none"), 2, "is not there"),
        (of_pets(inside / "cat" / "0.png"), 2, "--manifest or --table"),
        (of_pets(inside, "--manifest"), 2, "is no file"),
        (["dataset", "import", str(inside), "--name", "pets", "--type", "video"], 1, "import a manifest"),
        (["dataset", "import", str(inside), "--name", "pets", "--type", "cats"], 2, "--type"),
        (["dataset", "import", str(inside), "--name", "", "--type", "free", "--table"], 1, "name"),
        (of_pets(inside, "--work-path", str(inside / "work")), 1, "--work-path"),
        (of_pets(inside, "--work-path", str(tmp_path / "work")), 1, "--work-path"),
        (["dataset", "show", "pets"], 1, "no dataset pets"),
    ]
    for words, code, told in refused:
        done = local.run(*words)
        assert (done.returncode, done.stdout) == (code, ""), done
        assert told in done.stderr
        assert "Traceback" not in done.stderr
    assert local.tell("dataset", "list") == []


def test_a_source_that_cannot_be_read_fails_and_says_why(local: Operator, tmp_path: Path) -> None:
    link = local.datasets / "link"
    link.symlink_to(write_pets(tmp_path, "cat"))
    done = local.run(*of_pets(link), LANG="zh_CN.UTF-8")
    assert (done.returncode, done.stdout) == (1, "")
    assert "符号链接" in done.stderr.splitlines()[-1]
    (failed,) = local.tell("dataset", "show", "pets")["imports"]
    assert (failed["status"], failed["total"]) == ("failed", 0)
    assert "symbolic link" in failed["reason"]
    link.unlink()
    write_pets(local.datasets, "cat").rename(link)
    assert local.tell(*of_pets(link))["imported"] == 3


def test_what_was_refused_is_listed_page_by_page_and_moves_no_cursor(local: Operator) -> None:
    path = write_pets(local.datasets, "cat")
    hostile = "\x1b[2J.png"
    world.write(path / "cat", {hostile: b"none", **{f"b{number}.png": b"none" for number in range(6)}})
    done = local.run(*of_pets(path))
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1 + 1 + 5 + 1  # amounts, how much was refused, some of it, and a hint
    assert "--refused" in done.stderr.splitlines()[-1]
    assert "\x1b" not in done.stderr + done.stdout
    assert "\x1b" not in local.run("dataset", "show", "pets", "--refused").stdout
    first = local.run("dataset", "show", "pets", "--refused", "--limit", "4", "-o", "json")
    assert first.stderr == "3 more: --refused --after 4\n"
    rest = local.run("dataset", "show", "pets", "--refused", "--after", "4", "-o", "json")
    assert rest.stderr == ""
    listed = [*json.loads(first.stdout), *json.loads(rest.stdout)]
    assert [one["number"] for one in listed] == [*range(1, 8)]
    assert [one["file"] for one in listed] == [f"cat/{hostile}", *(f"cat/b{number}.png" for number in range(6))]
    again = local.tell(*of_pets(path))
    (failed, before) = local.tell("dataset", "show", "pets")["imports"]
    assert failed["import"] == again["import"]
    assert local.tell("dataset", "show", "pets", "--refused", "--import", before["import"]) == listed


def test_a_bar_is_shown_on_a_terminal(local: Operator) -> None:
    of_manifest = seen_on_a_terminal(local, of_texts(write_texts(local.datasets)))
    assert "100%" in of_manifest
    assert "4 samples, " in of_manifest
    of_directory = seen_on_a_terminal(local, of_pets(write_pets(local.datasets, "cat")))
    assert "%" not in of_directory
    assert "3 samples, " in of_directory
    assert "samples/s" in of_directory


def test_a_command_waits_for_a_server_that_is_there(operator: Operator) -> None:
    with operator.serving() as server:
        until(lambda: is_ready(server), within=120, what="a server that has read its environment")
        made = operator.tell(*of_pets(write_pets(operator.datasets, "cat")))
        assert (made["status"], made["imported"]) == ("done", 3)
        assert operator.run("server", "list").stdout.count("yes") == 1
    assert numbers(operator, "pets") == {"samples": 3, "cat": 3}


def test_a_server_reads_what_nobody_waits_for(operator: Operator) -> None:
    made = operator.tell(*of_texts(write_texts(operator.datasets), "--no-wait"))
    assert (made["status"], made["total"]) == ("waiting", 0)
    with operator.serving():
        wait_for_the_end(operator)
    assert numbers(operator, "texts") == {"samples": 4, "bad": 2, "good": 2}


def test_a_command_that_is_killed_is_gone_on_with_by_a_server(operator: Operator) -> None:
    path = write_endless(operator.datasets)
    end_amid(operator, of_texts(path), signal.SIGKILL)
    shorten(path)
    with operator.serving():
        wait_for_the_end(operator)
    assert_each_is_there_once(operator)


def test_a_command_that_is_interrupted_is_gone_on_with_by_the_same_one(operator: Operator) -> None:
    path = write_endless(operator.datasets)
    assert end_amid(operator, of_texts(path), signal.SIGINT) == 130
    other = operator.run(*of_texts(write_texts(operator.datasets, 2, "more.manifest")))
    assert (other.returncode, other.stdout) == (1, "")
    assert f"{path} is being imported into the dataset texts" in other.stderr
    shorten(path)
    done = operator.tell(*of_texts(path))
    assert (done["status"], done["imported"], done["same"]) == ("done", LINES, 0)
    assert_each_is_there_once(operator)


def test_what_is_stopped_ends_keeps_what_came_and_is_begun_anew(operator: Operator) -> None:
    path = write_endless(operator.datasets)
    with subprocess.Popen(
        operator.command(*of_texts(path)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as waiting:
        wait_for_some(operator)
        stopped = operator.tell("dataset", "stop", "texts")
        _, said = waiting.communicate(timeout=60)
    assert (stopped["status"], stopped["sync"]) == ("stopped", False)
    assert (waiting.returncode, "the import was stopped" in said) == (1, True)
    again = operator.run("dataset", "stop", "texts")
    assert (again.returncode, again.stdout) == (1, "")
    assert "nothing is being imported into the dataset texts" in again.stderr
    shorten(path)
    done = operator.tell(*of_texts(path))
    assert (done["status"], done["total"], done["same"] > 0) == ("done", LINES, True)
    assert numbers(operator, "texts") == {"samples": LINES, "bad": LINES // 2, "good": LINES // 2}


def test_what_a_server_does_is_stopped(operator: Operator) -> None:
    path = write_endless(operator.datasets)
    with operator.serving():
        operator.tell(*of_texts(path, "--no-wait"))
        wait_for_some(operator)
        assert operator.tell("dataset", "stop", "texts")["status"] == "stopped"
        other = operator.tell(*of_texts(write_texts(operator.datasets, 2, "more.manifest")))
    assert (other["status"], other["added"]) == ("done", 2)


def test_a_server_that_is_killed_is_gone_on_with_by_a_command(operator: Operator) -> None:
    path = write_endless(operator.datasets)
    operator.tell(*of_texts(path, "--no-wait"))
    with operator.serving() as server:
        wait_for_some(operator)
        server.process.kill()
        server.process.wait()
    shorten(path)
    assert operator.tell(*of_texts(path))["imported"] == LINES
    assert_each_is_there_once(operator)


def seen_on_a_terminal(operator: Operator, words: list[str]) -> str:
    """What a command writes to its standard error, which is a terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen(operator.command(*words), stdout=subprocess.DEVNULL, stderr=its) as command:
        os.close(its)
        seen = b""
        while more := _from(ours):
            seen += more
        os.close(ours)
        assert command.wait() == 0, seen
    return seen.decode()


def _from(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody has its other end any more
        return b""


def end_amid(operator: Operator, words: list[str], sign: signal.Signals) -> int:
    """Begin an import by a command, and end that before its source is read to the end; how it ended."""
    with subprocess.Popen(operator.command(*words), stderr=subprocess.DEVNULL) as command:
        wait_for_some(operator)
        command.send_signal(sign)
        return command.wait()


def wait_for_some(operator: Operator) -> None:
    """Until some samples are kept, but not all."""
    with operator.store() as store:
        until(lambda: sum(store.read_now(_going)) >= TOGETHER, within=120, what="samples of an import")


def wait_for_the_end(operator: Operator) -> None:
    """Until nothing is being imported any more."""
    with operator.store() as store:
        until(lambda: not store.read_now(_going), within=120, what="the end of the import")


def assert_each_is_there_once(operator: Operator) -> None:
    shown = operator.tell("dataset", "show", "texts")
    (done,) = shown["imports"]
    assert (done["status"], done["total"], done["imported"], done["same"]) == ("done", LINES, LINES, 0)
    assert done["size"] == sum(len(f"texts.manifest {number}") for number in range(LINES))
    assert numbers(operator, "texts") == {"samples": LINES, "bad": LINES // 2, "good": LINES // 2}


def _going(tx: Read) -> list[int]:
    """How many samples each import has that is not over."""
    wanted = select(imports.c.imported).where(imports.c.finished_at.is_(None))
    return [row.imported for row in tx.all(wanted)]
