"""The hosts room's errors."""

from __future__ import annotations

from trivium.base.errors import Conflict, NotFound, Unavailable, WrongState


class NotHolding(Unavailable):
    """This server may not act on the host: another does, or it cannot tell whether it still may."""

    code = "host.not_holding"


class HostAway(Unavailable):
    """No server acts on the host now, or the one that does is silent."""

    code = "host.away"


class HostElsewhere(Conflict):
    """A server on another machine acts on the same data directory."""

    code = "host.elsewhere"


class NoSuchHost(NotFound):
    """No server ever acted on that host, or it was forgotten."""

    code = "host.unknown"


class HostInUse(WrongState):
    """The host cannot be forgotten: a server is on it, or something that would be lost."""

    code = "host.in_use"
