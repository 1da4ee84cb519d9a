"""How many clients a listener has at once, and who gives way when one more comes.

Anybody on the machine can open connections faster than any timeout closes them. So a listener that is full does not
turn the newcomer away, who may be somebody with a request, but closes the connection that has been idle for longest.
Who has asked and does not take the answer is idle, too, since it took some last. It does not rank below those who are
between two requests: then these would go one after the other, and it would stay.
All of it is done when a connection comes or goes; a request costs nothing.
"""

from __future__ import annotations

import heapq
import ipaddress
import resource
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from trivium.base.values import Value

RESERVE: Final = 2048  # descriptors for files, the database, the keeper, and connections that are about to be closed
APIS: Final = 4000  # clients of the APIs at once, where there are descriptors enough
NOTEBOOKS: Final = 10_000  # the same of notebooks
QUIET: Final = 10.0  # seconds between two lines that tell of a full listener
STALLED: Final = 4.0  # seconds in which a client takes next to nothing of its answers when it counts as idle
BLIND: Final = 0.25  # seconds for which nobody is looked for again among clients all of whom are busy
LINGERING: Final = 64  # clients who were turned away, and are still being told


class Room(Value, frozen=True):
    """How many clients each listener may have at once."""

    apis: int
    notebooks: int


def room(descriptors: int | None = None) -> Room:
    """What fits into so many descriptors, or as many as this process may have open.

    A client takes two: one of its own, and one to a notebook or a file.
    """
    if descriptors is None:
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return Room(apis=APIS, notebooks=NOTEBOOKS)
    clients = (descriptors - min(RESERVE, descriptors // 4)) // 2
    apis = min(APIS, clients // 4)
    return Room(apis=apis, notebooks=min(NOTEBOOKS, clients - apis))


class Crowding:
    """What was counted of a listener that was full."""

    def __init__(self) -> None:
        self.displaced = 0  # connections that were closed for others
        self.refused = 0  # clients who were turned away


class Member(Protocol):
    """A client's connection."""

    @property
    def idle_since(self) -> float | None:
        """Since when a request, or the rest of its head, is awaited; None: one is under way."""
        ...

    @property
    def is_owing(self) -> bool:
        """Whether the body of a request is awaited, which nobody has judged yet."""
        ...

    def untaken_since(self, now: float) -> float | None:
        """Since when the client has taken next to nothing of what it is being sent; None: nothing waits for it."""
        ...

    def give_way(self) -> None:
        """Close at once."""
        ...


class Crowd:
    """The clients of a listener. `now` is the clock that they say their times by, the event loop's."""

    def __init__(
        self,
        name: str,
        most: int,
        *,
        counts: Crowding,
        log: FilteringBoundLogger,
        now: Callable[[], float] = time.monotonic,
        stalled: float = STALLED,
    ) -> None:
        self._name = name
        self._most = most
        self._counts = counts
        self._log = log
        self._now = now
        self._stalled = stalled
        self._all = _Queue(stalled)
        self._from: dict[Member, str] = {}  # where those beyond this machine come from
        self._holders: dict[str, _Queue] = {}
        self._lingering: OrderedDict[Member, None] = OrderedDict()
        self._quiet_until = 0.0
        self._told = (0, 0)

    @property
    def is_half_full(self) -> bool:
        """Whether more than half of the room is taken."""
        return len(self._all) > self._most // 2

    def admits(self, member: Member, peer: str) -> bool:
        """Whether there is room for a client who has just come from the address `peer`; else it is turned away."""
        holder = holder_of(peer)
        theirs = self._holders.get(holder or "")
        if theirs is not None and len(theirs) >= max(1, self._most // 2) and not self._displace(theirs):
            return self._refuse(member)
        if len(self._all) >= self._most and not self._displace(self._all):
            return self._refuse(member)
        self._all.add(member, self._now())
        if holder is not None:
            self._from[member] = holder
            self._holders.setdefault(holder, _Queue(self._stalled)).add(member, self._now())
        return True

    def left(self, member: Member) -> None:
        """A connection is closed. To hear it again changes nothing."""
        self._lingering.pop(member, None)
        self._all.discard(member)
        holder = self._from.pop(member, None)
        if holder is not None:
            theirs = self._holders[holder]
            theirs.discard(member)
            if not theirs:
                del self._holders[holder]

    def _displace(self, queue: _Queue) -> bool:
        """Make room for one more, if anybody can give way."""
        member = queue.longest_idle(self._now())
        if member is None:
            return False
        self.left(member)
        member.give_way()
        self._counts.displaced += 1
        self._tell()
        return True

    def _refuse(self, member: Member) -> bool:
        """Let a client linger until it has read that it is turned away, but not too many of them."""
        self._lingering[member] = None
        if len(self._lingering) > LINGERING:
            self._lingering.popitem(last=False)[0].give_way()
        self._counts.refused += 1
        self._tell()
        return False

    def _tell(self) -> None:
        now = self._now()
        if now < self._quiet_until:
            return
        counts = self._counts
        displaced, refused = counts.displaced - self._told[0], counts.refused - self._told[1]
        self._quiet_until = now + QUIET
        self._told = (counts.displaced, counts.refused)
        self._log.warning("listener.full", listener=self._name, most=self._most, displaced=displaced, refused=refused)


class _Queue:
    """Clients in the order in which they were used last, as far as is known: the rest is found out when it matters.

    The order has tickets in the clients' stead, so that nobody who has left is kept in memory by it.
    """

    def __init__(self, stalled: float) -> None:
        self._stalled = stalled
        self._tickets: dict[Member, int] = {}
        self._members: dict[int, Member] = {}
        self._order: list[tuple[float, int]] = []  # a heap; until when who was in use, and tickets of who has left
        self._issued = 0
        self._blind_until = 0.0

    def __len__(self) -> int:
        return len(self._members)

    def add(self, member: Member, now: float) -> None:
        """One more, the latest."""
        heapq.heappush(self._order, (now, self._ticket(member)))
        if len(self._order) > 2 * len(self._members) + LINGERING:
            self._order = [entry for entry in self._order if entry[1] in self._members]
            heapq.heapify(self._order)

    def discard(self, member: Member) -> None:
        """One less."""
        ticket = self._tickets.pop(member, None)
        if ticket is not None:
            del self._members[ticket]

    def longest_idle(self, now: float) -> Member | None:
        """Who has been idle for longest; if all have a request, one who owes its body; else nobody."""
        if now < self._blind_until:
            return None
        idle: tuple[float, Member] | None = None
        owing: Member | None = None
        for _ in range(len(self._order) + 1):  # each is seen once, and who is found by that again
            known, ticket = self._order[0]
            member = self._members.get(ticket)
            if member is None:
                heapq.heappop(self._order)
                continue
            since = self._idle_since(member, now)
            if since is not None and since <= known:
                return member
            if since is None:
                owing = member if owing is None and member.is_owing else owing
            elif idle is None or since < idle[0]:
                idle = since, member
            self.discard(member)
            heapq.heapreplace(self._order, (now if since is None else since, self._ticket(member)))
        if idle is not None:  # from this very moment on, as all who are busy are put off to
            return idle[1]
        if owing is None:
            self._blind_until = now + BLIND
        return owing

    def _idle_since(self, member: Member, now: float) -> float | None:
        untaken = member.untaken_since(now)
        if untaken is None:
            return member.idle_since
        return untaken if now - untaken >= self._stalled else None

    def _ticket(self, member: Member) -> int:
        self._issued += 1
        self._tickets[member] = self._issued
        self._members[self._issued] = member
        return self._issued


def holder_of(peer: str) -> str | None:
    """Whom the connections from an address are counted for: it, or its /64; None for this machine.

    Whoever stands in front of this server comes from this machine, too, and so does everybody behind them.
    """
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return None if address.is_loopback else address.packed[:8].hex()
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)
