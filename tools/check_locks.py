"""Whether the locks are what `make run` relies on: exact versions with hashes, and no word of where they come from.

It also sees that no requirement was added to pyproject.toml without being locked. Says what is wrong and exits 1.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRY = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?P<marker> ; .+)?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")
EXTRAS = ("notebook", "nvidia", "postgresql")
GROUPS = {"run": "build", "test": "test"}


def main() -> int:
    """0 when nothing is wrong."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = [line for lock in GROUPS for line in wrong_in(lock, project)]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


def wrong_in(lock: str, project: dict[str, object]) -> Iterator[str]:
    """A sentence for each thing that is wrong in a lock."""
    path = ROOT / "requirements" / f"{lock}.txt"
    text = path.read_text(encoding="utf-8")
    where = f"requirements/{lock}.txt"
    locked: set[str] = set()
    for entry in _entries(text):
        head, *hashes = (part.strip() for part in entry.split("\\\n"))
        match = ENTRY.match(head)
        if match is None:
            yield f"{where}: `{head}` is not an exact version of a named package"
            continue
        locked.add(match["name"])
        if not hashes or not all(HASH.match(line) for line in hashes):
            yield f"{where}: {match['name']} has no hashes, or others than SHA-256"
    if "://" in text or " @ " in text:
        yield f"{where}: names an address"
    for name in sorted(set(_asked(project, GROUPS[lock])) - locked):
        yield f"{where}: {name} is asked for in pyproject.toml and not locked; run `make lock`"


def _entries(text: str) -> Iterator[str]:
    """Each requirement or option with the lines that continue it, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))
    return (entry for entry in re.split(r"(?<!\\)\n", lines) if entry)


def _asked(project: dict, group: str) -> Iterator[str]:
    yield from map(_name, project["project"]["dependencies"])
    for extra in EXTRAS:
        yield from map(_name, project["project"]["optional-dependencies"][extra])
    yield from _of_group(project["dependency-groups"], group)


def _of_group(groups: dict, name: str) -> Iterator[str]:
    for item in groups[name]:
        if isinstance(item, str):
            yield _name(item)
        else:
            yield from _of_group(groups, item["include-group"])


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else requirement


if __name__ == "__main__":
    raise SystemExit(main())
