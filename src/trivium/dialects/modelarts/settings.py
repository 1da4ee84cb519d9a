"""What an operator may say of the dialect."""

from __future__ import annotations

from datetime import timedelta

from trivium.base.units import MIB
from trivium.base.values import Value


class ModelArtsSettings(Value, frozen=True):
    """How ModelArts is answered where an installation may differ."""

    body_limit: int = 10 * MIB
    signature_window: timedelta = timedelta(minutes=15)  # how far a signature's time may lie from ours
    token_lifetime: timedelta = timedelta(hours=24)
    shortest_lease: timedelta = timedelta(hours=1)  # for how long a notebook can be asked to run at least …
    longest_lease: timedelta = timedelta(hours=72)  # … and at most, unless it is for ever
    hosts: tuple[str, ...] = ()  # names that clients sign for, where a proxy before us puts another Host in place
