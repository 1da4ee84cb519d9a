"""What is written down of a broken invariant: the smallest run that breaks it, and all that was seen of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.crash.drive import Broken, Drive
from tests.crash.server import Site
from tests.crash.shrinking import Plan, Shrinker, Shrunk

Places = Callable[[], AbstractContextManager[str | None]]
"""A fresh database for each attempt; None for one in the data directory."""


class Reporter:
    """Makes a failing run small, and writes a report of it."""

    def __init__(self, folder: Path, places: Places, seconds: float) -> None:
        self._folder = folder
        self._places = places
        self._seconds = seconds

    def report(self, broken: Broken, name: str) -> Path:
        """The file in which the smallest run stands that breaks the same, and the trace of the last that did."""
        found = [broken]

        def breaks(plan: Plan) -> bool:
            again = self._again(plan)
            if again is None or again.what != broken.what:
                return False
            found.append(again)
            return True

        shrunk = Shrinker(breaks, self._seconds).shrink(broken.plan)
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{name}-{broken.plan.seed}.txt"
        file.write_text(_written(broken, shrunk, found[-1]), "utf-8")
        return file

    def _again(self, plan: Plan) -> Broken | None:
        with self._places() as database:
            drive = Drive(Site(database), plan.seed)
            try:
                drive.repeat(plan)
            except Broken as error:
                return error
            finally:
                drive.close()
        return None


def _written(broken: Broken, shrunk: Shrunk, last: Broken) -> str:
    again = (
        f"The smallest run that broke it again, after {shrunk.attempts} attempts: {shrunk.plan}"
        if shrunk.reproduced
        else f"It did not break again in {shrunk.attempts} attempts; the whole run: {shrunk.plan}"
    )
    python = f"python -m tests.crash.again {shrunk.plan.arguments()}"
    parts = [
        f"Broken: {broken.what}",
        again,
        f"Run it again: {python}",
        "",
        str(last),
    ]
    if last is not broken:
        parts += ["", "---- as it was first seen ----", "", str(broken)]
    parts += ["", "---- where ----", "", "".join(traceback.format_exception(broken))]
    return "\n".join(parts)
