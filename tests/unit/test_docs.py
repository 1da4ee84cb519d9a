"""What the pages say exists: the files they lead to, the commands, settings and statuses that they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from tools.reference_page import commands
from trivium.dialects.modelarts import codes as modelarts
from trivium.dialects.modelarts.codes import (
    BY_STATUS,
    FAULT_OF_POOLS,
    FINER,
    INVALID_OF_DATASETS,
    INVALID_OF_MODELS,
    MISSING_OF_MODELS,
)
from trivium.dialects.scnet.errors import Code
from trivium.dialects.scnet.statuses import SHOWN
from trivium.resources.notebooks import Status
from trivium.server.settings import KEYS, Flags, load

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^(?:\S*/)?trivium (.+)$", re.MULTILINE)
VARIABLE = re.compile(r"\bTRIVIUM_([A-Z]+__[A-Z_]+)\b")
SETTING = re.compile(rf"`((?:{'|'.join({key.partition('.')[0] for key in KEYS})})\.[a-z_]+)\b")
PER_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@PER_PAGE
def test_each_link_leads_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    broken = []
    for name, anchor in LINK.findall(page.read_text("utf-8")):
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(f"{name}#{anchor}")
    assert broken == []


def test_the_index_has_every_page() -> None:
    listed = {name for name, _ in LINK.findall((DOCS / "README.md").read_text("utf-8"))}
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= listed


@PER_PAGE
def test_each_command_that_is_shown_is_one(page: Path) -> None:
    for said in _commands(page):
        words = shlex.split(said, comments=True)
        found = next((one for one in commands() if words[: len(_path(one))] == _path(one)), None)
        assert found is not None or words[0].startswith("-"), said
        if found is not None:
            found.command.make_context(found.command_path, _without_shell(words[len(_path(found)) :]))


def test_commands_are_shown() -> None:
    assert len(list(_commands(DOCS / "operating.md"))) > 10


@PER_PAGE
def test_each_setting_that_is_named_is_one(page: Path) -> None:
    text = page.read_text("utf-8")
    named = {name.lower().replace("__", ".") for name in VARIABLE.findall(text)}
    if page.name in {"operating.md", "scnet.md", "modelarts.md"}:  # elsewhere codes of errors look the same
        named |= set(SETTING.findall(text))
    assert named - {"section.key", "server.lock", "modelarts.vm"} - set(KEYS) == set()


def test_each_configuration_that_is_shown_is_taken(tmp_path: Path) -> None:
    shown = [text for kind, text in BLOCK.findall((DOCS / "operating.md").read_text("utf-8")) if kind == "toml"]
    assert len(shown) > 3
    for number, text in enumerate(shown):
        file = tmp_path / f"{number}.toml"
        file.write_text(text, "utf-8")
        settings = load(Flags(data=str(tmp_path), config=str(file)), {})
        assert sum(origin == str(file) for origin in settings.origins.values()) == _entries(text)


def test_the_words_for_statuses_are_those_that_are_shown() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| ([^|]+) \|", (DOCS / "words.md").read_text("utf-8"), re.MULTILINE
    )
    told = {Status(word): scnet for word, scnet in rows}
    assert told == {status: SHOWN.get(status, "not listed") for status in Status}


def test_each_code_of_scnet_is_explained() -> None:
    rows = re.findall(r"^\| .* \| (\d+)\b.*\|$", (DOCS / "scnet.md").read_text("utf-8"), re.MULTILINE)
    assert set(rows) == {code.value for code in Code}


def test_each_code_of_modelarts_is_explained() -> None:
    rows = re.findall(r"^\| .* \| (\d{3}) \| (\S+) \|$", (DOCS / "modelarts.md").read_text("utf-8"), re.MULTILINE)
    kinds = [told for _, told in modelarts.BY_KIND]
    others = (*BY_STATUS.values(), FAULT_OF_POOLS, MISSING_OF_MODELS, INVALID_OF_MODELS, INVALID_OF_DATASETS)
    known = {(str(told.status), told.code) for told in (*kinds, *FINER.values(), *others)}
    assert set(rows) == known


def test_each_escape_has_its_test() -> None:
    rows = re.findall(r"^\| .* \| `(tests/\S+)::(\w+)` \|$", (DOCS / "security.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 40
    missing = [f"{file}::{name}" for file, name in rows if f"def {name}(" not in (ROOT / file).read_text("utf-8")]
    assert missing == []
    tried = {name for _, name in rows}
    found = (
        re.findall(r"def (test_\w+)\(", file.read_text("utf-8")) for file in (ROOT / "tests/escapes").glob("test_*.py")
    )
    assert {name for names in found for name in names} - tried - {"test_the_test_can_tell_what_may_be_done"} == set()


def _anchors(page: Path) -> set[str]:
    """What headings are called in addresses."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def _commands(page: Path) -> Iterator[str]:
    for kind, text in BLOCK.findall(page.read_text("utf-8")):
        if kind == "sh":
            yield from COMMAND.findall(text.replace("\\\n", " "))


def _path(context: click.Context) -> list[str]:
    return context.command_path.split()[1:]


def _without_shell(words: list[str]) -> list[str]:
    """The words of the command itself, without what the shell does with its output."""
    return words[: next((index for index, word in enumerate(words) if word in {">", "|"}), len(words))]


def _entries(text: str) -> int:
    tables = msgspec.toml.decode(text, type=dict[str, dict[str, object]])
    return sum(len(table) for table in tables.values())
