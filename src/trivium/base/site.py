"""This installation: what it is called, where it is reached, and what it grants."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from trivium.base.values import Value


class Site(Value, frozen=True, kw_only=True):
    """The one site that this installation is; made from the settings at start."""

    id: int  # the short integer that SCNet calls a region's id
    name: str  # the region's name
    registry: str  # the host part of image paths
    url: str  # where the APIs are reached, without a slash at the end
    public_url: str | None = None  # the same where the operator says it; None: clients know best how they reached us
    proxy_url: str  # where notebooks are reached, without a slash at the end
    proxy_host: str = ""  # template with {id}; empty: notebooks share one origin, told apart by path
    homes: Path  # the directory that holds a home for each user, named by the user's id
    utc_offset: timedelta = timedelta(hours=8)  # for names that are made of the local time
    release_after: timedelta | None = None  # a notebook that is stopped for so long is released
    max_running: timedelta | None = None  # a notebook that runs for so long is stopped
    processes: int = 4096  # processes and threads that one notebook may have
