"""Rows of comma-separated values (RFC 4180), each a sample.

A quoted cell may go over several lines, and one that never ends would take all that follow. So where a record cannot
be read, its first line alone is refused, and reading goes on with the next one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import closing

from trivium.base.values import Value
from trivium.drivers.annotations import limits, texts
from trivium.drivers.annotations.directories import kind_of
from trivium.drivers.annotations.files import File
from trivium.drivers.annotations.texts import MARK, Lines
from trivium.drivers.annotations.walk import Met, position_in
from trivium.drivers.annotations.wanting import Choice
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import Columns, Refusal, Sample, SampleKind


class _Record(Value, frozen=True):
    """A record of a file: its lines as they are, or None where they are too long."""

    raw: bytes | None
    line: int  # its first one
    resume: tuple[int, int]  # offset and number after its first line


class Table:
    """Reads the rows of files."""

    def __init__(self, columns: Columns, choice: Choice) -> None:
        self._columns = columns
        self._choice = choice

    def wants(self, name: bytes) -> bool:
        """Whether a file of that name has rows."""
        return kind_of(name) is SampleKind.TABLE

    def read(self, met: Met) -> Iterator[Sample | Refusal]:
        """The rows of a file, unless they are not wanted, and those that cannot be read."""
        try:
            names = self._names(met.file)
            with closing(Lines(met.file, longest=limits.TEXT_LINE, offset=met.offset)) as lines:
                if self._columns.has_header and not met.offset:
                    _record(lines)
                yield from self._rows(met, lines, names)
        except SourceRefused as error:
            yield Refusal(position=met.path, path=met.path, reason=error.reason)

    def _rows(self, met: Met, lines: Lines, names: Sequence[str]) -> Iterator[Sample | Refusal]:
        while (record := _record(lines)) is not None:
            name = f"{met.file.name}:{record.line}"
            try:
                cells = _cells(record.raw, name)
                if not cells:
                    continue
                _check_columns(cells, names, name)
                sample = Sample(
                    position=position_in(met.path, lines.offset),
                    path=met.path,
                    line=record.line,
                    size=len(record.raw or b""),
                    kind=SampleKind.TABLE,
                    cells=dict(zip(names, cells, strict=True)),
                )
                if (taken := self._choice.take(sample, record.raw or b"")) is not None:
                    yield taken
            except SourceRefused as error:
                lines.seek(*record.resume)
                position = position_in(met.path, lines.offset)
                yield Refusal(position=position, path=met.path, line=record.line, reason=error.reason)

    def _names(self, file: File) -> tuple[str, ...]:
        """The columns of the rows of a file. Raises `SourceRefused` where they are not those of the table."""
        with closing(Lines(file, longest=limits.TEXT_LINE)) as lines:
            record = _record(lines)
        wanted = self._columns.names
        if not self._columns.has_header or record is None:
            return wanted or tuple(str(number + 1) for number in range(_width(record, file.name)))
        found = tuple(self._columns.maps.get(name.strip(), name.strip()) for name in _cells(record.raw, file.name))
        if len(set(found)) != len(found) or not all(found):
            raise SourceRefused(SourceFault.DUPLICATE, file.name, key=", ".join(found))
        if wanted and sorted(found) != sorted(wanted):
            raise SourceRefused(SourceFault.COLUMNS, file.name, found=", ".join(found), wanted=", ".join(wanted))
        return found


def _record(lines: Lines) -> _Record | None:
    """The next record; None at the end."""
    line = lines.next()
    first, resume = lines.number, (lines.offset, lines.number)
    if line == b"":
        return None
    parts: list[bytes] = []
    length = is_open = 0
    while line:
        parts.append(line)
        length += len(line)
        is_open ^= line.count(b'"') & 1
        if not is_open or length > limits.TEXT_LINE:
            break
        line = lines.next()
    whole = line is not None and length <= limits.TEXT_LINE  # what is open at the end is for the parser to say
    return _Record(raw=b"".join(parts) if whole else None, line=first, resume=resume)


def _cells(raw: bytes | None, name: str) -> list[str]:
    """The cells of a record; none of an empty line. Raises `SourceRefused`."""
    if raw is None:
        raise SourceRefused(SourceFault.TOO_LARGE, name, what="row", limit=limits.TEXT_LINE)
    text = texts.decoded(raw.removeprefix(MARK), name)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise SourceRefused(SourceFault.MALFORMED, name, form="CSV", position=0) from error
    if len(rows) > 1:
        raise SourceRefused(SourceFault.MALFORMED, name, form="CSV", position=0)
    if rows and len(rows[0]) > limits.COLUMNS:
        raise SourceRefused(SourceFault.TOO_LARGE, name, what=f"{len(rows[0])} columns", limit=limits.COLUMNS)
    return rows[0] if rows else []


def _check_columns(cells: Sequence[str], names: Sequence[str], name: str) -> None:
    if len(cells) != len(names):
        raise SourceRefused(SourceFault.COLUMNS, name, found=len(cells), wanted=len(names))


def _width(record: _Record | None, name: str) -> int:
    return 0 if record is None else len(_cells(record.raw, name))
