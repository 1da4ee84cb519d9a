"""`trivium notebook`: what an operator needs when its user does not get in any more."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import click
from msgspec import structs

from trivium.base.caller import Caller
from trivium.base.ids import uuid_of
from trivium.resources import notebooks, users
from trivium.resources.notebooks import NoSuchNotebook, Notebook, Wanted
from trivium.server.admin.opening import Opened, opened
from trivium.server.admin.options import output, places
from trivium.server.admin.output import Row, print_rows
from trivium.server.admin.telling import language_of
from trivium.store import Write

COLUMNS = ("id", "name", "user", "status", "flavor", "image", "created_at", "reason")
IDS = click.argument("ids", metavar="[ID]...", nargs=-1)
USER = click.option("--user", "name", help="All notebooks of this user.")


@click.group()
def notebook() -> None:
    """List, stop and release everybody's notebooks."""


@notebook.command("list")
@click.option("--user", "name", help="Only the notebooks of this user.")
@places
@output
def list_notebooks(name: str | None, output: str) -> None:
    """List the notebooks that are not gone, oldest first."""
    with opened() as site:
        print_rows([_row(found) for found in _all_of(site, name)], COLUMNS, output=output)


@notebook.command()
@IDS
@USER
@places
@output
def stop(ids: tuple[str, ...], name: str | None, output: str) -> None:
    """Ask for these notebooks to be stopped. The server does it, when it runs; what is stopped already stays so."""
    with opened() as site:
        asked = _ask(site, notebooks.stop, _meant(site, ids, name), wanted=Wanted.STOPPED)
        print_rows(asked, COLUMNS, output=output)


@notebook.command()
@IDS
@USER
@places
@output
def release(ids: tuple[str, ...], name: str | None, output: str) -> None:
    """Ask for these notebooks to be removed for good, with what was installed in them; their users' homes stay.

    The server does it, when it runs.
    """
    with opened() as site:
        asked = _ask(site, notebooks.release, _meant(site, ids, name), wanted=Wanted.DELETED)
        print_rows(asked, COLUMNS, output=output)


def _all_of(site: Opened, name: str | None) -> Sequence[Notebook]:
    owner = None if name is None else site.store.read_now(users.find, name).id
    return site.store.read_now(notebooks.everywhere, site.caller, owner=owner)


def _meant(site: Opened, ids: Sequence[str], name: str | None) -> Sequence[Notebook]:
    """The notebooks of these ids, or all of the user's."""
    if bool(ids) == (name is not None):
        message = "say which notebooks: either their ids, or --user"
        raise click.UsageError(message)
    there = _all_of(site, name)
    return there if name is not None else [_one_of(there, id) for id in ids]


def _one_of(there: Sequence[Notebook], id: str) -> Notebook:
    """The notebook of that id, as SCNet or as ModelArts writes it."""
    for one in there:
        if id == str(one.id) or uuid_of(id) == one.uuid:
            return one
    message = f"there is no notebook {id}; `trivium notebook list` shows those that are"
    raise NoSuchNotebook(message)


def _ask(
    site: Opened, ask: Callable[[Write, Caller, int], Notebook], meant: Sequence[Notebook], *, wanted: Wanted
) -> list[Row]:
    """Ask for each, as the operator in the notebook's project, unless that was asked for already."""
    done: list[Row] = []
    for one in meant:
        if one.wanted in (wanted, Wanted.DELETED):
            done.append(_row(one))
        else:
            caller = structs.replace(site.caller, project=one.project)
            done.append(_row(site.store.write_now(ask, caller, one.id)))
    return done


def _row(found: Notebook) -> Row:
    return {
        "id": str(found.id),
        "uuid": found.uuid.hex,
        "name": found.name,
        "user": found.owner_name,
        "status": found.status.value,
        "flavor": found.flavor,
        "image": found.image_path,
        "host": found.host,
        "created_at": found.created_at.isoformat(timespec="seconds"),
        "reason": None if found.reason is None else found.reason.say(language_of(os.environ)),
    }
