"""What an operator may say of the dialect."""

from __future__ import annotations

from datetime import timedelta

from trivium.base.units import GIB, MIB
from trivium.base.values import Value


class ZStackSettings(Value, frozen=True):
    """How ZStack is answered where an installation may differ."""

    body_limit: int = 10 * MIB
    session_lifetime: timedelta = timedelta(hours=2)
    job_retention: timedelta = timedelta(hours=3)  # how long the answer to a call that goes on is kept once it is there
    web_hooks: tuple[str, ...] = ()  # what the addresses that answers may be sent to begin with
    extra_gpu_memory: int = 2 * GIB  # what a model is said to need on GPUs besides
    store_roots: tuple[str, ...] = ()  # the directories that model centres may lie in, absolute
