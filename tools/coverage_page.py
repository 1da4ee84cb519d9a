"""docs/coverage.md: what each dialect serves and refuses, from its operations and its coverage.toml.

`python -m tools.coverage_page` (`make docs`) writes it anew; a test holds the file against what is so.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.dialects.operation import Core, Dialect, Operation
from trivium.server.compose import dialects_of, runtime_of, site_of
from trivium.server.remote.runtimes import HostRuntimes
from trivium.server.settings import Flags, load
from trivium.store import Store

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"
HEAD: Final = """# What is served

This page is made by `make docs` from the operations that the program answers and from each dialect's `coverage.toml`.

*seed* operations are those that Trivium is for, *companion* ones are what makes them useful, *beyond* is all else.
Whatever of a vendor's API stands on neither list is answered as the vendor answers a path that it does not know.
"""


def page() -> str:
    """The page, as it should be."""
    return "\n".join((HEAD, *map(_of_dialect, _dialects())))


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
    known = _known(dialect.name)
    notes = {entry["name"]: entry.get("note", "") for entry in known["served"]}
    served = [_served(operation, notes.get(operation.name, "")) for operation in dialect.operations]
    refused = [_refused(entry) for entry in known["refused"]]
    return "\n".join((
        f"## {dialect.name}\n",
        f"{len(served)} operations are served.\n",
        *_table(("operation", "request", "mark", "what it gives", "as decided here"), served),
        "\nRefused, in the vendor's own form and with the reason:\n",
        *_table(("request", "reason"), refused),
        "",
    ))  # fmt: skip


def _known(dialect: str) -> Any:
    raw = resources.files(f"trivium.dialects.{dialect}").joinpath("coverage.toml").read_bytes()
    return msgspec.toml.decode(raw)


def _served(operation: Operation, note: str) -> tuple[str, ...]:
    request = f"`{operation.method} {operation.path}`"
    return (operation.name, request, operation.mark.value, operation.summary, note)


def _refused(entry: Any) -> tuple[str, ...]:
    methods = ", ".join(entry.get("methods", ())) or "any"
    return (" ".join(f"`{methods} {path}`" for path in entry["paths"]), entry["reason"]["en"])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (head, ["---"] * len(head), *rows)
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
