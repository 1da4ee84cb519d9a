"""The house keeps its rules: doors, sizes, sleeps, names. Directions are import-linter's, the rest ruff's."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "trivium"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MIGRATIONS = PACKAGE / "store" / "migrations" / "versions"  # lists of columns, and never edited once released

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
FRAGMENT = re.compile(r"\d{4}(-[a-z0-9-]+)?\.(added|changed|fixed|removed|security)\.md")
# Written so that they do not find themselves.
REGISTRIES = re.compile(
    r"pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|deb[.]debian[.]org|proxy[.]golang[.]org|crates[.]io|(?i:[a]rtifactory)"
)
WORKPLACE = re.compile(r"/wor[k]/(main|shared|[.]library)|/tmp/[w]/|/opt/[p]ypi|/opt/[w]heels")


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Each module that a file imports, with the line; `from a import b` counts as a.b too where that is a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from (
                (node.lineno, f"{node.module}.{alias.name}")
                for alias in node.names
                if _is_module(f"{node.module}.{alias.name}")
            )


def _is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_a_room_is_entered_by_its_door() -> None:
    found = []
    for path in SOURCES:
        for line, name in _imports(path):
            parts = name.split(".")
            room = ".".join(parts[:3])
            inside = len(parts) > 3 and name.startswith("trivium.resources.") and parts[3] != "ports"
            if inside and not f"{_module(path)}.".startswith(f"{room}."):
                found.append(f"{path.relative_to(ROOT)}:{line} goes into {name}; {room} is the door")
    assert found == []


def test_a_dialect_knows_no_other() -> None:
    found = []
    for path in (PACKAGE / "dialects").glob("*/**/*.py"):
        mine = ".".join(_module(path).split(".")[:3])
        for line, name in _imports(path):
            other = ".".join(name.split(".")[:3])
            is_dialect = PACKAGE.parent.joinpath(*other.split(".")).is_dir() and other.count(".") == 2
            if other.startswith("trivium.dialects.") and is_dialect and other != mine:
                found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert found == []


def test_no_file_is_too_long() -> None:
    lengths = {path.relative_to(ROOT): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    found = []
    for path in SOURCES:
        if path.is_relative_to(MIGRATIONS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines")
    assert found == []


def test_no_test_sleeps() -> None:
    found = []
    for path in TESTS:
        if path.name == "waiting.py":
            continue  # it polls
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "asyncio.sleep", "anyio.sleep"):
                gives_way = isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
                if not gives_way:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert found == []


@pytest.mark.parametrize("pattern", [REGISTRIES, WORKPLACE], ids=["registries", "workplaces"])
def test_no_file_names_where_it_was_made(pattern: re.Pattern[str]) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue  # removed and not yet committed
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{name}:{number} {line.strip()[:100]}")
    assert found == []


def test_each_change_is_told_in_a_fragment_of_the_right_name() -> None:
    fragments = [path for path in (ROOT / "changes").iterdir() if path.name != "README.md"]
    assert [path.name for path in fragments if not FRAGMENT.fullmatch(path.name)] == []
    assert [path.name for path in fragments if not path.read_text(encoding="utf-8").strip()] == []
