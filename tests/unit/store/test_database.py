"""Which databases are taken, and how they are opened."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from trivium.store import StoreUnavailable
from trivium.store.database import check_postgresql

OPENERS = 3
ROUNDS = 100
OPEN = f"""
import sys, time
from trivium.store.database import engine_for
print("ready", flush=True)
moment = float(sys.stdin.readline())
for number in range({ROUNDS}):
    moment += 0.01
    while time.monotonic() < moment:
        pass
    with engine_for(f"sqlite:///{{sys.argv[1]}}/{{number}}.db").connect() as connection:
        print(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
"""


def test_postgresql_15_in_utf8_is_taken() -> None:
    check_postgresql(150_000, "UTF8")
    check_postgresql(180_001, "UTF8")


@pytest.mark.parametrize(
    ("version", "encoding", "said"),
    [(140_012, "UTF8", "this is 14.12"), (150_018, "SQL_ASCII", "SQL_ASCII"), (150_018, "", "unknown")],
)
def test_what_is_too_old_or_cannot_hold_every_script_is_refused(version: int, encoding: str, said: str) -> None:
    with pytest.raises(StoreUnavailable, match=said):
        check_postgresql(version, encoding)


def test_several_processes_may_open_a_new_sqlite_database_at_the_same_moment(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(OPENERS)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write(f"{time.monotonic() + 0.1}\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0] for process in started]
    assert answers == ["wal\n" * ROUNDS] * OPENERS
