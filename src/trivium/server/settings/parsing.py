"""How the values of settings are written: durations, sizes, accelerators, directories, and the way back to text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Final, cast, get_args

import msgspec

from trivium.base.units import GIB, KIB, MIB
from trivium.server.settings.sections import Declared, Secret, Size

DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
UNITS: Final = {
    "": 1,
    "b": 1,
    "k": KIB,
    "kb": KIB,
    "kib": KIB,
    "m": MIB,
    "mb": MIB,
    "mib": MIB,
    "g": GIB,
    "gb": GIB,
    "gib": GIB,
    "t": 1024 * GIB,
    "tb": 1024 * GIB,
    "tib": 1024 * GIB,
}
KINDS: Final = ("gpu", "dcu", "npu", "mlu")
ACCELERATOR: Final = re.compile(r"([a-z]+):(\d+)")
NOTHING: Final = ("", "never", "none")
WORDS: Final = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def parse(raw: object, wanted: object, *, typed: bool) -> object:
    """The value of type `wanted` that `raw` stands for.

    A `typed` source, like a TOML file, writes numbers and truth as such; flags and variables write all as text. Raises
    `ValueError` with a sentence that says what is expected.
    """
    choices = get_args(wanted)
    if NoneType in choices:
        if isinstance(raw, str) and raw.strip().lower() in NOTHING:
            return None
        wanted = next(choice for choice in choices if choice is not NoneType)
    if wanted is bool and typed and isinstance(raw, str):
        message = "expected true or false without quotes"
        raise ValueError(message)
    parser = PARSERS.get(wanted)
    if parser is not None:
        return parser(raw)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return choice(raw, wanted)
    try:
        return msgspec.convert(raw, cast("type[object]", wanted), strict=typed)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def duration(raw: object) -> timedelta:
    """30d, 12h, 90m, 45s, or several together in that order: 1d12h."""
    match = DURATION.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None or not match[0]:
        message = "expected a duration like 30d, 12h, 15m, 45s or 1d12h"
        raise ValueError(message)
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def size(raw: object) -> Size:
    """Bytes, of a number or of text with a unit (powers of 1024)."""
    match = SIZE.fullmatch(str(raw).strip()) if isinstance(raw, int | str) and not isinstance(raw, bool) else None
    factor = None if match is None else UNITS.get(match[2].lower())
    if match is None or factor is None:
        message = "expected a size like 1048576, 512MiB or 64GiB"
        raise ValueError(message)
    return Size(int(float(match[1]) * factor))


def accelerators(raw: object) -> tuple[Declared, ...]:
    """What `dcu:8` or `gpu:2,npu:4` declares."""
    if not isinstance(raw, str):
        message = "expected text like dcu:8"
        raise ValueError(message)
    parts = [part.strip().lower() for part in raw.split(",") if part.strip()]
    found = [ACCELERATOR.fullmatch(part) for part in parts]
    declared = tuple(Declared(kind=match[1], count=int(match[2])) for match in found if match and match[1] in KINDS)
    if len(declared) != len(parts) or len({one.kind for one in declared}) != len(parts):
        message = f"expected kind:count, like dcu:8 or gpu:2,npu:4, each kind once; kinds are {', '.join(KINDS)}"
        raise ValueError(message)
    return declared


def choice(raw: object, wanted: type[Enum]) -> Enum:
    """One of the words of an enum."""
    words = {str(member.value): member for member in wanted}
    member = words.get(raw.strip().lower()) if isinstance(raw, str) else None
    if member is None:
        message = f"expected {' or '.join(words)}"
        raise ValueError(message)
    return member


def truth(raw: object) -> bool:
    """True or false, also as text."""
    value = WORDS.get(raw.strip().lower()) if isinstance(raw, str) else raw
    if not isinstance(value, bool):
        message = "expected true or false"
        raise ValueError(message)
    return value


def text(raw: object) -> str:
    """Text that is not empty."""
    if not isinstance(raw, str) or not raw:
        message = "expected text"
        raise ValueError(message)
    return raw


def path(raw: object) -> Path:
    """An absolute path; ~ is the home directory."""
    if not isinstance(raw, str) or not raw:
        message = "expected a path"
        raise ValueError(message)
    return Path(raw).expanduser().absolute()


def directories(raw: object) -> tuple[Path, ...]:
    """Absolute directories with colons between, each once; ~ is the home directory. An empty text has none."""
    if raw == "":
        return ()
    found = [Path(part).expanduser() for part in raw.split(":") if part.strip()] if isinstance(raw, str) else []
    if not found or any(not one.is_absolute() or ".." in one.parts for one in found):
        message = "expected absolute directories with colons between, like /data/models:/mnt/models, and none with .."
        raise ValueError(message)
    return tuple(dict.fromkeys(found))


def shown(value: object) -> str | int | float | bool | None:
    """A value as it would be written, for `trivium config show`."""
    if isinstance(value, timedelta):
        return _shown_duration(value)
    if isinstance(value, tuple):
        return _shown_list(cast("tuple[Declared | Path, ...]", value))
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return str(value.value)
    return cast("str | int | float | bool | None", value)


PARSERS: Final[Mapping[object, Callable[[object], object]]] = {
    timedelta: duration,
    Size: size,
    Path: path,
    bool: truth,
    tuple[Declared, ...]: accelerators,
    tuple[Path, ...]: directories,
    Secret: text,
}


def _shown_list(values: tuple[Declared | Path, ...]) -> str:
    paths = [str(one) for one in values if isinstance(one, Path)]
    return ":".join(paths) or ",".join(f"{one.kind}:{one.count}" for one in values if isinstance(one, Declared))


def _shown_duration(value: timedelta) -> str:
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    exact = seconds + value.microseconds / 1_000_000
    parts = ((value.days, "d"), (hours, "h"), (minutes, "m"), (exact, "s"))
    return "".join(f"{count:g}{unit}" for count, unit in parts if count) or "0s"
