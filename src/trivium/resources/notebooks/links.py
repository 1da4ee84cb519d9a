"""Links to notebooks: what a caller is given to open one, and what is behind it when it is shown at the door.

A grant says who may enter which start of which notebook, under our signature. A *ticket* is a grant that stands in an
address and is good for a short while; a *pass* is what the browser keeps in its cookie instead. Neither holds a
secret of the notebook's own server, and both end with the start that they were made for, and with the session.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.base.clock import microseconds
from trivium.base.errors import Unauthenticated
from trivium.base.keyring import Keyring
from trivium.base.site import Site
from trivium.base.values import Value
from trivium.resources import users
from trivium.resources.notebooks.errors import NoSuchNotebook, NotRunning
from trivium.resources.notebooks.ports import Address, LaunchKey
from trivium.resources.notebooks.service import get
from trivium.resources.notebooks.table import address_of, notebook_of, notebooks
from trivium.resources.notebooks.types import Found, Notebook, Wanted
from trivium.resources.users import UserStatus
from trivium.store import Read

TICKET_GOOD_FOR: Final = timedelta(hours=1)
PASS_GOOD_FOR: Final = timedelta(days=7)


class Use(StrEnum):
    """How a grant is carried."""

    TICKET = "t"
    PASS = "p"  # noqa: S105 - a kind of grant, no password


class Link(Value, frozen=True):
    """Where a notebook, or a service in it, is reached; empty while it is not."""

    active: bool
    url: str = ""


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """Who may enter what. Short, for it stands in addresses and cookies."""

    use: Use
    notebook: int
    generation: int
    user: int
    project: int
    session: int | None
    until: int  # microseconds since 1970


class Route(Value, frozen=True):
    """Where a door leads: the start that runs now, and what its server demands."""

    key: LaunchKey
    address: Address
    token: str  # the notebook's own server's, for the proxy alone
    service_port: int | None


class BadGrant(Unauthenticated):
    """What was shown is not ours, is too old, or is for an earlier start."""

    code = "notebook.bad_grant"


def link(tx: Read, caller: Caller, notebook: int, *, keyring: Keyring, site: Site) -> Link:
    """Where to open the notebook, with a ticket for the caller; inactive unless it runs. `NoSuchNotebook`."""
    found = get(tx, caller, notebook)
    if found.found is not Found.RUNNING or found.wanted is not Wanted.RUNNING:
        return Link(active=False)
    ticket = ticket_for(caller, found, keyring, now=tx.now)
    return Link(active=True, url=f"{place(site, notebook, service=False)}lab?token={ticket}")


def service_link(caller: Caller, notebook: Notebook, *, keyring: Keyring, site: Site, now: datetime) -> Link:
    """Where to reach the service inside a notebook, with a ticket for the caller."""
    ticket = ticket_for(caller, notebook, keyring, now=now)
    return Link(active=True, url=f"{place(site, notebook.id, service=True)}?token={ticket}")


def place(site: Site, notebook: int, *, service: bool) -> str:
    """The address of a notebook, or of the service in it, with a slash at the end."""
    if not site.proxy_host:
        return f"{site.proxy_url}/{'svc' if service else 'nb'}/{notebook}/"
    scheme, _, rest = site.proxy_url.partition("://")
    port = rest[rest.rindex(":") :] if ":" in rest.rpartition("]")[2] else ""
    host = site.proxy_host.replace("{id}", f"{notebook}-svc" if service else str(notebook))
    return f"{scheme}://{host}{port}/" if service else f"{scheme}://{host}{port}/nb/{notebook}/"


def base_url(notebook: int) -> str:
    """The path under which a notebook's own server lives, in every mode."""
    return f"/nb/{notebook}/"


def ticket_for(caller: Caller, notebook: Notebook, keyring: Keyring, *, now: datetime) -> str:
    """A ticket to this start of the notebook."""
    until = microseconds(now + TICKET_GOOD_FOR)
    grant = Grant(Use.TICKET, notebook.id, notebook.generation, caller.user, caller.project, caller.session, until)
    return _signed(grant, keyring)


def pass_for(grant: Grant, keyring: Keyring, *, now: datetime) -> str:
    """What a browser keeps in place of the ticket that it showed."""
    kept = msgspec.structs.replace(grant, use=Use.PASS, until=microseconds(now + PASS_GOOD_FOR))
    return _signed(kept, keyring)


def read_grant(secret: str, keyring: Keyring, *, use: Use, now: datetime) -> Grant:
    """The grant that was shown. `BadGrant` when it is not ours, not of that use, or too old."""
    body, dot, signature = secret.partition(".")
    if not dot or not hmac.compare_digest(_signature(body, keyring).encode(), signature.encode(errors="replace")):
        raise BadGrant
    grant = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Grant)
    if grant.use is not use or grant.until <= microseconds(now):
        raise BadGrant
    return grant


def open_door(tx: Read, grant: Grant, keyring: Keyring) -> Route:
    """Where the door leads for that grant, now.

    Raises `NoSuchNotebook`, `NotRunning`, `BadGrant` for an earlier start, and what `users` raises when the session,
    the user or the key behind it is refused.
    """
    row = tx.first(select(notebooks).where(notebooks.c.id == grant.notebook))
    if row is None or row.wanted == Wanted.DELETED or row.project_id != grant.project:
        raise NoSuchNotebook
    _still_welcome(tx, grant)
    found = notebook_of(row)
    address = address_of(row.address)
    if found.wanted is not Wanted.RUNNING or found.found is not Found.RUNNING or address is None:
        raise NotRunning(status=found.status.value)
    if found.generation != grant.generation:
        raise BadGrant
    return Route(
        key=LaunchKey(launch=found.id, generation=found.generation),
        address=address,
        token=server_token(keyring, found.id, found.generation),
        service_port=found.service_port if found.service_seen else None,
    )


def server_token(keyring: Keyring, notebook: int, generation: int) -> str:
    """What the notebook's own server demands: 64 hex, another for each start, never shown to anybody."""
    said = f"{notebook}.{generation}".encode()
    return hmac.new(keyring.derive("notebook-server"), said, hashlib.sha256).hexdigest()


def _still_welcome(tx: Read, grant: Grant) -> None:
    """Raise what `users` raises when the user or the session that the grant came of is refused by now."""
    if grant.session is None:
        user = users.get(tx, grant.user)
        if user.status is not UserStatus.ACTIVE or user.deleted_at is not None:
            raise BadGrant
        return
    # A page that is open outlives its token's hours, though not a session that was ended, or its user.
    caller = users.caller_of_session(tx, grant.session, renewable=PASS_GOOD_FOR)
    if caller.frozen or caller.user != grant.user:
        raise BadGrant


def _signed(grant: Grant, keyring: Keyring) -> str:
    body = base64.urlsafe_b64encode(msgspec.json.encode(grant)).rstrip(b"=").decode()
    return f"{body}.{_signature(body, keyring)}"


def _signature(body: str, keyring: Keyring) -> str:
    digest = hmac.new(keyring.derive("notebook-grant"), body.encode(errors="replace"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
