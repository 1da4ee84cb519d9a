"""Settings from all sources: the command line before variables before the file before defaults, and who said what."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from trivium.base.errors import Invalid
from trivium.base.values import Value
from trivium.server.settings import parsing, sources
from trivium.server.settings.sections import Secret, Settings
from trivium.server.settings.sources import Entry, Flags

DEFAULT: Final = "default"
PROXY_HOST: Final = re.compile(r"\{id\}[a-z0-9-]*(\.[a-z0-9-]+)+")


class SettingsRefused(Invalid):
    """Some settings are unknown or wrong; the message has one line for each."""

    code = "settings.refused"


class Loaded(Value, frozen=True):
    """Settings, and where each value came from."""

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None  # the configuration file that was read


def load(flags: Flags, environment: Mapping[str, str]) -> Loaded:
    """The settings that flags, environment and file give together. Raises `SettingsRefused` with all that is wrong."""
    problems: list[str] = []
    given = (*sources.of_flags(flags), *sources.of_environment(environment))
    file = _named_file(flags, environment)
    data = _data_of(given, () if file is None else tuple(_entries(file, problems)), environment)
    beside = data / sources.CONFIG_NAME
    # A file that is found through the data directory cannot say where that is.
    found_through_data = file is None and beside.is_file()
    if found_through_data:
        file = beside
    entries = () if file is None else tuple(_entries(file, problems))
    if found_through_data and any(entry.key == "server.data" for entry in entries):
        problems.append(f"server.data: {file} was found in the data directory {data}, so it cannot name another")
    chosen = _chosen((*given, *entries), problems)
    values = {key: value for entry in chosen.values() for key, value in _parsed(entry, problems)}
    values.setdefault("server.data", data)
    settings = _built(values)
    problems.extend(_senseless(settings))
    if problems:
        unique = dict.fromkeys(problems)
        raise SettingsRefused("settings", "\n".join(unique), problems="\n".join(f"  {line}" for line in unique))
    origins = {key: chosen[key].origin if key in chosen else DEFAULT for key in KEYS}
    return Loaded(settings=settings, origins=origins, file=file)


def _named_file(flags: Flags, environment: Mapping[str, str]) -> Path | None:
    named = flags.config or environment.get(sources.CONFIG_VARIABLE)
    return Path(named).expanduser().absolute() if named else None


def _data_of(given: tuple[Entry, ...], filed: tuple[Entry, ...], environment: Mapping[str, str]) -> Path:
    """The data directory, which must be known before the file in it can be read."""
    for entry in (*given, *filed):
        if entry.key == "server.data" and isinstance(entry.raw, str) and entry.raw:
            return parsing.path(entry.raw)
    return sources.default_data(environment)


def _entries(file: Path, problems: list[str]) -> Iterator[Entry]:
    try:
        yield from sources.of_file(file)
    except sources.Unreadable as error:
        problems.append(str(error))


def _chosen(entries: tuple[Entry, ...], problems: list[str]) -> dict[str, Entry]:
    """For each key the entry of the strongest source; unknown keys are problems."""
    chosen: dict[str, Entry] = {}
    for entry in entries:
        if entry.key not in KEYS:
            near = difflib.get_close_matches(entry.key, KEYS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(f"{entry.key}: unknown setting (from {entry.origin}){hint}")
        else:
            chosen.setdefault(entry.key, entry)
    return chosen


def _parsed(entry: Entry, problems: list[str]) -> Iterator[tuple[str, object]]:
    try:
        yield entry.key, parsing.parse(entry.raw, KEYS[entry.key], typed=entry.typed)
    except ValueError as error:
        secret = Secret in get_args(KEYS[entry.key])
        value = "" if secret else f", not {entry.raw!r}"
        problems.append(f"{entry.key}: {error}{value} (from {entry.origin})")


def _built(values: Mapping[str, object]) -> Settings:
    sections: dict[str, Any] = {}
    for section in msgspec.structs.fields(Settings):
        inside = {
            field.name: values[f"{section.name}.{field.name}"]
            for field in msgspec.structs.fields(section.type)
            if f"{section.name}.{field.name}" in values
        }
        sections[section.name] = section.type(**inside)
    return Settings(**sections)


def _senseless(settings: Settings) -> Iterator[str]:
    """What is wrong with values that are each well-formed."""
    if settings.server.port == settings.server.proxy_port != 0:
        yield "server.proxy_port: must be another port than server.port, for notebooks are another origin"
    for key, url in (
        ("server.public_url", settings.server.public_url),
        ("proxy.public_url", settings.proxy.public_url),
    ):
        if url is not None and not url.startswith(("http://", "https://")):
            yield f"{key}: expected a URL that begins with http:// or https://, not {url!r}"
    if settings.proxy.host and not PROXY_HOST.fullmatch(settings.proxy.host):
        yield f"proxy.host: expected {{id}} and a domain, like {{id}}.nb.example, not {settings.proxy.host!r}"
    if not settings.site.name or not settings.site.name.isprintable():
        yield "site.name: expected a name"
    if not _is_zone(settings.site.timezone):
        yield f"site.timezone: expected a name like Asia/Shanghai or UTC, not {settings.site.timezone!r}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _keys() -> dict[str, Any]:
    """Every setting with its type."""
    return {
        f"{section.name}.{field.name}": field.type
        for section in msgspec.structs.fields(Settings)
        for field in msgspec.structs.fields(section.type)
    }


KEYS: Final = _keys()
