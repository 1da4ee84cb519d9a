"""The life of one notebook, from its creation to its end, with a death at one named step of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import httpx
import msgspec

from tests.crash import machine
from tests.crash.drive import Broken, Drive, kind_of
from tests.crash.dying import At
from tests.crash.model import Asked
from tests.waiting import until
from trivium.resources.notebooks import Status

LIFE: Final = ("running", "service", "rename", "save", "stopped", "start", "running", "stop", "stopped", "release")
"""What is asked of a notebook once it is created, and between what it is waited for."""

AMID: Final = (0.001, 0.003, 0.01, 0.03)  # seconds after which a keeper dies over what it was told
OFTEN: Final = 3  # how often a step is died at that comes again and again by itself
COMES_WITHIN: Final = 45.0
OVER_A_FORK: Final = At("before the keeper is told launch", befalls="keeper", at_fork=True)


class Lives:
    """Lives on one site, one after the other."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._site = drive.site
        self._passed = Path(f"{drive.site.top}/passed")
        self.figures: Counter[str] = Counter()

    def steps(self) -> Counter[str]:
        """The steps that a life has, and how often; from one that nothing befalls."""
        self._live(None)
        return Counter(self._passed.read_text("ascii").splitlines())

    def live(self, at: At) -> None:
        """A life with that death, and all that must hold after it. `Broken` names the step and the invariant."""
        try:
            self._live(at)
        except (AssertionError, httpx.HTTPError, KeyError) as error:
            steps = self._passed.read_text("ascii")
            told = f"{at}\n{self._drive.told(error)}\n\nThe steps until then:\n{steps}"
            raise Broken(told, plan=self._drive.plan, what=kind_of(error)) from error

    def _live(self, at: At | None) -> None:
        drive, site = self._drive, self._site
        is_forked = at is not None and at.at_fork
        if is_forked:
            self._warm_up()
        drive.note(str(at or "nothing befalls"))
        site.kill()
        program = [str(site.trivium.with_name("python")), "-m", "tests.crash.dying"]
        site.spawn(*program, msgspec.json.encode(at).decode(), str(self._passed))
        asked = self._until_death(site.lab if is_forked else site.small)
        if is_forked:
            self.figures[f"over a fork, {self._watched()}"] += 1
        if at is not None and at.befalls == "server" and self._is_reached(at):
            until(lambda: site.is_dead, what=f"the death of the server: {at}")
        died = site.is_dead
        self.figures["died" if died else "lived on"] += 1
        site.kill()
        site.start()
        drive.check()
        if asked is not None and asked.id is not None and asked.wanted != "deleted":
            drive.hands[0].do("release", asked)
            drive.check()

    def _is_reached(self, at: At) -> bool:
        return self._passed.read_text("ascii").splitlines().count(at.label) >= at.number

    def _warm_up(self) -> None:
        """Have a warm parent that can be forked."""
        if not machine.parents_of(self._site.data):
            asked = self._drive.hands[0].ask_for("dcu", 1, image=self._site.lab)
            self._await(asked, "running")
            until(lambda: machine.parents_of(self._site.data), within=COMES_WITHIN, what="a warm parent")
            self._drive.hands[0].do("release", asked)
            self._await(asked, "gone")

    def _watched(self) -> str:
        """What came of the death of a keeper over a fork: in time, too late, or never."""
        return until(lambda: self._passed.with_name("watched").read_text("ascii").split("\n")[1], what="its death")

    def _until_death(self, image: str) -> Asked | None:
        """Have a notebook of that image live; what was asked for until the server died, if it did."""
        hand, site = self._drive.hands[0], self._site
        if not until(lambda: site.is_dead or site.answers(), within=60) or site.is_dead:
            return None
        asked = hand.ask_for("dcu", 2, image=image)
        for word in LIFE:
            if asked.doubt is not None or asked.id is None:
                return asked
            if word in {one.value for one in Status}:
                self._await(asked, word)
            elif asked.port is None or word != "service":
                hand.do(word, asked)
            if site.is_dead:
                return asked
        self._await(asked, "gone")
        until(lambda: site.is_dead or self._drive.is_empty(), within=COMES_WITHIN, what="an empty machine")
        return asked

    def _await(self, asked: Asked, found: str) -> None:
        until(
            lambda: self._site.is_dead or self._drive.found(asked) == found,
            within=COMES_WITHIN,
            what=f"{asked.id} {found}",
        )


def deaths(steps: Counter[str]) -> Iterator[At]:
    """Every death that a life may have: the server's at each step, the keeper's at and over each thing it is told."""
    for label, count in sorted(steps.items()):
        for number in range(1, min(count, OFTEN) + 1):
            yield At(label, number)
        if "keeper is told" in label:
            for late in (0.0, *AMID):
                yield At(label, 1, befalls="keeper", late=late)


def sample(all_of_them: Iterable[At], most: int, seed: int) -> list[At]:
    """So many of them, chosen by the seed; all where `most` is 0."""
    found = list(all_of_them)
    return found if not most else random.Random(f"points/{seed}").sample(found, min(most, len(found)))
