"""What /proc shows that a process was started as."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from trivium.drivers.runtimes.process.keeper.launches.members import MARK

ROOM = 4096
PROGRAM = """
import json, os, subprocess, sys
from trivium.drivers.runtimes.process.keeper.system import linux
from trivium.drivers.runtimes.process.keeper.warm import interpreter, started_as
interpreter.set_environment({"OWN": "1"})
for told in json.load(sys.stdin):
    if told["kernel"] == "refuses":
        linux.move_arguments = lambda *_: False
    started_as.show(told["argv"], told["environment"])
shown = [open(f"/proc/self/{name}", "rb").read().decode().split("\\0")[:-1] for name in ("cmdline", "environ")]
inherited = subprocess.run(["env", "-0"], capture_output=True).stdout.decode().split("\\0")[:-1]
print(json.dumps([*shown, inherited == ["OWN=1"]]))
"""


def shown_after(*told: dict[str, Any]) -> tuple[list[str], list[str], bool]:
    """The words and variables that /proc shows of a process that was told these; whether what it starts has its own."""
    argv = [sys.executable, "-c", PROGRAM.ljust(2 * ROOM)]
    environment = {"PATH": os.defpath, MARK: "0" * 4}
    done = subprocess.run(argv, env=environment, input=json.dumps(told).encode(), check=True, capture_output=True)
    return json.loads(done.stdout)


def told(*argv: str, kernel: str = "", **environment: str) -> dict[str, Any]:
    return {"argv": argv, "environment": environment, "kernel": kernel}


def test_words_and_variables_are_shown_apart() -> None:
    words, variables, is_same = shown_after(told("python", "-m", "some thing", "", HOME="/h", NAME="ä"))
    assert words == ["python", "-m", "some thing", ""]
    assert variables == ["HOME=/h", "NAME=ä"]
    assert is_same


def test_what_was_shown_before_takes_no_room() -> None:
    words, variables, _ = shown_after(told("short"), told("long", "x" * ROOM, A="1"))
    assert words == ["long", "x" * ROOM]
    assert variables == ["A=1"]


def test_of_an_environment_that_finds_no_room_the_mark_is_shown() -> None:
    words, variables, _ = shown_after(told("python", A="a" * ROOM, B="b" * 2 * ROOM, **{MARK: "m"}))
    assert words == ["python"]
    assert variables == [f"{MARK}=m", f"A={'a' * ROOM}"]


def test_a_kernel_that_cannot_be_told_shows_one_word_and_the_mark() -> None:
    words, variables, _ = shown_after(told("python", "-m", "thing", kernel="refuses", HOME="/h", **{MARK: "beef"}))
    assert words == ["python -m thing"]
    assert variables == [f"PATH={os.defpath}", f"{MARK}=beef"]
