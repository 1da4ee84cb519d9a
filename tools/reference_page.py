"""docs/reference.md: every command, error, reason, page of the proxy, event and metric, read from the program itself.

`python -m tools.reference_page` (`make docs`) writes it anew; a test holds the file against what is so.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from prometheus_client.metrics_core import Metric

import trivium
from trivium.base.errors import KINDS, TriviumError
from trivium.cli.main import trivium as command_line
from trivium.resources.events import ACTIONS
from trivium.server.exposition import Counted, registry_of
from trivium.server.host.lease import LeaseCounts
from trivium.server.http import Metrics
from trivium.server.proxy import ProxyMetrics

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "reference.md"
SOURCE: Final = Path(trivium.__file__).parent
CATALOGUE: Final[Mapping[str, Mapping[str, str]]] = msgspec.toml.decode(
    (SOURCE / "base" / "text" / "catalogue.toml").read_bytes()
)
APART: Final = (
    "trivium.store.migrations.",
    "trivium.drivers.runtimes.process.keeper.",
)  # run by others, have no errors
COMMON: Final = ("data", "database", "config", "output")
HEAD: Final = """# Reference

This page is made by `make docs` from the program itself. Settings have [a page of their own](settings.md), and so has
what is served: of [SCNet](coverage/scnet.md), [ModelArts](coverage/modelarts.md) and [ZStack](coverage/zstack.md).
"""
COMMANDS_HEAD: Final = """## Commands

`trivium` exits with 0 when all went well, with 1 when something did not, with 2 for a wrong command line. Errors go to
standard error as one sentence, in Chinese where the locale is Chinese; `-o json` prints what a program can read.
`trivium COMMAND --help` says the same as this page.

Options that most commands have, named under each as *places* and `-o`:
"""
ERRORS_HEAD: Final = """## Errors

Each error has a stable code and is of one of ten kinds. A dialect answers with its own code for the kind, or for the
error where the vendor is finer; {details} in braces are filled in.
"""
REASONS_HEAD: Final = """## Reasons

Why a notebook failed, a service did not start, an image could not be saved, or the files of a model or the samples
of a dataset not be read.
"""
PROXY_HEAD: Final = """## What the notebooks' proxy says

Pages that the proxy itself answers with, in the language that the browser asks for.
"""
EVENTS_HEAD: Final = """## Events

Rows of the table `events`, written by the transaction that did it: who (`user_name`), when (`at`, UTC), from where
(`source`: a dialect, `cli`, `worker`), under which request, to what (`target_id`), and what changed (`before`,
`after`).
"""
METRICS_HEAD: Final = """## Metrics

What `GET /metrics` tells on the APIs' port, in Prometheus's text form. Times are in seconds.
"""


def page() -> str:
    """The page, as it should be."""
    return "\n".join((HEAD, *_commands(), *_errors(), *_reasons(), *_proxy(), *_events(), *_metrics()))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


# ---- commands -------------------------------------------------------------------------------------------------------


def _commands() -> Iterator[str]:
    yield COMMANDS_HEAD
    leaves = list(commands())
    common = {parameter.name: record for context in leaves[:-1] for parameter, record in _options(context)}
    yield from _table(("option", "what it is"), [_option(*common[name]) for name in COMMON])
    for context in leaves:
        yield from _command(context)


def commands(context: click.Context | None = None) -> Iterator[click.Context]:
    """The context of every command that does something, groups left out, in the order of the help."""
    context = context or click.Context(command_line, info_name="trivium")
    if not isinstance(context.command, click.Group):
        yield context
        return
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        assert command is not None
        yield from commands(click.Context(command, parent=context, info_name=name))


def _command(context: click.Context) -> Iterator[str]:
    mine = [(parameter, record) for parameter, record in _options(context) if parameter.name not in COMMON]
    shared = {parameter.name for parameter, _ in _options(context)} & set(COMMON)
    words = [*(["places"] if "data" in shared else []), *(["`-o`"] if "output" in shared else [])]
    pieces = " ".join(context.command.collect_usage_pieces(context))
    yield f"\n### {context.command_path}\n"
    yield f"`{context.command_path} {pieces}`\n"
    yield " ".join((context.command.help or "").split()) + (f" Also {' and '.join(words)}." if words else "")
    if mine:
        yield ""
        yield from _table(("option", "what it is"), [_option(*record) for _, record in mine])


def _options(context: click.Context) -> Iterator[tuple[click.Option, tuple[str, str]]]:
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield parameter, record


def _option(spelling: str, help: str) -> tuple[str, str]:
    return f"`{spelling}`", " ".join(help.split())


# ---- errors, reasons, the proxy's pages -----------------------------------------------------------------------------


def _errors() -> Iterator[str]:
    yield "\n" + ERRORS_HEAD
    found = errors()
    rows = [(f"`{code}`", found[code].__name__, *_said(code)) for code in sorted(found, key=_order)]
    yield from _table(("code", "kind", "English", "中文"), rows)


def errors() -> Mapping[str, type[TriviumError]]:
    """The kind of every error that the program can raise, by its code."""
    for module in pkgutil.walk_packages(trivium.__path__, "trivium."):
        if not module.name.startswith(APART):
            importlib.import_module(module.name)
    return {
        error.code: next(kind for kind in KINDS if issubclass(error, kind))
        for error in _below(TriviumError)
        if "code" in vars(error) and error.__module__.startswith("trivium.")
    }


def _below(error: type[TriviumError]) -> Iterator[type[TriviumError]]:
    for one in error.__subclasses__():
        yield one
        yield from _below(one)


def _order(code: str) -> tuple[bool, str]:
    """The ten kinds first, then the rooms' own."""
    return code not in {kind.code for kind in KINDS}, code


def _reasons() -> Iterator[str]:
    yield "\n" + REASONS_HEAD
    yield from _table(("code", "English", "中文"), [(f"`{code}`", *_said(code)) for code in sorted(reasons())])


def reasons() -> frozenset[str]:
    """The codes of the reasons that are written down; of one that is computed in part, all that the catalogue has."""
    found: set[str] = set()
    for call in _calls("Reason"):
        for word in call.keywords:
            if word.arg == "code" and isinstance(word.value, ast.Constant | ast.JoinedStr):
                start, whole = _literal(word.value)
                found.update({start} if whole else (code for code in CATALOGUE if code.startswith(start)))
    return frozenset(found)


def _proxy() -> Iterator[str]:
    yield "\n" + PROXY_HEAD
    told = statuses()
    rows = [(f"`{code}`", ", ".join(map(str, sorted(told[code]))), *_said(code)) for code in sorted(told)]
    yield from _table(("code", "status", "English", "中文"), rows)


def statuses() -> Mapping[str, set[int]]:
    """The HTTP statuses of every page of the proxy, by the code of what it says."""
    found: dict[str, set[int]] = {}
    for name, default in (("Problem", None), ("Refused", None), ("Malformed", "proxy.malformed")):
        for call in _calls(name):
            words = [word.value for word in call.args if isinstance(word, ast.Constant)]
            code = words[1] if len(words) > 1 else default
            if words and isinstance(words[0], int) and isinstance(code, str):
                found.setdefault(code, set()).add(words[0])
    return found


def _calls(name: str) -> Iterator[ast.Call]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield node


def _literal(value: ast.Constant | ast.JoinedStr) -> tuple[str, bool]:
    """What is written of a text, and whether that is all of it."""
    if isinstance(value, ast.Constant):
        return str(value.value), True
    first = value.values[0]
    return (str(first.value) if isinstance(first, ast.Constant) else "", False)


def _said(code: str) -> tuple[str, str]:
    return CATALOGUE[code]["en"], CATALOGUE[code]["zh"]


# ---- events and metrics ---------------------------------------------------------------------------------------------


def _events() -> Iterator[str]:
    yield "\n" + EVENTS_HEAD
    yield from _table(("action", "what was done"), [(f"`{action}`", said) for action, said in ACTIONS.items()])


def _metrics() -> Iterator[str]:
    yield "\n" + METRICS_HEAD
    rows = [(f"`{_exposed(one)}`", one.type, _labels(one), one.documentation) for one in metrics()]
    yield from _table(("metric", "type", "labels", "what it is"), rows)
    yield ""


def metrics() -> Sequence[Metric]:
    """Every family, with one of everything counted, so that each shows its labels."""
    proxy = ProxyMetrics()
    proxy.requests[200] = 1
    served = Metrics()
    served.answered("scnet", "QueryNotebooks", "0", seconds=0.001)
    served.store_waited("read", 0.001)
    counted = Counted(served, proxy, LeaseCounts(), notebooks={"running": 1})
    return sorted(registry_of(counted).collect(), key=lambda family: family.name)


def _exposed(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _labels(family: Metric) -> str:
    names = dict.fromkeys(name for sample in family.samples for name in sample.labels if name != "le")
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    for line in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |"


if __name__ == "__main__":
    main()
