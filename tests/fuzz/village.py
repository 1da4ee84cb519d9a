"""A site with two users: one who tries everything, and one whose things nobody else may ever see."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests.crash.scnet import User
from tests.crash.server import Site
from tests.fuzz.calls import Call, Known
from tests.fuzz.speaking import Answer
from tests.waiting import until

MARK: Final = "planted-7f3a"
"""Stands in the name of all that belongs to the other user, and nowhere else."""

PASSWORD: Final = "correct horse"
CODE: Final = re.compile(r"[0-9]+")
INTERNAL: Final = "10001"


@dataclass(frozen=True)
class Village:
    """The site, with what is known of it."""

    site: Site
    mallory: User
    victim: User
    planted: tuple[str, ...]  # texts that no answer to mallory may have in it
    known: Known
    before: Any  # what the other user has

    @property
    def server(self) -> psutil.Process:
        """The server's process."""
        assert self.site.process is not None
        return psutil.Process(self.site.process.pid)

    def clear(self) -> None:
        """Release what was made by trying."""
        assert self.mallory.log_in().ok
        for record in self.mallory.everything():
            self.mallory.post("actions/release", id=record["id"])

    def has_kept_the_peace(self) -> None:
        """The server lives, has logged no fault, and the other user's things are as they were."""
        assert not self.site.is_dead, self.site.said()
        faults = [
            line for line in self.site.log.read_text("utf-8", "replace").splitlines() if '"level":"error"' in line
        ]
        assert not faults, "\n".join(faults)[:8000]
        assert self.victim.log_in().ok
        assert belongings(self.victim) == self.before


def furnish() -> Village:
    """Make it."""
    site = Site()
    keys = site.furnish(("mallory", f"victim-{MARK}"))
    image = site.small
    for key in keys:
        site.type("quota", "set", key.user, "pools", "3")
        site.give_password(key.user, PASSWORD)
    site.start()
    mallory, victim = (User(key, site.url) for key in keys)
    for user in (mallory, victim):
        assert user.log_in().ok
    kept = _notebook(victim, image)
    assert victim.post("name", id=kept, notebookName=f"name-{MARK}").ok
    assert victim.post("actions/stop", notebookId=kept, saveEnv="true").ok
    until(lambda: _status(victim, kept) == "Terminated", within=60, what="the other user's notebook")
    own = _notebook(mallory, image)
    secret = (MARK, victim.key.access_key, victim.key.secret_key, *victim.tokens.values())
    return Village(
        site=site,
        mallory=mallory,
        victim=victim,
        planted=secret,
        known=_known(mallory, image, own=own, kept=kept),
        before=belongings(victim),
    )


def belongings(user: User) -> Any:
    """What a user has, as they see it; what changes by itself left out."""
    shown = [
        {name: value for name, value in record.items() if name not in {"freeNumber", "maxNumber", "enoughResource"}}
        for record in user.everything()
    ]
    return json.dumps(shown, sort_keys=True)


def judged(village: Village, call: Call, answer: Answer) -> None:
    """AssertionError where an answer of the dialect's is not as every answer must be."""
    where = f"{call.raw()[:3000]!r}\n{answer}"
    assert answer.status == 200, where
    assert answer.type.startswith("application/json"), where
    envelope = answer.json()
    assert set(envelope) == {"code", "msg", "data"}, where
    assert isinstance(envelope["code"], str), where
    assert CODE.fullmatch(envelope["code"]), where
    assert envelope["code"] != INTERNAL, where
    assert isinstance(envelope["msg"], str), where
    said = json.dumps(envelope, ensure_ascii=False)
    sent = call.raw()
    found = [text for text in village.planted if text in said and text.encode() not in sent]
    assert found == [], where


def _notebook(user: User, image: str) -> str:
    made = user.platform(
        "create",
        clusterId=user.key.site_id,
        imagePath=image,
        imageName="small",
        acceleratorType="dcu",
        acceleratorNumber=1,
    )
    assert made.ok, made
    until(lambda: _status(user, made.data["notebookId"]) == "Running", within=60, what="a notebook")
    return made.data["notebookId"]


def _status(user: User, notebook: str) -> str:
    return user.get("detail", notebookId=notebook).data["notebookStatus"]


def _known(user: User, image: str, *, own: str, kept: str) -> Known:
    ids = (own, kept, "1", str(int(own) + 1), int(own))
    home = f"{Path('/')}homes"
    return Known(
        tokens=(*user.tokens.values(), ""),
        by_name={
            "id": ids,
            "notebookId": ids,
            "clusterId": (user.key.site_id, "0", "11250"),
            "clusterIds": (user.key.site_id, "0"),
            "imagePath": (image, f"/nowhere/{MARK}", home),
            "acceleratorType": ("cpu", "dcu", "gpu"),
            "acceleratorNumber": ("1", 1, 9),
            "notebookStatus": ("Running", "Terminated", "Failed"),
            "page": ("1", 2),
            "size": ("10", 50),
            "saveEnv": ("true", "false", True),
            "startCommand": ("true", ": x"),
            "command": ("true", "echo x"),
            "customizePort": ("9", 70000),
            "user": (user.key.user,),
            "accessKey": (user.key.access_key,),
            "timestamp": ("1700000000",),
            "signature": ("0" * 64,),
        },
    )
