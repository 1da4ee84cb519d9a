"""`trivium user`."""

from __future__ import annotations

import sys

import click

from trivium.base.caller import Role
from trivium.resources import projects, users
from trivium.resources.users import User
from trivium.server.admin.holdings import HOLDINGS
from trivium.server.admin.opening import Opened, opened
from trivium.server.admin.options import output, places
from trivium.server.admin.output import Row, print_row, print_rows
from trivium.store import Read

COLUMNS = ("name", "role", "status", "full_name", "posix_uid", "created_at", "reason")


@click.group()
def user() -> None:
    """Create users, and say whether they get in."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.MEMBER.value, show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--full-name", default="", help="What people call them.")
@places
@output
def create(name: str, role: str, full_name: str, *, password_stdin: bool, output: str) -> None:
    """Create the user NAME. Without a password they get in by access keys only."""
    password = users.hash_of(_password_from_stdin()) if password_stdin else None
    with opened() as site:
        new = users.NewUser(name=name, role=Role(role), password=password, full_name=full_name)
        made = site.store.write_now(users.create, site.caller, new, project_name=site.settings.site.name)
        print_row(_row(site, made), output=output)


@user.command("list")
@places
@output
def list_users(output: str) -> None:
    """List the users, oldest first."""
    with opened() as site:
        rows = [_row(site, found) for found in site.store.read_now(users.every, site.caller)]
        print_rows(rows, COLUMNS, output=output)


@user.command()
@click.argument("name")
@places
@output
def enable(name: str, output: str) -> None:
    """Let the disabled user NAME in again."""
    with opened() as site:
        print_row(_row(site, site.store.write_now(users.enable, site.caller, _id(site, name))), output=output)


@user.command()
@click.argument("name")
@click.option("--reason", default="", help="Why, for whoever looks at the list of users.")
@places
@output
def disable(name: str, reason: str, output: str) -> None:
    """Let the user NAME in no more, from the very next request on."""
    with opened() as site:
        changed = site.store.write_now(users.disable, site.caller, _id(site, name), reason=reason)
        print_row(_row(site, changed), output=output)


@user.command()
@click.argument("name")
@click.option("--reason", default="", help="Why, for whoever looks at the list of users.")
@places
@output
def freeze(name: str, reason: str, output: str) -> None:
    """Stop the account of the user NAME: every request is answered with that."""
    with opened() as site:
        changed = site.store.write_now(users.freeze, site.caller, _id(site, name), reason=reason)
        print_row(_row(site, changed), output=output)


@user.command()
@click.argument("name")
@places
@output
def unfreeze(name: str, output: str) -> None:
    """Let the frozen account of the user NAME go on."""
    with opened() as site:
        print_row(_row(site, site.store.write_now(users.unfreeze, site.caller, _id(site, name))), output=output)


@user.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@places
def password(name: str, *, password_stdin: bool) -> None:
    """Give the user NAME another password, and end all sessions of theirs."""
    plain = (
        _password_from_stdin()
        if password_stdin
        else click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    )
    digest = users.hash_of(plain)
    with opened() as site:
        site.store.write_now(users.set_password, site.caller, _id(site, name), password=digest)
    click.echo(f"The password of {name} is changed.", err=True)


@user.command()
@click.argument("name")
@places
def delete(name: str) -> None:
    """Delete the user NAME, who must have no notebooks any more."""
    with opened() as site:
        site.store.write_now(users.delete, site.caller, _id(site, name), holdings=HOLDINGS)
    click.echo(f"The user {name} is deleted.", err=True)


def _password_from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _id(site: Opened, name: str) -> int:
    return site.store.read_now(users.find, name).id


def _row(site: Opened, user: User) -> Row:
    return {
        "id": str(user.id),
        "name": user.name,
        "role": user.role.value,
        "status": user.status.value,
        "full_name": user.full_name,
        "project_id": site.store.read_now(_project_uuid, user.project),
        "posix_uid": user.posix_uid,
        "has_password": user.has_password,
        "created_at": user.created_at.isoformat(timespec="seconds"),
        "reason": user.reason,
    }


def _project_uuid(tx: Read, project: int) -> str:
    return projects.get(tx, project).uuid.hex
