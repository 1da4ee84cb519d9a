"""Where settings come from: flags, environment variables and a TOML file, each as entries of one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

import msgspec

from trivium.base.values import Value

PREFIX: Final = "TRIVIUM_"
SEPARATOR: Final = "__"
CONFIG_VARIABLE: Final = "TRIVIUM_CONFIG"
CONFIG_NAME: Final = "trivium.toml"


class Entry(Value, frozen=True):
    """One value that a source gives."""

    key: str  # section.name
    raw: object
    origin: str  # where it was found, as people read it
    typed: bool = False  # whether the source tells numbers and truth from text


class Flags(Value, frozen=True):
    """What the command line says; None for what it does not."""

    host: str | None = None
    port: int | None = None
    proxy_port: int | None = None
    data: str | None = None
    database: str | None = None
    config: str | None = None


FLAGS: Final = {
    "host": "server.host",
    "port": "server.port",
    "proxy_port": "server.proxy_port",
    "data": "server.data",
    "database": "database.url",
}


class Unreadable(ValueError):
    """A configuration file that cannot be read, with a sentence that says why."""


def of_flags(flags: Flags) -> Iterator[Entry]:
    """The entries of the command line."""
    for name, key in FLAGS.items():
        raw = getattr(flags, name)
        if raw is not None:
            yield Entry(key=key, raw=raw, origin=f"--{name.replace('_', '-')}")


def of_environment(environment: Mapping[str, str]) -> Iterator[Entry]:
    """The entries of variables named TRIVIUM_SECTION__KEY."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and SEPARATOR in name:
            section, _, key = name.removeprefix(PREFIX).partition(SEPARATOR)
            yield Entry(key=f"{section}.{key}".lower(), raw=environment[name], origin=name)


def of_file(path: Path) -> Iterator[Entry]:
    """The entries of a TOML file with one table for each section. Raises `Unreadable`."""
    try:
        tables = msgspec.toml.decode(path.read_bytes(), type=dict[str, object])
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise Unreadable(message) from error
    except msgspec.DecodeError as error:
        message = f"{path}: {error}"
        raise Unreadable(message) from error
    for section, table in tables.items():
        if not isinstance(table, dict):
            yield Entry(key=section, raw=table, origin=str(path), typed=True)
            continue
        for name, raw in cast("dict[str, object]", table).items():
            yield Entry(key=f"{section}.{name}", raw=raw, origin=str(path), typed=True)


def default_data(environment: Mapping[str, str]) -> Path:
    """The data directory where none is named: `trivium` in the user's data home (XDG)."""
    home = environment.get("XDG_DATA_HOME", "")
    # A relative path there is to be ignored, says the XDG specification.
    base = Path(home) if home and Path(home).is_absolute() else Path("~/.local/share").expanduser()
    return base / "trivium"
