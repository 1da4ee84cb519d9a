"""What users do between two crashes: random calls about their own notebooks, and what the model makes of answers."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crash import machine
from tests.crash.model import KILLED, Asked, Doubt, Model
from tests.crash.scnet import Answer, User, Visitor
from tests.waiting import until
from trivium.drivers.runtimes.process.keeper.system import processes
from trivium.drivers.runtimes.process.keeper.system.processes import Identity

MOST = 3  # notebooks of one hand
LOOKS_FOR = 3.0  # seconds that somebody waits for a notebook
REST = 0.3  # seconds at most until somebody asks again for what there was no room for
REFUSALS = {"create": "716865", "start": "716868", "stop": "716867", "release": "716866", "service": "716864"}
UNREACHABLE = "10012"  # while no keeper runs
TRANSIENT = {"Creating", "Restarting", "Shutting"}
WEIGHTS = {
    "running": {"await": 4, "stop": 3, "save": 1, "release": 2, "rename": 1, "service": 2, "look": 2, "kill": 1},
    "stopped": {"await": 2, "start": 5, "release": 3, "rename": 1, "look": 1},
}


@dataclass
class Diary:
    """What was done and what came of it, since the last check and in all."""

    lines: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  # answers that no state allows
    outage: bool = False  # something that the server needs is away: any call may be answered with that
    longest: float = 0.0  # seconds that a call waited for its answer
    began: float = field(default_factory=time.monotonic)

    def note(self, who: str, what: str, outcome: str) -> None:
        """One line."""
        self.lines.append(f"{time.monotonic() - self.began:9.3f} {who:8} {what:50} {outcome}")


@dataclass(frozen=True)
class Tools:
    """What hands work with."""

    small: str  # the path of the image whose notebooks are started
    lab: str  # of the one whose notebooks are forked of a warm parent, where there is one
    service: str  # the command of a service inside a notebook; {port} is filled in


class Hand:
    """One of a user's hands: it works on notebooks of its own, one call after the other."""

    def __init__(self, name: str, user: User, model: Model, *, diary: Diary, tools: Tools) -> None:
        self.name = name
        self.user = user
        self._model = model
        self._diary = diary
        self._tools = tools
        self._mine: list[Asked] = []
        self._count = 0
        self._visitor = Visitor()
        self._is_alone = False  # nobody listens any more

    def work(self, dice: random.Random, is_over: Callable[[], bool]) -> None:
        """Do one thing after the other until it is over."""
        self._is_alone = False
        while not is_over() and not self._is_alone:
            self._mine = [one for one in self._mine if one.wanted != "deleted" and self._is_there(one)]
            free = [one for one in self._mine if one.doubt is None and one.id is not None]
            if not free or (len(self._mine) < MOST and dice.random() < 0.2):
                if not self._create(dice):
                    by = time.monotonic() + dice.uniform(0, REST)
                    until(lambda by=by: is_over() or time.monotonic() > by)
                continue
            asked = dice.choice(free)
            weights = WEIGHTS["stopped" if asked.wanted == "stopped" or asked.ended else "running"]
            (verb,) = dice.choices(list(weights), list(weights.values()))
            self._do(verb, asked, is_over, dice=dice)

    def make(self, kind: str, count: int) -> int:
        """A new notebook's id."""
        asked = self.ask_for(kind, count)
        assert asked.id is not None
        return asked.id

    def ask_for(self, kind: str, count: int, *, image: str | None = None, mount_home: bool = True) -> Asked:
        """Ask for a new notebook, of the small image unless another is named; in doubt where nobody answered."""
        self._count += 1
        asked = Asked(mark=f": {self.name}.{self._count}", user=self.user.key.user, kind=kind, count=count)
        asked.doubt = Doubt("create", {})
        self._mine.append(asked)
        self._model.add(asked)
        answer = self.user.platform(
            "create",
            clusterId=self.user.key.site_id,
            imagePath=image or self._tools.small,
            imageName="small",
            acceleratorType=kind,
            acceleratorNumber=count,
            mountHome=mount_home,
            startCommand=asked.mark,
        )
        if answer.ok:
            asked.id = int(answer.data["notebookId"])
        elif answer.code is not None or not answer.sent:
            self._model.drop([asked])
            self._mine.remove(asked)
        self._settle("create", asked, answer)
        return asked

    def do(self, verb: str, asked: Asked) -> None:
        """One call about a notebook: start, stop, save, release, rename or service."""
        self._do(verb, asked, lambda: False, dice=random.Random(0))

    def stop(self, notebook: int) -> None:
        """Stop one."""
        self._stop(self._model.by_id()[notebook], saves=False)

    def close(self) -> None:
        """Let go of the connections."""
        self.user.close()
        self._visitor.close()

    def _is_there(self, asked: Asked) -> bool:
        return asked.id is not None or asked.doubt is not None

    def _do(self, verb: str, asked: Asked, is_over: Callable[[], bool], *, dice: random.Random) -> None:
        if verb == "await":
            self._await(asked, is_over)
        elif verb == "look":
            self._look(asked, dice)
        elif verb == "kill":
            self._kill(asked)
        elif verb == "rename":
            self._count += 1
            name = f"{self.name}-{self._count}"
            self._tell("rename", asked, {"name": name}, lambda: self._post("name", asked, notebookName=name))
        elif verb == "service":
            port = machine.free_port()
            command = self._tools.service.format(port=port)
            self._tell("service", asked, {"port": port}, lambda: self._service(asked, port, command))
        elif verb == "start":
            change = {"wanted": "running", "ended": None}
            self._tell("start", asked, change, lambda: self.user.platform("start", notebookId=str(asked.id)))
        elif verb == "release":
            self._tell("release", asked, {"wanted": "deleted"}, lambda: self._post("actions/release", asked))
        else:
            self._stop(asked, saves=verb == "save")

    def _stop(self, asked: Asked, *, saves: bool) -> None:
        change = {"wanted": "stopped", "saves": asked.saves + saves}
        body = {"notebookId": str(asked.id), "saveEnv": str(saves).lower()}
        self._tell("stop", asked, change, lambda: self.user.post("actions/stop", **body))

    def _create(self, dice: random.Random) -> bool:
        """Ask for a new notebook; whether there is one."""
        kind, count = dice.choice((("dcu", 1), ("dcu", 1), ("dcu", 2), ("dcu", 3), ("cpu", 1)))
        image = dice.choice((self._tools.small, self._tools.lab))
        return self.ask_for(kind, count, image=image, mount_home=dice.random() < 0.8).id is not None

    def _tell(self, verb: str, asked: Asked, changes: dict[str, Any], call: Callable[[], Answer]) -> None:
        """Ask for something, and believe the answer."""
        asked.doubt = Doubt(verb, changes)
        self._settle(verb, asked, call())

    def _settle(self, verb: str, asked: Asked, answer: Answer) -> None:
        outcome = self._outcome(verb, answer)
        self._diary.longest = max(self._diary.longest, answer.seconds)
        self._diary.counts[verb, outcome] += 1
        self._diary.note(self.name, f"{verb} {asked.id} {asked.mark}", f"{outcome} {answer.said[:60]}")
        self._is_alone = outcome == "unsent"
        if outcome in {"unanswered", "unavailable"}:
            return  # the doubt stays until the next check
        asked.resolve(happened=answer.ok)
        if outcome == "wrong":
            self._diary.wrong.append(f"{verb} {asked.id}: {answer}")

    def _outcome(self, verb: str, answer: Answer) -> str:
        if answer.code is None:
            return "unanswered" if answer.sent else "unsent"
        if answer.ok:
            return "done"
        if answer.code == UNREACHABLE and (verb == "service" or self._diary.outage):
            return "unavailable"
        return "refused" if answer.code == REFUSALS.get(verb) else "wrong"

    def _post(self, path: str, asked: Asked, **body: str) -> Answer:
        return self.user.post(path, id=str(asked.id), **body)

    def _service(self, asked: Asked, port: int, command: str) -> Answer:
        return self._post("customize-service/actions/start", asked, customizePort=str(port), command=command)

    def _await(self, asked: Asked, is_over: Callable[[], bool]) -> None:
        """Wait until the notebook is at rest, as people do who want to work with it."""
        by = time.monotonic() + LOOKS_FOR
        seen = ""

        def is_at_rest() -> bool:
            nonlocal seen
            answer = self.user.get("detail", notebookId=str(asked.id))
            seen = str(answer.data["notebookStatus"]) if answer.ok else answer.code or "unanswered"
            return is_over() or time.monotonic() > by or seen not in TRANSIENT

        until(is_at_rest, within=60, what="a look at a notebook")
        self._look_done("await", asked, seen)

    def _look(self, asked: Asked, dice: random.Random) -> None:
        """Look at lists, details and links."""
        path, query = dice.choice(
            (
                ("list", {"page": 1, "size": 10}),
                ("list", {"page": 1, "size": 10, "notebookStatus": "Running"}),
                ("detail", {"notebookId": str(asked.id)}),
                ("url", {"notebookId": str(asked.id)}),
                ("customize-service/url", {"notebookId": str(asked.id)}),
            )
        )
        answer = self.user.get(path, **query)
        self._look_done(path, asked, answer.code or "unanswered")
        if not answer.ok and answer.code not in {None, UNREACHABLE}:
            self._diary.wrong.append(f"{path} {asked.id}: {answer}")

    def _look_done(self, verb: str, asked: Asked, seen: str) -> None:
        outcome = seen if seen in {"unanswered", "wrong"} else "done"
        self._diary.counts["look", outcome] += 1
        self._diary.note(self.name, f"{verb} {asked.id}", seen)

    def _kill(self, asked: Asked) -> None:
        """Kill the notebook's own process by hand, where it runs."""
        link = self.user.get("url", notebookId=str(asked.id))
        if not link.ok or link.data["status"] != "active":
            return
        main = self._visitor.main_of(link.data["url"])
        if main is not None:
            killed = processes.send(Identity(*main), 9)
            if killed:
                asked.ended = KILLED
            self._diary.counts["kill by hand", "done" if killed else "too late"] += 1
            self._diary.note(self.name, f"kill -9 {main[0]} of {asked.id}", str(killed))
