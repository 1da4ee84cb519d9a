"""What an operator may say of the proxy."""

from __future__ import annotations

from datetime import timedelta

from trivium.base.values import Value
from trivium.server.crowd import STALLED


class ProxySettings(Value, frozen=True):
    """Addresses, limits and patience of the proxy."""

    host: str | None = None  # `{id}.nb.example`: an origin for each notebook; None: `/nb/<id>/` on one origin for all
    secure: bool = False  # browsers come by https, through something in front that ends TLS
    connections: int = 10_000  # clients at once; for one more, one that is idle gives way
    head_bytes: int = 65_536
    head_fields: int = 128
    target_bytes: int = 16_384
    idle_upstreams: int = 32  # connections kept open to each notebook between requests
    head_timeout: timedelta = timedelta(seconds=10)  # to a head's end from its beginning, or from the connection's
    idle_timeout: timedelta = timedelta(seconds=75)  # between the requests of a connection
    body_timeout: timedelta = timedelta(seconds=60)  # without one byte of a body that was announced
    stall_timeout: timedelta = timedelta(minutes=5)  # of a client that does not take what it asked for
    stalled: timedelta = timedelta(seconds=STALLED)  # of such a client, when others want its place
    access_timeout: timedelta = timedelta(seconds=10)
    connect_timeout: timedelta = timedelta(seconds=5)
    answer_timeout: timedelta = timedelta(minutes=10)  # from the request to the head of the notebook's answer
    upstream_idle: timedelta = timedelta(seconds=30)  # how long an unused connection to a notebook is kept
    linger: timedelta = timedelta(seconds=2)  # how long we listen on after a last word, so that it arrives
    recheck: timedelta = timedelta(seconds=5)  # how often the rights of living connections are looked at again
    sweep: timedelta = timedelta(seconds=1)  # how often the times above are looked at
