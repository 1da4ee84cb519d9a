"""The crash test itself: users who call, a server that is killed at random moments, and a look at what is left."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import httpx

from tests.crash import invariants, machine
from tests.crash.acts import Diary, Hand, Tools
from tests.crash.invariants import INVARIANTS, Check, Scene
from tests.crash.ledger import Book
from tests.crash.model import Model
from tests.crash.scnet import User, Visitor
from tests.crash.server import Site
from tests.waiting import until
from trivium.drivers.runtimes.process.keeper import processes

USERS = ("alice", "bob")
HANDS = 2  # of each user
NAMED = re.compile(r"\d{15,}")
BURST = 2.0  # seconds at most until the server is killed
STARTUP = 2.0  # seconds within which it is killed while it starts
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
    """An invariant that does not hold."""


class Drive:
    """One run on one site."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._seed = seed
        self._model = Model()
        self._diary = Diary()
        self._book: Book | None = None
        self._visitor = Visitor()
        self._users: dict[str, User] = {}
        self.hands: list[Hand] = []
        self._rounds = 0
        self.kills = 0
        self.checks = 0
        self.figures: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def run(self, kills: int) -> str:
        """Kill so often; what was done, in a few lines. AssertionError tells seed, invariant and trace."""
        began = time.monotonic()
        try:
            self.furnish()
            while self.kills < kills:
                self._round()
            self._end()
        except (AssertionError, httpx.HTTPError, KeyError) as error:
            raise Broken(self._told(error)) from error
        return self._report(time.monotonic() - began)

    def close(self) -> None:
        """End all of it."""
        for one in (*self._users.values(), *self.hands):
            one.close()
        if self._book is not None:
            self._book.close()
        self._visitor.close()
        self._site.close()

    # ---- the course ----------------------------------------------------------------------------------------------

    def furnish(self) -> None:
        """Make the site, its users and their hands, and start the server."""
        site = self._site
        keys = site.furnish(USERS)
        image = site.small_image()
        service = f"setsid python -I -S {site.python}/program.py {{port}} >/dev/null 2>&1 </dev/null &"
        site.start()
        self._book = Book(site.database)
        for key in keys:
            self._users[key.user] = User(key, site.url)
            self._log_in(key.user)
            for number in range(HANDS):
                twin = User(key, site.url)
                twin.tokens = self._users[key.user].tokens
                self.hands.append(
                    Hand(f"{key.user}{number}", twin, self._model, diary=self._diary, tools=Tools(image, service))
                )
        self.check()

    def _round(self) -> None:
        """A burst of calls, a crash, a new start, and a look."""
        self._rounds += 1
        dice = random.Random(f"{self._seed}/{self._rounds}")
        with self._burst():
            self._wait(dice.uniform(0, BURST))
            if dice.random() < 0.2:
                self._note("SIGSTOP")
                self._site.signal(signal.SIGSTOP)
                self._wait(dice.uniform(0, PAUSE))
                self._site.signal(signal.SIGCONT)
                self._note("SIGCONT")
                self.figures["pauses"] += 1
                self._wait(dice.uniform(0, BURST / 4))
            if dice.random() < 0.1:
                self._kill_keeper()
                self._wait(dice.uniform(0, BURST / 4))
            if dice.random() < 0.1:
                self._terminate()
            else:
                self._kill("amid calls")
        if dice.random() < 0.3:
            self._kill_notebook(dice)
        if dice.random() < 0.1:
            self._kill_keeper()
        if dice.random() < 0.35:
            self._site.spawn()
            self._wait(dice.uniform(0, STARTUP))
            self._kill("while it started")
        began = time.monotonic()
        self._site.start()
        self.seconds["starts"] += time.monotonic() - began
        self._note("the server answers")
        if dice.random() < 0.2:
            self._log_in(dice.choice(USERS))
        self.check()

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
        found = machine.look(self._site.data)
        left = (found.launches, found.rooms, found.layers, found.logs, found.cgroups, found.minders)
        assert not any(left), found

    @contextmanager
    def _burst(self) -> Iterator[None]:
        """All hands at work while the block runs."""
        over = threading.Event()
        dice = [random.Random(f"{self._seed}/{self._rounds}/{hand.name}") for hand in self.hands]
        faults: list[BaseException] = []

        def work(hand: Hand, mine: random.Random) -> None:
            try:
                hand.work(mine, over.is_set)
            except BaseException as error:  # noqa: BLE001 - handed on to the test's own thread
                faults.append(error)

        threads = [
            threading.Thread(target=work, args=pair, name=pair[0].name) for pair in zip(self.hands, dice, strict=True)
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
        self._note(f"kill -9 of the server {when}")
        self._site.kill()
        self.kills += 1
        self.figures[f"kills {when}"] += 1

    def _terminate(self) -> None:
        self._note("SIGTERM")
        began = time.monotonic()
        status = self._site.stop()
        self._note(f"it ended with {status} after {time.monotonic() - began:.1f} s")
        assert status == 0, f"SIGTERM ended the server with {status}"
        self.figures["SIGTERM"] += 1

    def _kill_keeper(self) -> None:
        keeper = machine.look(self._site.data).keeper
        if keeper is not None and processes.send(keeper.identity, signal.SIGKILL):
            self._note("kill -9 of the keeper")
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
            asked.is_killed = processes.send(main, signal.SIGKILL) or asked.is_killed
            self._note(f"kill -9 {main.pid} of {asked.id}")
            self.figures["notebooks killed without a server"] += 1

    # ---- the look ------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Wait until the site is at rest, and see that every invariant holds. AssertionError says which does not."""
        assert self._book is not None
        began = time.monotonic()
        scene = self.scene()
        invariants.resolve(self._model, scene.ledger)
        self._hold(AT_ONCE, scene)
        assert not self._diary.wrong, self._diary.wrong
        until(self._book.is_settled, within=RESTS_WITHIN, what="rest")
        scene = self.scene()
        by = time.monotonic() + LEAVES_WITHIN
        while time.monotonic() < by and any(found for check in SOON for found in check(scene)):
            self._wait(0.05)
            scene = self.scene()
        self._hold(INVARIANTS, scene)
        until(self._site.is_ready, within=30, what="readiness")
        self._diary.lines.clear()
        self.seconds["checks"] += time.monotonic() - began
        self._note(f"all is as it should be after {self.kills} kills")

    def scene(self) -> Scene:
        """The site as it is now."""
        assert self._book is not None
        return Scene(
            model=self._model,
            ledger=self._book.read(),
            machine=machine.look(self._site.data),
            book=self._book,
            users=self._users,
            visitor=self._visitor,
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

    def _wait(self, seconds: float) -> None:
        """Let others work until a random moment has come."""
        moment = time.monotonic() + seconds
        until(lambda: time.monotonic() >= moment, within=seconds + 10)

    def _note(self, what: str) -> None:
        self._diary.note("--------", what, "")

    def _told(self, error: BaseException) -> str:
        trace = "\n".join(self._diary.lines)
        with suppress(OSError):
            keeper = (self._site.data / "keeper" / "keeper.log").read_text("utf-8", "replace")[-2000:]
            return (
                f"{error}\n\nseed {self._seed}, round {self._rounds}, {self.kills} kills\n\n"
                f"What was done since the last check:\n{trace}\n\n"
                f"What the database has of those that are named:\n{self._told_of(str(error))}\n\n"
                f"The keeper's log:\n{keeper}\n\n"
                f"The end of the server's log:\n{self._site.said()}"
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
        verbs = sorted({verb for verb, _ in self._diary.counts})
        lines = [
            f"{self.kills} kills of the server in {self._rounds} rounds and {seconds:.1f} s, seed {self._seed}",
            f"  {self.checks} checks of invariants, {len(self._model.asked)} notebooks",
            "  " + ", ".join(f"{name}: {count}" for name, count in sorted(self.figures.items())),
        ]
        lines.append("  seconds: " + ", ".join(f"{name} {count:.1f}" for name, count in self.seconds.items()))
        for verb in verbs:
            outcomes = {outcome: count for (one, outcome), count in self._diary.counts.items() if one == verb}
            lines.append(f"  {verb:13} " + ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items())))
        return "\n".join(lines)
