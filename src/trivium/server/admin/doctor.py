"""`trivium doctor`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import Final

import click

from trivium.base.clock import SystemClock
from trivium.resources.nodes.ports import NodeFound
from trivium.resources.notebooks.ports import Capabilities
from trivium.server.admin import checks
from trivium.server.admin.checking_database import database
from trivium.server.admin.checking_isolation import doors, isolation, uids
from trivium.server.admin.findings import Finding, State
from trivium.server.admin.options import flags_of, output, places
from trivium.server.admin.output import print_json
from trivium.server.compose import runtime_of
from trivium.server.settings import Settings, load

SIGNS: Final = {State.OK: "  ok", State.LACKING: "note", State.BLOCKING: "STOP"}


@click.command()
@places
@output
@click.pass_context
def doctor(context: click.Context, output: str) -> None:
    """Tell what this machine can do, what it lacks, and what to do about that.

    Exits with 1 when something keeps Trivium from running.
    """
    found = tuple(look(load(flags_of(), os.environ).settings))
    if output == "json":
        print_json(found)
    else:
        for finding in found:
            _print(finding)
    if any(finding.state is State.BLOCKING for finding in found):
        context.exit(1)


def look(settings: Settings) -> Iterator[Finding]:
    """Everything that there is to find, without changing anything."""
    yield from checks.data_directory(settings)
    yield from database(settings)
    yield checks.key_file(settings)
    yield from checks.roots(settings)
    yield checks.clock()
    yield from checks.ports(settings)
    yield checks.jupyter()
    capabilities, nodes = asyncio.run(_ask_runtime(settings))
    yield from isolation(capabilities)
    yield from uids(settings)
    yield from doors()
    yield from checks.machine(nodes)


async def _ask_runtime(settings: Settings) -> tuple[Capabilities, Sequence[NodeFound]]:
    runtime = runtime_of(settings, SystemClock())
    try:
        return await runtime.capabilities(), await runtime.nodes()
    finally:
        await runtime.close()


def _print(finding: Finding) -> None:
    click.echo(f"{SIGNS[finding.state]}  {finding.topic}: {finding.found}")
    if finding.remedy:
        click.echo(f"      {finding.remedy}")
