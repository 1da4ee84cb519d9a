"""Files as answers: whole, a part of one, or none where the client has it already (RFC 9110, 13 and 14).

Of several ranges that are asked for at once the whole file is sent, as clients must expect of any server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from trivium.base.errors import Invalid, WrongState
from trivium.dialects.operation import Reply, Request, Slice
from trivium.resources.samples.ports import SampleFile

RANGE: Final = re.compile(r"bytes=[ \t]*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)
TAG: Final = re.compile(r'(?:W/)?"[^"]*"')
SHOWN: Final = re.compile(r"[^A-Za-z0-9._ -]")
SAFE: Final = "!#$&+-.^_`|~"  # what RFC 8187 lets stand as it is, beside letters and digits

Headers = tuple[tuple[str, str], ...]

GUARDS: Final[Headers] = (
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "sandbox; default-src 'none'"),
)
"""What keeps a browser from taking a file for anything that acts, whatever is in it."""


class RangeOutside(Invalid):
    """The range that is asked for begins behind the end of the file."""

    code = "range.outside"

    def __init__(self, size: int) -> None:
        super().__init__("Range", f"begins behind the end of a file of {size} bytes", size=size)

    @property
    def headers(self) -> Headers:
        """What the answer says of it."""
        return (("content-range", f"bytes */{self.details.get('size', 0)}"),)


class FileChanged(WrongState):
    """The file is not the one any more that the request is about."""

    code = "file.changed"


def download(request: Request, file: SampleFile, content_type: str, *, headers: Headers = ()) -> Reply:
    """The answer that sends a file, or what is asked for of it. `RangeOutside`, `FileChanged`.

    The file is closed when nothing of it is sent, also where this raises.
    """
    try:
        reply = _reply(request, file, content_type, headers=headers)
    except BaseException:
        file.close()
        raise
    if reply.slice is None:
        file.close()
    return reply


def disposition(kind: str, name: str) -> tuple[str, str]:
    """The header that says whether a file is to be shown (`inline`) or kept (`attachment`), and its name (RFC 6266)."""
    plain = SHOWN.sub("_", name)
    return "content-disposition", f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=SAFE)}"


def _reply(request: Request, file: SampleFile, content_type: str, *, headers: Headers) -> Reply:
    tag, modified = f'"{file.tag}"', file.modified.replace(microsecond=0)
    asked = request.headers
    own = (("etag", tag), ("last-modified", format_datetime(modified, usegmt=True)), ("accept-ranges", "bytes"))
    _check_same(asked, tag, modified)
    if _has_it(asked, tag, modified):
        return Reply(status=304, body=b"", headers=(*own, *headers), content_type="")
    found = _range(asked, file.size, tag, modified=modified) if request.method == "GET" else None
    if found is None:
        whole = Slice(content=file, start=0, length=file.size)
        return Reply(status=200, body=b"", headers=(*own, *headers), content_type=content_type, slice=whole)
    start, end = found
    said = ("content-range", f"bytes {start}-{end - 1}/{file.size}")
    some = Slice(content=file, start=start, length=end - start)
    return Reply(status=206, body=b"", headers=(*own, said, *headers), content_type=content_type, slice=some)


def _check_same(asked: Mapping[str, str], tag: str, modified: datetime) -> None:
    if "if-match" in asked:
        if not _names(asked["if-match"], tag):
            raise FileChanged
    elif (since := _date(asked.get("if-unmodified-since"))) is not None and modified > since:
        raise FileChanged


def _has_it(asked: Mapping[str, str], tag: str, modified: datetime) -> bool:
    if "if-none-match" in asked:
        return _names(asked["if-none-match"], tag)
    since = _date(asked.get("if-modified-since"))
    return since is not None and modified <= since


def _range(asked: Mapping[str, str], size: int, tag: str, *, modified: datetime) -> tuple[int, int] | None:
    """Where the part that is asked for begins and ends; None where all of the file is to be sent."""
    found = RANGE.fullmatch(asked.get("range", "").strip())
    if found is None or not (found["first"] or found["last"]):
        return None
    condition = asked.get("if-range", "").strip()
    if condition and condition != tag and _date(condition) != modified:
        return None
    if not found["first"]:
        count = int(found["last"])
        if count == 0:
            raise RangeOutside(size)
        return (max(size - count, 0), size) if size else None
    first = int(found["first"])
    last = int(found["last"]) if found["last"] else size - 1
    if found["last"] and last < first:
        return None  # such a range is none
    if first >= size:
        raise RangeOutside(size)
    return first, min(last, size - 1) + 1


def _names(said: str, tag: str) -> bool:
    """Whether a list of tags has this one, or any."""
    return said.strip() == "*" or tag in (one.removeprefix("W/") for one in TAG.findall(said))


def _date(said: str | None) -> datetime | None:
    """A date of HTTP; None for what is none, which counts as if it was not said."""
    try:
        found = parsedate_to_datetime(said or "")
    except (ValueError, OverflowError):
        return None
    return found if found.utcoffset() == timedelta(0) else None
