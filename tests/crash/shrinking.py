"""From a run that broke an invariant to the smallest one that still breaks it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeVar

T = TypeVar("T")
TRIES: Final = 2  # how often a smaller run is given a chance: when a kill strikes depends on the machine too


class Befalls(StrEnum):
    """What befalls a site beside the kill that ends each round."""

    PAUSE = "the server stopped by SIGSTOP for a while"
    KEEPER = "the keeper killed"
    TERM = "the server ended by SIGTERM, not killed"
    NOTEBOOK = "a notebook killed while no server runs"
    STARTING = "the server killed while it starts"


@dataclass(frozen=True)
class Plan:
    """What a run does: everything else follows from the seed."""

    seed: int
    rounds: tuple[int, ...]
    hands: tuple[str, ...]
    befalls: tuple[Befalls, ...] = tuple(Befalls)

    def arguments(self) -> str:
        """The plan as words of a command line."""
        rounds, hands = ",".join(map(str, self.rounds)), ",".join(self.hands)
        befalls = ",".join(one.name for one in self.befalls)
        return f"--seed {self.seed} --rounds {rounds} --hands '{hands}' --befalls '{befalls}'"

    def __str__(self) -> str:
        return (
            f"seed {self.seed}, rounds {list(self.rounds)}, hands {', '.join(self.hands) or 'none'}; "
            f"befalls: {'; '.join(self.befalls) or 'kills alone'}"
        )


@dataclass(frozen=True)
class Shrunk:
    """The smallest run that was found to break the same, and how it was found."""

    plan: Plan
    attempts: int
    reproduced: bool  # whether any run, the whole one included, broke the same again


class Shrinker:
    """Tries smaller runs until none breaks any more, or time is over.

    `breaks` runs a plan and says whether the same invariant breaks. A run that does not break may be luck: what is
    found did break, but a smaller one might too. Within one life with a named step there is no luck, nor any need.
    """

    def __init__(self, breaks: Callable[[Plan], bool], seconds: float) -> None:
        self._breaks = breaks
        self._until = time.monotonic() + seconds
        self._attempts = 0
        self._reproduced = False

    def shrink(self, plan: Plan) -> Shrunk:
        """The rounds first, the last of them before all, then hands, then what befalls."""
        plan = self._last_rounds(plan)
        for name in ("rounds", "hands", "befalls"):
            plan = self._without(plan, name)
        return Shrunk(plan, self._attempts, self._reproduced)

    def _without(self, plan: Plan, name: str) -> Plan:
        """The plan with no more of one thing than is needed."""
        kept = smallest(getattr(plan, name), lambda part: self._try(replace(plan, **{name: part})))
        return replace(plan, **{name: kept})

    def _last_rounds(self, plan: Plan) -> Plan:
        """What breaks in a round seldom needs those long before it."""
        count = 1
        while count < len(plan.rounds):
            shorter = replace(plan, rounds=plan.rounds[-count:])
            if self._try(shorter):
                return shorter
            count *= 2
        return plan

    def _try(self, plan: Plan) -> bool:
        for _ in range(TRIES):
            if time.monotonic() > self._until:
                return False
            self._attempts += 1
            if self._breaks(plan):
                self._reproduced = True
                return True
        return False


def smallest(items: Sequence[T], breaks: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """A part of the items that still breaks and none of whose pieces can be left out (Zeller's ddmin)."""
    kept, pieces = tuple(items), 2
    while kept:
        size = max(len(kept) // pieces, 1)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            if breaks(rest):
                kept, pieces = rest, max(pieces - 1, 2)
                break
        else:
            if size == 1:
                return kept
            pieces = min(2 * pieces, len(kept))
    return kept
