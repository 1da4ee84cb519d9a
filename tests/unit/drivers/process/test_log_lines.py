"""Which line of a log tells why its notebook ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from trivium.drivers.runtimes.process.keeper.launches.log_lines import LONGEST, error_line, last_line

SKIPPED = "[I 2026-12-01 00:46:14.123 ServerApp] Skipped non-installed server(s): bash-language-server, pyright"
TRACEBACK = """Traceback (most recent call last):
  File "lab.py", line 1, in <module>
    import missing
ModuleNotFoundError: No module named 'missing'
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        pytest.param(f"{SKIPPED}\n{TRACEBACK}", "ModuleNotFoundError: No module named 'missing'", id="a traceback"),
        pytest.param(f"{TRACEBACK}{SKIPPED}\n\n", "ModuleNotFoundError: No module named 'missing'", id="chatter after"),
        pytest.param(f"[C 2026 ServerApp] No room\n{SKIPPED}", "[C 2026 ServerApp] No room", id="Jupyter's error"),
        pytest.param("one\ntwo\n", "two", id="a program's own last word"),
        pytest.param(f"{TRACEBACK}Killed", "Killed", id="what came after a traceback"),
        pytest.param(f"{SKIPPED}\n[W 2026 ServerApp] Old", "", id="nothing but chatter"),
        pytest.param("x" * 1000, "x" * LONGEST, id="a long line"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_line_that_tells_an_error_is_found(tmp_path: Path, log: str, told: str) -> None:
    file = tmp_path / "1.log"
    file.write_text(log)
    assert error_line(str(file)) == told


def test_without_an_error_the_last_line_is_better_than_none_where_it_exited(tmp_path: Path) -> None:
    file = tmp_path / "1.log"
    file.write_text(f"[I 2026 ServerApp] Begun\n{SKIPPED}\n")
    assert last_line(str(file)) == SKIPPED
    assert (last_line(str(tmp_path / "none")), error_line(str(tmp_path / "none"))) == ("", "")
