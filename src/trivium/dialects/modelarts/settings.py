"""What an operator may say of the dialect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from trivium.base.units import MIB
from trivium.base.values import Value
from trivium.resources.transfers import Sinks


def nowhere(_path: str) -> bool:
    """Without roots no bucket is anywhere."""
    return False


class ModelArtsSettings(Value, frozen=True):
    """How ModelArts is answered where an installation may differ."""

    body_limit: int = 10 * MIB
    signature_window: timedelta = timedelta(minutes=15)  # how far a signature's time may lie from ours
    token_lifetime: timedelta = timedelta(hours=24)
    shortest_lease: timedelta = timedelta(hours=1)  # for how long a notebook can be asked to run at least …
    longest_lease: timedelta = timedelta(hours=72)  # … and at most, unless it is for ever
    hosts: tuple[str, ...] = ()  # names that clients sign for, where a proxy before us puts another Host in place
    dataset_roots: tuple[str, ...] = ()  # the directories in them are the buckets of datasets
    is_directory: Callable[[str], bool] = nowhere  # what finds out whether one is there
    sinks: Callable[[], Sinks] | None = None  # what reads manifests of versions; without it none is read
