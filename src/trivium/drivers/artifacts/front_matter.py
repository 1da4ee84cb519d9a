"""The front matter of a model card: the flat keys of the YAML between two lines `---` at the top of a README.

What is read is `key: value`, `key: [a, b]` and `key:` with `- value` lines below, with plain and quoted scalars.
Whatever is nested deeper, spread over lines, or an anchor, a tag or an alias, is passed over: nobody looks for it
here. A key that stands twice is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trivium.drivers.artifacts import limits
from trivium.resources.models import ArtifactRefused, Fault

FENCE: Final = re.compile(rb"---[ \t]*\r?\n")
KEY: Final = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*))?$")
ITEM: Final = re.compile(r"[ \t]*-[ \t]+(.*)$")
QUOTED: Final = re.compile(r""""((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'""")
PART: Final = re.compile(r"""(?:"(?:[^"\\]++|\\.)*+"?|'[^']*+'?|[^,'"]++)++""")  # an open quote reaches to the end
COMMENT: Final = re.compile(r"(?:^|[ \t])#.*$")
SPECIAL: Final = ("&", "*", "!", "|", ">", "{", "%", "@", "`")
NOTHING: Final = ("", "~", "null", "Null", "NULL")


def parse(raw: bytes, name: str) -> dict[str, tuple[str, ...]]:
    """The values of each key, from the beginning of a README; none where it has no front matter."""
    start = FENCE.match(raw.removeprefix(b"\xef\xbb\xbf"))
    if start is None:
        return {}
    body = raw.removeprefix(b"\xef\xbb\xbf")[start.end() :]
    end = re.search(rb"^(?:---|\.\.\.)[ \t]*\r?$", body, re.MULTILINE)
    if end is None:
        if len(raw) >= limits.FRONT_MATTER:
            raise ArtifactRefused(Fault.TOO_LARGE, name, what="front matter", size=len(raw), limit=limits.FRONT_MATTER)
        return {}  # a rule across the page, not the beginning of front matter
    try:
        text = body[: end.start()].decode()
    except UnicodeDecodeError as error:
        raise ArtifactRefused(Fault.MALFORMED, name, form="front matter", position=error.start) from error
    return _pairs(text, name)


def _pairs(text: str, name: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in text.splitlines():
        if (start := KEY.match(line)) is not None:
            key = start[1]
            if key in found:
                raise ArtifactRefused(Fault.DUPLICATE, name, key=key[:200])
            last = found[key] = list(_values(start[2] or ""))
        elif last is not None and (item := ITEM.match(line)) is not None and not KEY.match(item[1]):
            last.extend(_scalars(item[1]))
    return {key: tuple(values) for key, values in found.items() if values}


def _values(text: str) -> Iterator[str]:
    text = text.strip()
    if not text.startswith("["):
        yield from _scalars(text)
        return
    inner = COMMENT.sub("", text).strip()
    if inner.endswith("]"):
        for part in PART.findall(inner[1:-1]):
            yield from _scalars(part)


def _scalars(text: str) -> Iterator[str]:
    """One value, or none where it is empty or of a kind that is not read."""
    text = text.strip()
    if (quoted := QUOTED.match(text)) is not None:
        double, single = quoted.groups()
        value = re.sub(r"\\(.)", r"\1", double) if double is not None else single.replace("''", "'")
        yield value[: limits.TEXT]
        return
    text = COMMENT.sub("", text).strip()
    if text not in NOTHING and not text.startswith(SPECIAL):
        yield text[: limits.TEXT]
