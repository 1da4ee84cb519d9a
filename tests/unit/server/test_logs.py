from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from tests.listening import logs_in
from tests.memory import blocks
from trivium.server import logs


class Written(io.BytesIO):
    """What was logged."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[Written]:
    """JSON from level info on; the logging of the run is put back in the end."""
    out = Written()
    with logs_in(out):
        yield out


def test_a_line_is_an_object_with_its_time_and_level(written: Written) -> None:
    structlog.get_logger().info("began", notebook=7)
    (line,) = written.lines
    assert (line["event"], line["notebook"], line["level"]) == ("began", 7, "info")
    assert line["timestamp"].endswith("Z")


def test_lines_below_the_level_are_dropped_from_us_and_from_libraries(written: Written) -> None:
    structlog.get_logger().debug("too fine")
    logging.getLogger("some.library").debug("too fine")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert written.lines == []


def test_libraries_and_warnings_write_the_same_lines(written: Written) -> None:
    logging.getLogger("some.library").warning("it is %s", "late")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second = written.lines
    assert (first["event"], first["logger"], first["level"]) == ("it is late", "some.library", "warning")
    assert "DeprecationWarning: old" in second["event"]


def test_a_failure_is_told_with_its_traceback_and_without_its_variables(written: Written) -> None:
    def failing() -> None:
        password = "hush"
        raise ValueError(len(password))

    try:
        failing()
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("some.library").exception("failed too")
    for line in written.lines:
        assert "ValueError: 4" in line["exception"]
        assert "hush'" not in line["exception"]


@pytest.mark.parametrize("value", ["a\ud800b", b"\xff", {1: 2}, {(1, 2): 3}, object(), 1 << 200, float("nan")])
def test_anything_can_be_logged(written: Written, value: object) -> None:
    structlog.get_logger().info("said", value=value)
    assert written.lines[0]["event"] == "said"


def test_a_line_break_in_a_value_does_not_begin_a_line(written: Written) -> None:
    structlog.get_logger().info('a\nb {"event": "forged"}', path="/x\r\ny")
    assert len(written.getvalue().splitlines()) == 1


def test_a_full_disk_and_a_closed_reader_lose_the_line_and_no_more() -> None:
    code = (
        "from trivium.server import logs; import structlog; logs.set_up(); structlog.get_logger().info('x'); print(1)"
    )
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, check=False)
    assert done.stdout == b"1\n"


def test_lines_about_requests_leave_nothing_in_memory(written: Written) -> None:
    write = logs.request_log()
    assert write is not None
    one = logs.ProxyLine(
        method="GET", path="/", status=200, notebook=None, ms=1.0, received=0, sent=0, timestamp=datetime.now(UTC)
    )
    for size in (1, 3):  # the API's lines come one by one, the proxy's as they were gathered
        write(*[one] * size)
        before = blocks()
        for _ in range(1000):
            write(*[one] * size)
        assert blocks() - before < 100
    assert len(written.lines) == 4 * 1001


def test_on_a_console_lines_are_for_people() -> None:
    code = (
        "import structlog, io; from trivium.server import logs; out = io.BytesIO()\n"
        "logs.set_up('info', logs.Form.CONSOLE, out); structlog.get_logger().info('began', notebook=7)\n"
        "print(out.getvalue().decode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "began" in done.stdout
    assert not done.stdout.startswith("{")


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="loud is no level"):
        logs.set_up("loud")
