"""`trivium key`."""

from __future__ import annotations

import click

from trivium.base.ids import uuid_of
from trivium.resources import projects, users
from trivium.resources.users import KeyPair
from trivium.server.admin.opening import Opened, opened
from trivium.server.admin.options import output, places
from trivium.server.admin.output import Row, print_row, print_rows
from trivium.store import Read

COLUMNS = ("access_key", "user", "project_id", "enabled", "created_at")


@click.group()
def key() -> None:
    """Create and delete access keys."""


@key.command()
@click.option("--user", "name", required=True, help="Whose key it is.")
@click.option("--project", help="The project's id (32 hex), where it is not the user's default project.")
@places
@output
def create(name: str, project: str | None, output: str) -> None:
    """Create an access key. Its secret is shown now, and never again."""
    uuid = None if project is None else uuid_of(project)
    if project is not None and uuid is None:
        raise click.BadParameter("expected 32 hex digits", param_hint="--project")
    with opened() as site:
        user = site.store.read_now(users.find, name)
        chosen = user.project if uuid is None else site.store.read_now(projects.get_by_uuid, uuid).id
        fresh = users.fresh_key()
        pair = site.store.write_now(
            users.create_key, site.caller, site.keyring, fresh=fresh, user=user.id, project=chosen
        )
        secret = {"secret_key": fresh.secret, "site_id": str(site.settings.site.id)}
        print_row({**_row(site, pair), **secret}, output=output)


@key.command("list")
@click.option("--user", "name", help="Only the keys of this user.")
@places
@output
def list_keys(name: str | None, output: str) -> None:
    """List the access keys, oldest first, without their secrets."""
    with opened() as site:
        user = None if name is None else site.store.read_now(users.find, name).id
        pairs = site.store.read_now(users.list_keys, site.caller, user=user)
        print_rows([_row(site, pair) for pair in pairs], COLUMNS, output=output)


@key.command()
@click.argument("access_key")
@places
def delete(access_key: str) -> None:
    """Delete the key ACCESS_KEY; what was opened with it is refused from the very next request on."""
    with opened() as site:
        site.store.write_now(users.delete_key, site.caller, access_key)
    click.echo(f"The key {access_key} is deleted.", err=True)


def _row(site: Opened, pair: KeyPair) -> Row:
    return {
        "user": pair.user_name,
        "access_key": pair.access_key,
        "project_id": site.store.read_now(_project_uuid, pair.project),
        "enabled": pair.enabled,
        "created_at": pair.created_at.isoformat(timespec="seconds"),
    }


def _project_uuid(tx: Read, project: int) -> str:
    return projects.get(tx, project).uuid.hex
