"""`trivium quota`."""

from __future__ import annotations

import click

from trivium.base.ids import uuid_of
from trivium.resources import projects, quotas, users
from trivium.resources.quotas import Quota
from trivium.server.admin.opening import Opened, opened
from trivium.server.admin.options import output, places
from trivium.server.admin.output import Row, print_row, print_rows

COLUMNS = ("name", "most", "used")
WHOSE = click.argument("whose", metavar="USER|PROJECT")


@click.group()
def quota() -> None:
    """Say how many pools and networks projects may have."""


@quota.command("set")
@WHOSE
@click.argument("name", type=click.Choice(sorted(quotas.DEFAULTS)))
@click.argument("most", type=click.IntRange(min=0), required=False)
@places
@output
def set_most(whose: str, name: str, most: int | None, *, output: str) -> None:
    """Let a project have at most MOST of NAME; without MOST, as many as the default. What it has, it keeps.

    The project is a user's default one, or the one of that id (32 hex).
    """
    with opened() as site:
        project = _project(site, whose)
        done = site.store.write_now(quotas.set_most, site.caller, project, name=name, most=most)
        print_row(_row(done), output=output)


@quota.command("list")
@WHOSE
@places
@output
def list_quotas(whose: str, output: str) -> None:
    """List what a project may have, and has: a user's default one, or the one of that id (32 hex)."""
    with opened() as site:
        found = site.store.read_now(quotas.of_project, _project(site, whose))
        print_rows([_row(one) for one in found], COLUMNS, output=output)


def _project(site: Opened, whose: str) -> int:
    uuid = uuid_of(whose)
    if uuid is not None:
        return site.store.read_now(projects.get_by_uuid, uuid).id
    return site.store.read_now(users.find, whose).project


def _row(found: Quota) -> Row:
    return {"name": found.name, "most": found.most, "used": found.used}
