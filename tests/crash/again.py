"""Runs the rounds of a report again: `python -m tests.crash.again --seed 7 --rounds 3,4 --hands alice0 …`."""

from __future__ import annotations

import argparse
import sys

from tests.crash.drive import Broken, Drive
from tests.crash.server import Site
from tests.crash.shrinking import Befalls, Plan


def main() -> None:
    """Run once; 1 when an invariant broke, which is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rounds", required=True, help="their numbers, with commas between")
    parser.add_argument("--hands", default="", help="their names, with commas between")
    parser.add_argument("--befalls", default="", help=f"of {','.join(one.name for one in Befalls)}")
    parser.add_argument("--database", default=None, help="postgresql://… of an empty database (default: SQLite)")
    given = parser.parse_args()
    plan = Plan(
        seed=given.seed,
        rounds=tuple(map(int, filter(None, given.rounds.split(",")))),
        hands=tuple(filter(None, given.hands.split(","))),
        befalls=tuple(Befalls[name] for name in given.befalls.split(",") if name),
    )
    drive = Drive(Site(given.database), plan.seed)
    try:
        print(drive.repeat(plan))
    except Broken as error:
        print(error)
        sys.exit(1)
    finally:
        drive.close()


if __name__ == "__main__":
    main()
