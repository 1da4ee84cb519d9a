"""Who acts on which host: one server at a time, for as long as it renews its lease or is known to be alive.

A server takes a host by raising its *epoch*, and every step it writes down is checked against that epoch in the same
transaction; the keeper refuses whoever comes with an older one. So a server that was stopped, and wakes up after
another took over, changes nothing any more, whatever it was in the middle of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import delete, insert, select, update

from trivium.resources.hosts.errors import HostAway, HostInUse, NoSuchHost, NotHolding
from trivium.resources.hosts.table import calls, host_of, hosts
from trivium.resources.hosts.types import Host, Identity, Standing, Tenure
from trivium.store import Flavour, Read, Write
from trivium.store.servers import servers

LEASES: Final = {Flavour.POSTGRESQL: timedelta(seconds=10), Flavour.SQLITE: timedelta(minutes=3)}
"""On SQLite a lease only tells others that a server is there: none takes over while it has the directory locked. So it
is long, for each renewal ends what is cached of the database."""

GRACE: Final = timedelta(seconds=15)
"""After the end of a lease, in which another server on the host may take over."""

CHANGED: Final = "hosts"
"""What is woken when a host gets or loses its holder."""

P = ParamSpec("P")
T = TypeVar("T")


def get(tx: Read, host: str) -> Host | None:
    """The host; None when no server ever took it."""
    row = tx.first(select(hosts).where(hosts.c.id == host))
    return None if row is None else host_of(row)


def everywhere(tx: Read) -> Sequence[Host]:
    """Every host, oldest name first."""
    return [host_of(row) for row in tx.all(select(hosts).order_by(hosts.c.name, hosts.c.id))]


def is_held(tx: Read, host: Host) -> bool:
    """Whether some server acts on the host now."""
    return host.holder is not None and host.lease_until > tx.database_now()


def held_now(tx: Read) -> Mapping[str, Host]:
    """Every host that some server acts on now, by its id."""
    now = tx.database_now()
    wanted = select(hosts).where(hosts.c.holder.is_not(None), hosts.c.lease_until > now)
    return {row.id: host_of(row) for row in tx.all(wanted)}


def take(tx: Write, mine: Identity, *, worker: int, since: int, epoch: int) -> Tenure | None:
    """The right to act on the host, taken from whoever had epoch `since` (0: nobody yet); None where that is over.

    `epoch` is the new one, which must be larger than any that the host had.
    Whether that server may be passed over (its lease ran out, or it is known to be dead) is for the caller to know.
    """
    row = tx.lock(select(hosts.c.epoch).where(hosts.c.id == mine.id))
    if (0 if row is None else row.epoch) != since:
        return None
    now = tx.database_now()
    values = {
        "name": mine.name,
        "machine": mine.machine,
        "data": mine.data,
        "epoch": epoch,
        "holder": worker,
        "taken_at": now,
        "lease_until": now + LEASES[tx.flavour],
    }
    if row is None:
        tx.run(insert(hosts).values(id=mine.id, **values))
    else:
        tx.run(update(hosts).where(hosts.c.id == mine.id).values(values))
    tx.wake(CHANGED)
    return Tenure(host=mine.id, epoch=epoch)


def renew(tx: Write, tenure: Tenure, *, worker: int) -> bool:
    """Lengthen the lease; False when another server has the host by now. `worker`: the bits, which may change."""
    mine = (hosts.c.id == tenure.host, hosts.c.epoch == tenure.epoch, hosts.c.holder.is_not(None))
    values = {"lease_until": tx.database_now() + LEASES[tx.flavour], "holder": worker}
    return tx.run(update(hosts).where(*mine).values(values)) == 1


def give_up(tx: Write, tenure: Tenure) -> None:
    """Leave the host to whoever takes it. Repeatable."""
    mine = (hosts.c.id == tenure.host, hosts.c.epoch == tenure.epoch)
    tx.run(update(hosts).where(*mine).values(holder=None, lease_until=tx.database_now()))
    tx.wake(CHANGED)


def held(tx: Write, tenure: Tenure, use: Callable[Concatenate[Write, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `use` returns, in a transaction during which nobody can take the host. `NotHolding` when somebody has."""
    # A lock that only those who take the host run into, not the renewals of the lease.
    row = tx.lock_key_share(select(hosts.c.epoch).where(hosts.c.id == tenure.host))
    if row is None or row.epoch != tenure.epoch:
        raise NotHolding(host=tenure.host)
    return use(tx, *args, **kwargs)


def note_capabilities(tx: Write, tenure: Tenure, capabilities: str) -> None:
    """Write down what the host's runtime can do, for those who place notebooks there."""
    tx.run(update(hosts).where(hosts.c.id == tenure.host).values(capabilities=capabilities))


def capabilities_of(tx: Read, host: str) -> str | None:
    """What the host's runtime can do, as `note_capabilities` was told; None where it was not."""
    return tx.value(select(hosts.c.capabilities).where(hosts.c.id == host))


def limits_of(tx: Read, host: str) -> str | None:
    """The limits that the host's notebooks were brought to last, as `note_limits` was told; None for none yet."""
    row = tx.first(select(hosts.c.limits).where(hosts.c.id == host))
    return None if row is None else row.limits


def note_limits(tx: Write, host: str, limits: str) -> None:
    """Write down the limits that the host's notebooks have from now on."""
    tx.run(update(hosts).where(hosts.c.id == host).values(limits=limits))


def forget(tx: Write, host: str) -> None:
    """Forget a host that will not come back, with the calls to it. `NoSuchHost`; `HostInUse` while a server is on it.

    What rooms have on the host is for the caller to see to, in the same transaction.
    """
    row = tx.lock(select(hosts).where(hosts.c.id == host))
    if row is None:
        raise NoSuchHost(host=host)
    on_it = select(servers.c.pid).where(servers.c.host_id == host, servers.c.lease_until > tx.now)
    if is_held(tx, host_of(row)) or tx.first(on_it) is not None:
        raise HostInUse(host=host, by="a server that is on it")
    tx.run(delete(calls).where(calls.c.host == host))
    tx.run(delete(hosts).where(hosts.c.id == host))
    tx.wake(CHANGED)


def must_be_there(tx: Read, host: str) -> None:
    """Raise `HostAway` when no server has acted on the host for a while."""
    if host in away(tx):
        raise HostAway(host=host)


def away(tx: Read) -> Collection[str]:
    """The hosts that no server has acted on for a while."""
    if tx.flavour is Flavour.SQLITE:
        return ()  # the server that asks is the one that acts
    late = select(hosts.c.id).where(hosts.c.lease_until < tx.database_now() - GRACE)
    return [row.id for row in tx.all(late)]


def working(tx: Read) -> str:
    """The host that is to read files: the first that somebody acts on now, or else the first that is known.

    Directories of models and datasets are to be the same on all hosts. `HostAway` where no host is known at all.
    """
    there = sorted(held_now(tx)) or [host.id for host in everywhere(tx)]
    if not there:
        raise HostAway(host="")
    return there[0]


def standing(tx: Read) -> Sequence[Standing]:
    """Every server that lives, by its worker bits, and every host on which none acts."""
    known = {host.id: host for host in everywhere(tx)}
    held = held_now(tx)
    alive = select(servers).where(servers.c.kind == "server", servers.c.lease_until > tx.now).order_by(servers.c.worker)
    found = [
        Standing(
            host=known.get(row.host_id or ""),
            server=row.worker,
            machine=row.host,
            pid=row.pid,
            proxy=row.proxy_address,
            acts=row.host_id in held and held[row.host_id].holder == row.worker,
        )
        for row in tx.all(alive)
    ]
    acting = {one.host.id for one in found if one.acts and one.host is not None}
    nobody = [Standing(host=host) for host in known.values() if host.id not in acting]
    return [*found, *nobody]


def proxy_of(tx: Read, host: str) -> str | None:
    """Where the proxy of the server that acts on the host is reached, as host:port; None when there is none."""
    wanted = (
        select(servers.c.proxy_address, hosts.c.lease_until)
        .select_from(hosts.join(servers, servers.c.worker == hosts.c.holder))
        .where(hosts.c.id == host)
    )
    row = tx.first(wanted)
    return None if row is None or row.lease_until <= tx.database_now() else row.proxy_address
