"""Several `trivium` commands typed in one process: most of the time of a command is the start of its interpreter.

`python -m tests.shell` reads a JSON array of command lines from standard input, and prints a JSON array of what each
printed as JSON. It exits as the first that fails.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout

from trivium.cli import main as trivium


def type_all(lines: list[list[str]]) -> list[object]:
    """What each of the commands prints; SystemExit with the status of the first that fails."""
    told: list[object] = []
    for line in lines:
        sys.argv[1:] = line
        with redirect_stdout(io.StringIO()) as printed:
            try:
                trivium()
            except SystemExit as ended:
                if ended.code:
                    raise
        told.append(json.loads(printed.getvalue()))
    return told


if __name__ == "__main__":
    print(json.dumps(type_all(json.load(sys.stdin))))
