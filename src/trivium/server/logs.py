"""Logs: structured lines on standard error, for people where that is a terminal and as JSON elsewhere."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, ClassVar, Final, Protocol

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

EVERYWHERE: Final = frozenset({"event", "level", "timestamp"})
"""What every line has."""

QUIET: Final = {"uvicorn.error": logging.ERROR, "asyncio": logging.WARNING, "alembic": logging.WARNING}


class Form(StrEnum):
    """How lines look."""

    AUTO = "auto"  # console on a terminal, JSON elsewhere
    CONSOLE = "console"
    JSON = "json"


class Lines:
    """Writes lines; a line that cannot be written is lost, and nothing else. The disk may be full, the reader gone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def msg(self, message: str) -> None:
        """Write one line. Safe to call from any thread."""
        self.write(message.encode("utf-8", "backslashreplace") + b"\n")

    def write(self, lines: bytes) -> None:
        """Write whole lines, one after the other. Safe to call from any thread."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._file.write(lines)
            self._file.flush()

    log = debug = info = warn = warning = error = err = fatal = critical = failure = exception = msg


def set_up(level: str = "info", form: Form = Form.AUTO, file: BinaryIO | None = None) -> None:
    """Send all logs of this process, those of libraries included, to `file` (standard error) from that level on.

    Raises ValueError for a level that is none.
    """
    out = file or sys.stderr.buffer
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"{level} is no level of logs: debug, info, warning, error or critical")
    lines = Lines(out)
    as_text = form is Form.CONSOLE or (form is Form.AUTO and out.isatty())
    structlog.configure(
        processors=[*_shared(), *_rendering(as_text=as_text)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_arguments: lines,
        cache_logger_on_first_use=False,
    )
    _route_library_logs(number, lines, as_text=as_text)


class Line(Protocol):
    """A struct of msgspec; its fields are logged in their order."""

    __struct_fields__: ClassVar[tuple[str, ...]]

    @property
    def event(self) -> str:
        """What happened."""
        ...


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged of an answered request, in this order."""

    request: str
    dialect: str
    operation: str
    method: str
    status: int
    outcome: str
    ms: float
    caller: str
    event: str = "request"
    level: str = "info"
    timestamp: datetime


class ProxyLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged of a request to the proxy, in this order."""

    method: str
    path: str
    status: int  # 0: the client was gone before the answer
    notebook: str | None
    ms: float
    received: int  # bytes of the body
    sent: int
    event: str = "proxy.request"
    level: str = "info"
    timestamp: datetime


def request_log() -> Callable[..., None] | None:
    """A function that writes each `Line` it is given at level info, as logs are set up now; None if that level is off.

    JSON is written without structlog, which takes as long for a line as the server for a short answer.
    """
    log: Any = structlog.get_logger().bind()
    config = structlog.get_config()
    lines = config["logger_factory"]()
    if not log.is_enabled_for(logging.INFO):
        return None
    if config["processors"][-1] is not _as_json or not isinstance(lines, Lines):

        def write(*requests: Line) -> None:
            for line in requests:
                log.info(line.event, **_details(line))

        return write
    encode = msgspec.json.Encoder().encode_lines
    # As a list: of anything else msgspec 0.22 makes an iterator that it never lets go of, 48 bytes a call.
    return lambda *requests: lines.write(encode([*requests]))


def _details(line: Line) -> dict[str, object]:
    return {name: getattr(line, name) for name in line.__struct_fields__ if name not in EVERYWHERE}


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _rendering(*, as_text: bool) -> list[Processor]:
    """What makes a line of an event. Tracebacks come without local variables, for those hold secrets."""
    if as_text:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, _as_json]


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=repr).decode()
    except (ValueError, TypeError):  # text with lone surrogates, keys that are no text
        return json.dumps(event, default=repr, skipkeys=True)


def _route_library_logs(level: int, lines: Lines, *, as_text: bool) -> None:
    """Let the standard library's loggers write the same lines."""
    handler = _Handler(lines)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(as_text=as_text)],
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(max(level, quiet))
    logging.captureWarnings(capture=True)


class _Handler(logging.Handler):
    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.msg(self.format(record))
