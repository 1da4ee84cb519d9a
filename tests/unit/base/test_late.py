"""What is made when it is first used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from trivium.base.late import late

THREADS = 8


class Made:
    """Counts how many of it there are."""

    number = 0

    def __init__(self) -> None:
        Made.number += 1
        self.name = f"number {Made.number}"


def test_it_is_made_when_something_of_it_is_first_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Made, "number", 0)
    one = late(Made)
    assert Made.number == 0
    assert one.name == "number 1"
    assert one.name == "number 1"
    with pytest.raises(AttributeError, match="color"):
        _ = one.color  # pyright: ignore[reportAttributeAccessIssue]


def test_threads_that_ask_at_once_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Made, "number", 0)
    one = late(Made)
    together = Barrier(THREADS)

    def name() -> str:
        together.wait()
        return one.name

    with ThreadPoolExecutor(THREADS) as threads:
        assert {future.result() for future in [threads.submit(name) for _ in range(THREADS)]} == {"number 1"}


def test_one_that_could_not_be_made_is_tried_again() -> None:
    tries = iter((OSError("not yet"), None))

    def make() -> Made:
        if (error := next(tries)) is not None:
            raise error
        return Made()

    one = late(make)
    with pytest.raises(OSError, match="not yet"):
        _ = one.name
    assert one.name
