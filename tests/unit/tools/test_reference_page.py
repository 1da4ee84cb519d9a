from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.reference_page import CATALOGUE, PAGE, SOURCE, commands, errors, metrics, page, reasons, statuses
from trivium.dialects.zstack.codes import NO_SUCH_THING, WORDS
from trivium.resources.events import ACTIONS
from trivium.resources.notebooks import Status
from trivium.resources.pools import PoolPhase

NEVER_WRITTEN = {Status.SAVING}  # a notebook is saved on its way to a stop, and is shown as stopping
COMPUTED = {
    "after.status.value": [status.value for status in Status if status not in NEVER_WRITTEN],
    "phase.value": [PoolPhase.RUNNING.value, PoolPhase.ABNORMAL.value],
}


def test_the_page_tells_what_the_program_is_now() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"


def test_each_sentence_of_the_catalogue_is_on_the_page() -> None:
    of_zstack = {*WORDS.values(), NO_SUCH_THING}  # are said instead of others, which are
    assert sorted(set(CATALOGUE) - set(errors()) - reasons() - set(statuses()) - of_zstack) == []


def test_the_page_has_more_than_one_of_each() -> None:
    assert {"trivium server start", "trivium user create", "trivium doctor"} <= {one.command_path for one in commands()}
    assert {"trivium_requests", "trivium_proxy_connections"} <= {one.name for one in metrics()}
    assert {"notebook.lost", "notebook.ended.out_of_memory", "image.save_failed"} <= reasons()
    assert statuses()["proxy.origin"] == {403}


def test_the_events_that_are_told_are_those_that_the_rooms_record() -> None:
    assert sorted(_recorded()) == sorted(ACTIONS)


def _recorded() -> Iterator[str]:
    """Every action in the source, with what it is computed of put in."""
    found: set[str] = set()
    for path in (SOURCE / "resources").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        verbs = [
            word.value.value
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            for word in call.keywords
            if word.arg == "verb" and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
        ]
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "events.record":
                found.update(_actions(call.args[2], verbs))
    yield from found


def _actions(said: ast.expr, verbs: list[str]) -> Iterator[str]:
    if isinstance(said, ast.Constant):
        yield str(said.value)
        return
    assert isinstance(said, ast.JoinedStr), ast.unparse(said)
    kind, computed = said.values
    assert isinstance(kind, ast.Constant)
    assert isinstance(computed, ast.FormattedValue)
    name = ast.unparse(computed.value)
    yield from (f"{kind.value}{verb}" for verb in (verbs if name == "verb" else COMPUTED[name]))
