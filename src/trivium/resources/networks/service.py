"""Use cases of networks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import BigInteger, bindparam, insert, select, update

from trivium.base.caller import Caller
from trivium.base.errors import Invalid
from trivium.base.query import Listed, Query
from trivium.resources import events, labels, quotas, workspaces
from trivium.resources.labels import Requirement
from trivium.resources.networks.errors import BadCidr, NetworkInUse, NetworkOverlaps, NoSuchNetwork
from trivium.resources.networks.table import LISTED, NETWORKS, network_of, networks
from trivium.resources.networks.types import Network, NetworkPhase, NewNetwork
from trivium.store import Prepared, Read, Write, query

TITLE: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
LONGEST_DESCRIPTION: Final = 1024
PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""The ranges of private addresses, as RFC 1918 has them."""

LONGEST_PREFIX: Final = 29
"""A range that is shorter has no room for nodes."""

OF_ID: Final = Prepared(select(networks).where(networks.c.id == bindparam("id", type_=BigInteger)), "id")


def create(tx: Write, caller: Caller, new: NewNetwork, *, project: int | None = None) -> Network:
    """A new network of the caller's project; an administrator may name another one.

    Raises `Forbidden`, `Invalid` for what makes no sense, `BadCidr`, `NoSuchWorkspace`, `QuotaExceeded`, and
    `NetworkOverlaps` when the project has a network with some of the addresses.
    """
    project = _project(caller, project)
    title, cidr = _checked_title(new.title), _checked_cidr(new.cidr)
    told = _checked(new.description, new.annotations, new.connection)
    told["labels"] = labels.checked(new.labels)
    workspaces.lock_for_use(tx, caller, new.workspace, project=project)
    quotas.claim(tx, caller, project, name=quotas.NETWORKS)  # so nobody else adds one to the project meanwhile
    first, last = int(cidr.network_address), int(cidr.broadcast_address)
    own = (networks.c.project_id == project, networks.c.listed)
    other = tx.first(select(networks.c.name).where(*own, networks.c.first <= last, networks.c.last >= first).limit(1))
    if other is not None:
        raise NetworkOverlaps(cidr=new.cidr, name=other.name)
    id, uuid = tx.ids.next(), uuid4()
    row = {"id": id, "uuid": uuid, "project_id": project, "title": title, "name": f"{title}-{uuid.hex}"}
    place = {"cidr": new.cidr, "first": first, "last": last, "phase": NetworkPhase.ACTIVE.value, "pools": 0}
    told["workspace"] = new.workspace
    tx.run(insert(networks).values(**row, **place, **told, listed=True, created_at=tx.now, changed_at=tx.now))
    labels.set_labels(tx, id, new.labels)
    events.record(
        tx, caller, "network.create", target=id, project=project, after={"name": row["name"], "cidr": new.cidr}
    )
    return get(tx, id)


def get(tx: Read, network: int) -> Network:
    """The network with that id, deleted or not. It asks for no right: callers do. `NoSuchNetwork`."""
    row = OF_ID.first(tx, network)
    if row is None:
        raise NoSuchNetwork
    return network_of(row)


def of_ids(tx: Read, ids: Collection[int]) -> Mapping[int, Network]:
    """The networks with these ids, by id."""
    return {row.id: network_of(row) for row in tx.all(select(networks).where(networks.c.id.in_(sorted(ids))))}


def by_name(tx: Read, caller: Caller, name: str) -> Network:
    """The network of that name, if it is the caller's project's, or the caller an administrator. `NoSuchNetwork`."""
    row = tx.first(select(networks).where(networks.c.name == name, networks.c.listed))
    if row is None or not (row.project_id == caller.project or caller.is_admin):
        raise NoSuchNetwork(name=name)
    return network_of(row)


def locked(tx: Write, caller: Caller, name: str) -> Network:
    """The same, which nobody else changes until the transaction ends."""
    row = tx.lock(select(networks).where(networks.c.id == by_name(tx, caller, name).id))
    if row is None or not row.listed:  # gone by now
        raise NoSuchNetwork(name=name)
    return network_of(row)


def list_networks(tx: Read, caller: Caller, asked: Query, *, selector: Sequence[Requirement] = ()) -> Listed[Network]:
    """The networks of the caller's project that satisfy the selector, as asked, with how many follow the page.

    Raises `Invalid` for a senseless selector, and what `query.page` raises.
    """
    scope = (LISTED.of(project=caller.project), *labels.selecting(networks.c.id, selector))
    found = query.page(tx, NETWORKS, asked, scope=scope)
    left = query.remaining(tx, NETWORKS, asked, found=found, scope=scope)
    return Listed(rows=tuple(map(network_of, found.rows)), total=found.total, next=found.next, remaining=left)


def change(
    tx: Write,
    caller: Caller,
    name: str,
    *,
    description: str | None = None,
    annotations: Mapping[str, str] | None = None,
    connection: Mapping[str, Any] | None = None,
) -> Network:
    """Change what is given; None leaves it as it is. `NoSuchNetwork`, `Invalid`."""
    before = locked(tx, caller, name)
    told = _checked(
        before.description if description is None else description,
        before.annotations if annotations is None else annotations,
        before.connection if connection is None else connection,
    )
    tx.run(update(networks).where(networks.c.id == before.id).values(**told, changed_at=tx.now))
    after = get(tx, before.id)
    events.record(
        tx,
        caller,
        "network.change",
        target=before.id,
        project=before.project,
        before={"description": before.description},
        after={"description": after.description},
    )
    return after


def delete(tx: Write, caller: Caller, name: str) -> Network:
    """Delete the network, and show what it was. `NoSuchNetwork`; `NetworkInUse` while pools use it."""
    before = locked(tx, caller, name)
    if before.pools:
        raise NetworkInUse(name=name, pools=before.pools)
    gone = {"listed": False, "deleted_at": tx.now, "changed_at": tx.now, "phase": NetworkPhase.DELETING.value}
    tx.run(update(networks).where(networks.c.id == before.id).values(gone))
    labels.set_labels(tx, before.id, {})
    quotas.give_back(tx, before.project, name=quotas.NETWORKS)
    events.record(tx, caller, "network.delete", target=before.id, project=before.project, before={"name": before.name})
    return get(tx, before.id)


def join(tx: Write, caller: Caller, name: str, *, project: int) -> Network:
    """One more pool of the project uses the network, which cannot be deleted until it leaves. `NoSuchNetwork`."""
    found = locked(tx, caller, name)
    if found.project != project:
        raise NoSuchNetwork(name=name)
    tx.run(update(networks).where(networks.c.id == found.id).values(pools=networks.c.pools + 1))
    return found


def leave(tx: Write, network: int) -> None:
    """A pool does not use the network any more."""
    tx.run(update(networks).where(networks.c.id == network).values(pools=networks.c.pools - 1))


def _project(caller: Caller, project: int | None) -> int:
    if project is not None and project != caller.project:
        caller.must_be_admin("make networks for another project")
    return caller.project if project is None else project


def _checked_title(title: str) -> str:
    if not TITLE.fullmatch(title):
        raise Invalid("title", "a network's name has 1 to 63 small letters, digits and -, and begins with a letter")
    return title


def _checked_cidr(cidr: str) -> IPv4Network:
    try:
        found = IPv4Network(cidr)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise BadCidr("cidr", f"{cidr[:64]!r} is no range of IPv4 addresses: {error}", cidr=cidr[:64]) from error
    if str(found) != cidr or found.prefixlen > LONGEST_PREFIX:
        message = f"a network is written like 192.168.0.0/16, with a prefix of at most {LONGEST_PREFIX} bits"
        raise BadCidr("cidr", message, cidr=cidr[:64])
    if not any(found.subnet_of(private) for private in PRIVATE):
        message = f"{cidr} is not a range of private addresses"
        raise BadCidr("cidr", message, cidr=cidr)
    return found


def _checked(description: str, annotations: Mapping[str, str], connection: Mapping[str, Any]) -> dict[str, Any]:
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        message = f"a description has at most {LONGEST_DESCRIPTION} characters"
        raise Invalid("description", message)
    return {
        "description": description,
        "annotations": labels.checked_document(annotations, "annotations"),
        "connection": labels.checked_document(connection, "connection"),
    }
