"""What a check of this machine finds: a state, and a remedy where it falls short."""

from __future__ import annotations

from enum import StrEnum

from trivium.base.values import Value


class State(StrEnum):
    """How good a finding is."""

    OK = "ok"
    LACKING = "lacking"  # Trivium runs, with less than it could
    BLOCKING = "blocking"  # Trivium does not run, or will soon not


class Finding(Value, frozen=True):
    """One thing that was looked at."""

    topic: str
    state: State
    found: str
    remedy: str = ""


def ok(topic: str, found: str) -> Finding:
    """All is well."""
    return Finding(topic=topic, state=State.OK, found=found)


def lacking(topic: str, found: str, remedy: str) -> Finding:
    """It could be better, and how."""
    return Finding(topic=topic, state=State.LACKING, found=found, remedy=remedy)


def blocking(topic: str, found: str, remedy: str) -> Finding:
    """It must be better, and how."""
    return Finding(topic=topic, state=State.BLOCKING, found=found, remedy=remedy)
