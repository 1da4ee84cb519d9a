"""The line of a notebook's log that says why it ended."""

from __future__ import annotations

import os
import re

TAIL = 16384  # bytes at the end of a log that are looked through
LONGEST = 300  # characters
CHATTER = re.compile(r"\[[DIW] ")  # as Jupyter begins what is no error: [I 2026-12-01 00:46:14.123 ServerApp] …


def error_line(log: str) -> str:
    """The last line that may tell an error, such as that of a traceback; empty when there is none."""
    return next((line for line in _from_the_end(log) if not CHATTER.match(line)), "")


def last_line(log: str) -> str:
    """The same, or the very last line that says something; empty when there is none."""
    return error_line(log) or next(iter(_from_the_end(log)), "")


def _from_the_end(log: str) -> list[str]:
    try:
        with open(log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - TAIL, 0))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    except OSError:
        return []
    return [line[:LONGEST] for line in reversed(lines) if line]
