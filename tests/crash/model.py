"""What users asked for and were told, against which the platform is held after each crash."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from trivium.drivers.runtimes.process.keeper.system.processes import Identity

KILLED = "notebook.ended.killed"


@dataclass
class Doubt:
    """A call that nobody answered: it happened whole, or not at all."""

    kind: str  # the operation's kind, or rename, or service
    changes: dict[str, Any]


@dataclass
class Asked:
    """One notebook, as the user who asked for it must find it again."""

    mark: str  # stands in its start command, so that one whose creation was not answered is recognised
    user: str
    kind: str
    count: int
    id: int | None = None
    wanted: str = "running"
    name: str | None = None
    port: int | None = None  # of the service that was last asked for
    ended: str | None = None  # the reason with which it must have failed since it was last started
    saves: int = 0
    calls: Counter[str] = field(default_factory=Counter)  # acknowledged, by the operation's kind
    doubt: Doubt | None = None

    def acknowledge(self, kind: str, changes: dict[str, Any]) -> None:
        """The platform said that it is so."""
        self.calls[kind] += 1
        for name, value in changes.items():
            setattr(self, name, value)

    def resolve(self, *, happened: bool) -> None:
        """What was found out of the call in doubt."""
        doubt, self.doubt = self.doubt, None
        if doubt is not None and happened:
            self.acknowledge(doubt.kind, doubt.changes)


@dataclass(frozen=True)
class Lived:
    """How a notebook ran at the last check."""

    workload: str
    generation: int
    main: Identity
    starts: int  # acknowledged starts and stops until then


class Model:
    """All that was asked."""

    _changing = threading.Lock()  # hands work at once; the class's, as models are copied

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.lived: dict[int, Lived] = {}
        self.tokens: list[tuple[str, dict[str, str]]] = []
        self.excuses: frozenset[str] = frozenset()  # the reasons for which a start may fail on this site

    def of(self, user: str) -> list[Asked]:
        """What a user has, as far as is known."""
        return [one for one in self.asked if one.user == user and one.id is not None and one.wanted != "deleted"]

    def by_id(self) -> dict[int, Asked]:
        """What has an id."""
        return {one.id: one for one in self.asked if one.id is not None}

    def add(self, asked: Asked) -> None:
        """One more."""
        with self._changing:
            self.asked = [*self.asked, asked]

    def drop(self, gone: Iterable[Asked]) -> None:
        """Forget what never came to be."""
        left = {id(one) for one in gone}
        with self._changing:
            self.asked = [one for one in self.asked if id(one) not in left]
