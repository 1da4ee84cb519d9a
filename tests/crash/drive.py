"""The crash test itself: users who call, a server that is killed at random moments, and a look at what is left."""

from __future__ import annotations

import itertools
import random
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace

import httpx

from tests.crash import invariants, machine
from tests.crash.acts import Diary, Hand, Tools
from tests.crash.invariants import INVARIANTS, Check, Scene
from tests.crash.ledger import Book
from tests.crash.model import KILLED, Asked, Model
from tests.crash.scnet import User, Visitor
from tests.crash.server import Site
from tests.crash.shrinking import Befalls, Plan
from tests.waiting import until
from trivium.drivers.runtimes.process.keeper.system import processes

USERS = ("alice", "bob")
HANDS = 2  # of each user
NAMED = re.compile(r"\d{15,}")
CALLS = 8  # answers until the server is killed, on the average: counted, so that a busy machine does no less
MOST_BURST = 4.0  # seconds
MOMENT = 0.2  # seconds at most between the last of them and the kill
BURST = 0.5  # seconds at most that calls go on between two things that befall
STARTUP = 1.0  # seconds that a start may take, before one is measured: within them it is killed while it starts
PAUSE = 0.6  # seconds at most that the server is stopped
RESTS_WITHIN = 60.0
LEAVES_WITHIN = 45.0  # seconds for what ended to be cleared away; the worker sweeps every thirty

AT_ONCE: tuple[Check, ...] = (
    invariants.the_database_is_sound,
    invariants.acknowledged_stands,
    invariants.whole_or_not_at_all,
    invariants.nothing_is_held_twice,
    invariants.every_change_is_an_event,
)
"""What holds at every instant, also before anything is at rest."""

SOON: tuple[Check, ...] = (invariants.asked_is_reached, invariants.ports_are_free, invariants.nothing_is_left_behind)
"""What workers and the keeper bring about a moment after the rest."""


class Broken(AssertionError):
    """An invariant that does not hold: `what` names it, and `plan` is the run that led there."""

    def __init__(self, told: str, *, plan: Plan, what: str) -> None:
        super().__init__(told)
        self.plan = plan
        self.what = what


def kind_of(error: BaseException) -> str:
    """What broke, without the ids and times that differ from run to run."""
    first = str(error).partition("\n")[0]
    named = first.partition(":")[0]
    return named if named in {check.__name__ for check in INVARIANTS} else re.sub(r"\d+(\.\d+)?", "…", first)[:80]


class Drive:
    """One run on one site."""

    def __init__(self, site: Site, seed: int, *, excuses: frozenset[str] = frozenset()) -> None:
        self.site = site
        self.plan = Plan(seed, rounds=(), hands=tuple(f"{user}{number}" for user in USERS for number in range(HANDS)))
        self._model = Model()
        self._model.excuses = excuses
        self.diary = Diary()
        self._book: Book | None = None
        self._visitor = Visitor()
        self._users: dict[str, User] = {}
        self.hands: list[Hand] = []
        self._number = 0  # of the round
        self._rounds: list[int] = []
        self._startup = STARTUP
        self.kills = 0
        self.checks = 0
        self.figures: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def run(self, kills: int) -> str:
        """Kill so often; what was done, in a few lines. `Broken` has the plan, the invariant and the trace."""
        return self._run(itertools.takewhile(lambda _: self.kills < kills, itertools.count(1)))

    def repeat(self, plan: Plan) -> str:
        """The rounds of a plan, and no others."""
        self.plan = plan
        return self._run(plan.rounds)

    def _run(self, rounds: Iterable[int]) -> str:
        began = time.monotonic()
        try:
            self.furnish()
            for self._number in rounds:
                self._rounds.append(self._number)
                self._round()
            self._end()
        except (AssertionError, httpx.HTTPError, KeyError) as error:
            plan = replace(self.plan, rounds=tuple(self._rounds))
            raise Broken(self.told(error), plan=plan, what=kind_of(error)) from error
        return self._report(time.monotonic() - began)

    def close(self) -> None:
        """End all of it."""
        for one in (*self._users.values(), *self.hands):
            one.close()
        if self._book is not None:
            self._book.close()
        self._visitor.close()
        self.site.close()

    # ---- the course ----------------------------------------------------------------------------------------------

    def furnish(self) -> None:
        """Make the site, its users and their hands, and start the server."""
        site = self.site
        keys = site.furnish(USERS)
        service = f"setsid python -I -S {site.python}/program.py {{port}} >/dev/null 2>&1 </dev/null &"
        tools = Tools(site.small, site.lab, service)
        site.start()
        self._book = Book(site.database)
        for key in keys:
            self._users[key.user] = User(key, site.url)
            self._log_in(key.user)
            for number in range(HANDS):
                twin = User(key, site.url)
                twin.tokens = self._users[key.user].tokens
                self.hands.append(Hand(f"{key.user}{number}", twin, self._model, diary=self.diary, tools=tools))
        self.check()

    def _round(self) -> None:
        """A burst of calls, a crash, a new start, and a look."""
        with self._burst():
            self._wait_for_calls(self._dice("burst"))
            self._disturb()
            if self._befalls(Befalls.TERM, 0.1):
                self._terminate()
            else:
                self._kill("amid calls")
        if self._befalls(Befalls.NOTEBOOK, 0.3):
            self._kill_notebook(self._dice("notebook"))
        if self._befalls(Befalls.KEEPER, 0.1, "without a server"):
            self._kill_keeper()
        starts = self._dice("starts")
        while Befalls.STARTING in self.plan.befalls and starts.random() < 0.4:
            self.site.spawn()
            self._wait(starts.uniform(0, 1.3 * self._startup))
            self._kill("while it started")
        began = time.monotonic()
        self.site.start()
        self._startup = time.monotonic() - began
        self.seconds["starts"] += self._startup
        self.note("the server answers")
        dice = self._dice("login")
        if dice.random() < 0.2:
            self._log_in(dice.choice(USERS))
        self.check()

    def _disturb(self) -> None:
        """What befalls before the kill."""
        if self._befalls(Befalls.PAUSE, 0.2):
            dice = self._dice("pause")
            self.note("SIGSTOP")
            self.site.signal(signal.SIGSTOP)
            self._wait(dice.uniform(0, PAUSE))
            self.site.signal(signal.SIGCONT)
            self.note("SIGCONT")
            self.figures["pauses"] += 1
            self._wait(dice.uniform(0, BURST))
        if self._befalls(Befalls.KEEPER, 0.1):
            self._kill_keeper()
            self._wait(self._dice("keeper").uniform(0, BURST))

    def _befalls(self, what: Befalls, share: float, when: str = "") -> bool:
        """Whether it befalls in this round: it has dice of its own, so that leaving one thing out moves no other."""
        return what in self.plan.befalls and self._dice(f"{what.name}{when}").random() < share

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self.plan.seed}/{self._number}/{what}")

    def burst(self, outage: Callable[[], AbstractContextManager[None]], seconds: float) -> float:
        """Calls before, amid and after an outage of that length, and a look; the seconds that the slowest call took."""
        self._number += 1
        self.diary.longest = 0.0
        with self._burst():
            self._wait_for_calls(self._dice("burst"))
            self.diary.outage = True
            with outage():
                self.note("the outage begins")
                self._wait(seconds)
            self.note("the outage is over")
            self._wait_for_calls(self._dice("burst"))
        self.check()
        self.diary.outage = False
        return self.diary.longest

    def _end(self) -> None:
        """Release everything: nothing may be left."""
        for hand in self.hands:
            for record in hand.user.everything():
                asked = self._model.by_id()[int(record["id"])]
                answer = hand.user.post("actions/release", id=record["id"])
                assert answer.ok, f"release {record}: {answer}"
                asked.acknowledge("release", {"wanted": "deleted"})
        self.check()
        assert self._book is not None
        assert self.is_empty(), machine.look(self.site.data)

    @contextmanager
    def _burst(self) -> Iterator[None]:
        """All hands at work while the block runs."""
        over = threading.Event()
        hands = [hand for hand in self.hands if hand.name in self.plan.hands]
        dice = [self._dice(hand.name) for hand in hands]
        faults: list[BaseException] = []

        def work(hand: Hand, mine: random.Random) -> None:
            try:
                hand.work(mine, over.is_set)
            except BaseException as error:  # noqa: BLE001 - handed on to the test's own thread
                faults.append(error)

        threads = [
            threading.Thread(target=work, args=pair, name=pair[0].name) for pair in zip(hands, dice, strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()
        if faults:
            raise faults[0]

    # ---- what befalls --------------------------------------------------------------------------------------------

    def _kill(self, when: str) -> None:
        self.note(f"kill -9 of the server {when}")
        self.site.kill()
        self.kills += 1
        self.figures[f"kills {when}"] += 1

    def _terminate(self) -> None:
        self.note("SIGTERM")
        began = time.monotonic()
        status = self.site.stop()
        self.note(f"it ended with {status} after {time.monotonic() - began:.1f} s")
        assert status == 0, f"SIGTERM ended the server with {status}"
        self.figures["SIGTERM"] += 1

    def _kill_keeper(self) -> None:
        keeper = machine.look(self.site.data).keeper
        if keeper is not None and processes.send(keeper.identity, signal.SIGKILL):
            self.note("kill -9 of the keeper")
            self.figures["keepers killed"] += 1

    def _kill_notebook(self, dice: random.Random) -> None:
        """Kill one that ran at the last check, while no server is there to see it."""
        alive = [
            (asked, lived.main)
            for asked in self._model.asked
            if (lived := self._model.lived.get(asked.id or 0)) is not None
            and asked.wanted == "running"
            and asked.doubt is None
            and lived.starts == invariants.starts_of(asked)
            and processes.is_alive(lived.main)
        ]
        if alive:
            asked, main = dice.choice(alive)
            if processes.send(main, signal.SIGKILL):
                asked.ended = KILLED
            self.note(f"kill -9 {main.pid} of {asked.id}")
            self.figures["notebooks killed without a server"] += 1

    # ---- the look ------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Wait until the site is at rest, and see that every invariant holds. AssertionError says which does not."""
        assert self._book is not None
        began = time.monotonic()
        scene = self.scene()
        invariants.resolve(self._model, scene.ledger)
        self._hold(AT_ONCE, scene)
        assert not self.diary.wrong, self.diary.wrong
        until(self._book.is_settled, within=RESTS_WITHIN, what="rest")
        scene = self.scene()
        invariants.excuse(scene)
        by = time.monotonic() + LEAVES_WITHIN
        while time.monotonic() < by and any(found for check in SOON for found in check(scene)):
            self._wait(0.05)
            scene = self.scene()
        self._hold(INVARIANTS, scene)
        until(self.site.is_ready, within=30, what="readiness")
        self.figures["forked notebooks seen"] += len(scene.machine.forks)
        self.diary.lines.clear()
        self.seconds["checks"] += time.monotonic() - began
        self.note(f"all is as it should be after {self.kills} kills")

    def scene(self) -> Scene:
        """The site as it is now."""
        assert self._book is not None
        return Scene(
            model=self._model,
            ledger=self._book.read(),
            machine=machine.look(self.site.data),
            book=self._book,
            users=self._users,
            visitor=self._visitor,
        )

    def found(self, asked: Asked) -> str | None:
        """What the database says is the case with a notebook; None where it has no such row."""
        assert self._book is not None
        row = self._book.read().notebooks.get(asked.id or 0)
        return None if row is None else row.found

    def is_empty(self) -> bool:
        """Whether nothing of any notebook is on the machine."""
        found = machine.look(self.site.data)
        return not any(
            (found.launches, found.rooms, found.layers, found.logs, found.cgroups, found.temporary, found.minders)
        )

    def _hold(self, checks: Iterable[Check], scene: Scene) -> None:
        found: list[str] = []
        for check in checks:
            self.checks += 1
            found += [f"{check.__name__}: {one}" for one in check(scene)]
        assert not found, "\n".join(found)

    # ---- small things --------------------------------------------------------------------------------------------

    def _log_in(self, name: str) -> None:
        user = self._users[name]
        answer = user.log_in()
        assert answer.ok, answer
        self._model.tokens.append((name, dict(user.tokens)))

    def _wait_for_calls(self, dice: random.Random) -> None:
        """Let the hands work until a random number of their calls is answered, and a moment longer."""
        goal = len(self.diary.lines) + int(dice.expovariate(1 / CALLS))
        over = time.monotonic() + MOST_BURST
        until(lambda: len(self.diary.lines) >= goal or time.monotonic() > over, within=2 * MOST_BURST)
        self._wait(dice.uniform(0, MOMENT))

    def _wait(self, seconds: float) -> None:
        """Let others work until a random moment has come."""
        moment = time.monotonic() + seconds
        until(lambda: time.monotonic() >= moment, within=seconds + 10)

    def note(self, what: str) -> None:
        """Write into the diary what befell."""
        self.diary.note("--------", what, "")

    def told(self, error: BaseException) -> str:
        """All that helps to understand a failure."""
        trace = "\n".join(self.diary.lines)
        with suppress(OSError):
            keeper = (self.site.data / "keeper" / "keeper.log").read_text("utf-8", "replace")[-2000:]
            return (
                f"{error}\n\nseed {self.plan.seed}, round {self._number}, {self.kills} kills\n\n"
                f"What was done since the last check:\n{trace}\n\n"
                f"What the database has of those that are named:\n{self._told_of(str(error))}\n\n"
                f"The keeper's log:\n{keeper}\n\n"
                f"The end of the server's log:\n{self.site.said()}"
            )
        return f"{error}\n{trace}"

    def _told_of(self, said: str) -> str:
        """Rows, operations and events of the notebooks that a text names."""
        if self._book is None:
            return ""
        ledger = self._book.read()
        lines: list[str] = []
        for id in sorted({int(word) for word in NAMED.findall(said)} & set(ledger.notebooks)):
            row = ledger.notebooks[id]
            lines.append(f"{id} {row.wanted}/{row.found} {row.status} generation {row.generation} {row.reason}")
            lines += [f"    {one.kind} {one.status} {one.reason_code}" for one in ledger.operations.get(id, [])]
            lines += [
                f"    {one.at:%H:%M:%S.%f} {one.action} {one.before} {one.after}" for one in ledger.events.get(id, [])
            ]
        return "\n".join(lines)

    def _report(self, seconds: float) -> str:
        verbs = sorted({verb for verb, _ in self.diary.counts})
        lines = [
            f"{self.kills} kills in {len(self._rounds)} rounds and {seconds:.1f} s, seed {self.plan.seed}",
            f"  {self.checks} checks of invariants, {len(self._model.asked)} notebooks",
            "  " + ", ".join(f"{name}: {count}" for name, count in sorted(self.figures.items())),
        ]
        lines.append("  seconds: " + ", ".join(f"{name} {count:.1f}" for name, count in self.seconds.items()))
        for verb in verbs:
            outcomes = {outcome: count for (one, outcome), count in self.diary.counts.items() if one == verb}
            lines.append(f"  {verb:13} " + ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items())))
        return "\n".join(lines)
