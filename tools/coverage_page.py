"""docs/coverage/<dialect>.md: what each dialect serves, refuses and has not yet, from its operations and coverage.toml.

`python -m tools.coverage_page` (`make docs`) writes them anew; a test holds the files against what is so.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.dialects import coverage
from trivium.dialects.coverage import Coverage, Refused, State, Told
from trivium.dialects.operation import Core, Dialect, Operation
from trivium.server.compose import dialects_of, runtime_of, site_of
from trivium.server.remote.runtimes import HostRuntimes
from trivium.server.settings import Flags, load
from trivium.store import Store

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "coverage"
HEAD: Final = """# What is served of {name}

This page is made by `make docs` from the operations that the program answers and from the dialect's `coverage.toml`;
`trivium api coverage {name}` prints the same.

*seed* operations are those that Trivium is for, *companion* ones are what makes them useful, *beyond* is all else.
Whatever of the vendor's API stands on no list is answered as the vendor answers a path that it does not know.
"""


def pages() -> Mapping[Path, str]:
    """Each page, as it should be."""
    return {FOLDER / f"{dialect.name}.md": _of_dialect(dialect) for dialect in _dialects()}


def _dialects() -> Sequence[Dialect]:
    """Every dialect as the server composes it, over a store that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(Flags(data=folder), {}).settings
        clock = SystemClock()
        store = Store.open(f"sqlite:///{folder}/trivium.db", clock, "cli")
        try:
            runtime = HostRuntimes(store, runtime_of(settings, clock), host="")
            site = site_of(settings, clock, port=0, proxy_port=0)
            keyring = Keyring(secrets.token_bytes(32))
            core = Core(store=store, keyring=keyring, clock=clock, site=site, runtime=runtime, places=runtime)
            return dialects_of(core, settings)
        finally:
            store.close()


def _of_dialect(dialect: Dialect) -> str:
    known = coverage.load(dialect.name)
    notes = {entry.name: entry.note for entry in known.served}
    served = [_served(operation, notes.get(operation.name, "")) for operation in dialect.operations]
    refused = [_refused(entry) for entry in known.refused]
    return "\n".join((
        HEAD.format(name=dialect.name),
        "## Served\n",
        f"{len(served)} operations are served.\n",
        *_table(("operation", "request", "mark", "what it gives", "as decided here"), served),
        "\n## Refused\n",
        "In the vendor's own form and with the reason:\n",
        *_table(("request", "reason"), refused),
        *_not_yet(known),
        "",
    ))  # fmt: skip


def _not_yet(known: Coverage) -> list[str]:
    """What the vendor's own client can ask for and nothing answers; nothing where no client's operations are told."""
    missing = [one for one in known.told() if one.state is State.NOT_YET]
    if not missing:
        return []
    head = ["", "## Not yet", "", f"{len(missing)} operations of the vendor's client are not there yet.", ""]
    return [*head, *_table(("operation", "request"), [_missing(one) for one in missing])]


def _missing(one: Told) -> tuple[str, ...]:
    return (one.name, f"`{one.method} {one.path}`")


def _served(operation: Operation, note: str) -> tuple[str, ...]:
    request = f"`{operation.method} {operation.path}`"
    return (operation.name, request, operation.mark.value, operation.summary, note)


def _refused(entry: Refused) -> tuple[str, ...]:
    methods = ", ".join(entry.methods) or "any"
    return (" ".join(f"`{methods} {path}`" for path in entry.paths), entry.reason.en)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (head, ["---"] * len(head), *rows)
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
