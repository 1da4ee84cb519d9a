"""What the API listener counts, in plain numbers: `server/exposition.py` tells them in Prometheus's form.

Prometheus's own counters take a lock for each of a request's several changes, and take long to import.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import Final

from trivium.server.crowd import Crowding

BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Durations:
    """How long something took: the sum, and how many fell into each bucket, the last of which has no bound."""

    __slots__ = ("buckets", "sum")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def note(self, seconds: float) -> None:
        """Count one duration."""
        self.sum += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1


class Metrics:
    """Requests, which one thread counts, and waits for the store, which any may."""

    def __init__(self) -> None:
        self.crowding = Crowding()
        self.in_flight = 0  # requests that are being answered
        self.outcomes: dict[tuple[str, str, str], int] = {}  # requests answered, by dialect, operation and outcome
        self.durations: dict[tuple[str, str], Durations] = {}  # of requests, by dialect and operation
        self.waits: dict[str, Durations] = {}  # for the store, by use: read, search, write
        self._waits_lock = threading.Lock()

    def answered(self, dialect: str, operation: str, outcome: str, *, seconds: float) -> None:
        """Count one request that was answered."""
        counted = (dialect, operation, outcome)
        self.outcomes[counted] = self.outcomes.get(counted, 0) + 1
        timed = (dialect, operation)
        durations = self.durations.get(timed)
        if durations is None:
            durations = self.durations[timed] = Durations()
        durations.note(seconds)

    def store_waited(self, use: str, seconds: float) -> None:
        """Count one wait of a use of the store for its thread. Safe to call from any thread."""
        with self._waits_lock:
            self.waits.setdefault(use, Durations()).note(seconds)
