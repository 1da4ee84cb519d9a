"""Links to notebooks: what a caller is given to open one, and what is behind it when it is shown at the door.

A grant says who may enter which start of which notebook, under our signature. A *ticket* is a grant that stands in an
address and is good for an hour or two; a *pass* is what the browser keeps in its cookie instead. Neither holds a secret
of the notebook's own server, and both end with the start that they were made for, and with the session.

A grant is as short as it can be, for it stands in addresses that people copy out of terminals: two bytes of flags and
hours, the eight of the session's or user's id, and the signature. What it is for is signed and not written: the
notebook stands in the address, and which start is meant is known from the notebook.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select

from trivium.base.caller import Caller
from trivium.base.clock import EPOCH
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

HOUR: Final = timedelta(hours=1)
TICKET_HOURS: Final = 1  # beside what is left of the running hour
PASS_HOURS: Final = 7 * 24
HEAD: Final = struct.Struct(">HQ")
HOURS: Final = 1 << 14  # hours are counted around the clock of some two years
OF_USER: Final = 1 << 14
IS_PASS: Final = 1 << 15
SIGNATURES: Final = {False: 8, True: 16}  # bytes: nothing but asking us tells whether a guess was right
TOKEN_LENGTH: Final = 36  # characters; no grant is as long
NEVER_RENEWED: Final = timedelta(hours=PASS_HOURS)


class Use(StrEnum):
    """How a grant is carried."""

    TICKET = "ticket"
    PASS = "pass"  # noqa: S105 - a kind of grant, no password


class Link(Value, frozen=True):
    """Where a notebook, or a service in it, is reached; empty while it is not."""

    active: bool
    url: str = ""


class Entry(Value, frozen=True):
    """Who entered which start of which notebook: what is asked again while they are in."""

    notebook: int
    generation: int
    holder: int  # a session's id, or a user's
    of_user: bool


class Route(Value, frozen=True):
    """Where a door leads: the start that runs now, and what its server demands."""

    entry: Entry
    key: LaunchKey
    host: str  # whose runtime has it
    address: Address  # on that host
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
    ticket = _ticket_for(caller, found, keyring, now=tx.now)
    return Link(active=True, url=f"{place(site, notebook, service=False)}lab?token={ticket}")


def service_link(caller: Caller, notebook: Notebook, *, keyring: Keyring, site: Site, now: datetime) -> Link:
    """Where to reach the service inside a notebook, with a ticket for the caller."""
    ticket = _ticket_for(caller, notebook, keyring, now=now)
    return Link(active=True, url=f"{place(site, notebook.id, service=True)}?token={ticket}")


def access_token(notebook: Notebook, keyring: Keyring) -> UUID:
    """What opens this start of a notebook as its owner while it runs: ModelArts shows one with each notebook."""
    return _token_of(notebook.id, notebook.generation, keyring)


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


def pass_for(entry: Entry, keyring: Keyring, *, now: datetime) -> str:
    """What a browser keeps in place of the ticket that it showed."""
    return _grant(entry, keyring, use=Use.PASS, until=_hour(now) + PASS_HOURS)


def open_door(tx: Read, notebook: int, grant: str, *, use: Use, keyring: Keyring) -> Route:
    """Where the notebook's door leads for who shows that grant, now.

    Raises `BadGrant` for what is not ours, too old or for an earlier start, also where there is no such notebook; with
    a good grant what `still_open` raises.
    """
    if len(grant) == TOKEN_LENGTH and use is Use.TICKET:
        return _open_by_token(tx, notebook, grant, keyring=keyring)
    head, signature = _taken_apart(grant)
    flags, holder = HEAD.unpack(head)
    row = tx.first(select(notebooks.c.generation).where(notebooks.c.id == notebook))
    generation = 0 if row is None else int(row.generation)
    expected = _signature(head, notebook, generation, keyring=keyring)
    if not hmac.compare_digest(expected, signature) or row is None:
        raise BadGrant
    left = (flags - _hour(tx.now)) % HOURS
    if bool(flags & IS_PASS) is not (use is Use.PASS) or left > PASS_HOURS:
        raise BadGrant
    entry = Entry(notebook=notebook, generation=generation, holder=holder, of_user=bool(flags & OF_USER))
    return still_open(tx, entry, keyring)


def still_open(tx: Read, entry: Entry, keyring: Keyring) -> Route:
    """Where the door leads for somebody who was let in before.

    Raises `NoSuchNotebook`, `NotRunning`, `BadGrant` for an earlier start, and what `users` raises when the session,
    the user or the key behind it is refused.
    """
    row = tx.first(select(notebooks).where(notebooks.c.id == entry.notebook))
    if row is None or row.wanted == Wanted.DELETED:
        raise NoSuchNotebook
    found = notebook_of(row)
    _must_be_welcome(tx, entry, found.project)
    address = address_of(row.address)
    if found.generation != entry.generation:
        raise BadGrant
    if found.wanted is not Wanted.RUNNING or found.found is not Found.RUNNING or address is None:
        raise NotRunning(status=found.status.value)
    return Route(
        entry=entry,
        key=LaunchKey(launch=found.id, generation=found.generation),
        host=found.host or "",
        address=address,
        token=server_token(keyring, found.id, found.generation),
        service_port=found.service_port if found.service_seen else None,
    )


def server_token(keyring: Keyring, notebook: int, generation: int) -> str:
    """What the notebook's own server demands: 64 hex, another for each start, never shown to anybody."""
    said = f"{notebook}.{generation}".encode()
    return hmac.new(keyring.derive("notebook-server"), said, hashlib.sha256).hexdigest()


def _open_by_token(tx: Read, notebook: int, token: str, *, keyring: Keyring) -> Route:
    """The same for the token of a start: whoever has it enters as the owner."""
    row = tx.first(select(notebooks.c.generation, notebooks.c.owner_id).where(notebooks.c.id == notebook))
    generation = 0 if row is None else int(row.generation)
    expected = str(_token_of(notebook, generation, keyring))
    if not hmac.compare_digest(expected.encode(), token.encode()) or row is None:
        raise BadGrant
    entry = Entry(notebook=notebook, generation=generation, holder=row.owner_id, of_user=True)
    return still_open(tx, entry, keyring)


def _token_of(notebook: int, generation: int, keyring: Keyring) -> UUID:
    said = f"{notebook}.{generation}".encode()
    return UUID(bytes=hmac.new(keyring.derive("notebook-token"), said, hashlib.sha256).digest()[:16])


def _must_be_welcome(tx: Read, entry: Entry, project: int) -> None:
    """Raise what says why the session or user that a grant came of is refused by now."""
    if entry.of_user:
        user = users.get(tx, entry.holder)
        if user.status is not UserStatus.ACTIVE or user.deleted_at is not None:
            raise BadGrant
        if users.role_in(tx, user.id, project) is None:
            raise NoSuchNotebook
        return
    # A page that is open outlives its token's hours, though not a session that was ended, or its user.
    caller = users.caller_of_session(tx, entry.holder, renewable=NEVER_RENEWED)
    if caller.frozen:
        raise BadGrant
    if caller.project != project:
        raise NoSuchNotebook


def _ticket_for(caller: Caller, notebook: Notebook, keyring: Keyring, *, now: datetime) -> str:
    entry = Entry(
        notebook=notebook.id,
        generation=notebook.generation,
        holder=caller.user if caller.session is None else caller.session,
        of_user=caller.session is None,
    )
    return _grant(entry, keyring, use=Use.TICKET, until=_hour(now) + TICKET_HOURS)


def _grant(entry: Entry, keyring: Keyring, *, use: Use, until: int) -> str:
    flags = until % HOURS | OF_USER * entry.of_user | IS_PASS * (use is Use.PASS)
    head = HEAD.pack(flags, entry.holder)
    signature = _signature(head, entry.notebook, entry.generation, keyring=keyring)
    return _spelt(head + signature)


def _spelt(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _taken_apart(grant: str) -> tuple[bytes, bytes]:
    try:
        raw = base64.b64decode(grant + "=" * (-len(grant) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadGrant from error
    if len(raw) <= HEAD.size or _spelt(raw) != grant:  # a grant has one spelling
        raise BadGrant
    return raw[: HEAD.size], raw[HEAD.size :]


def _signature(head: bytes, notebook: int, generation: int, *, keyring: Keyring) -> bytes:
    said = head + f"{notebook}.{generation}".encode()
    length = SIGNATURES[bool(HEAD.unpack(head)[0] & IS_PASS)]
    return hmac.new(keyring.derive("notebook-grant"), said, hashlib.sha256).digest()[:length]


def _hour(at: datetime) -> int:
    return (at - EPOCH) // HOUR
