"""Texts with their labels, a sample in each line: the labels behind a separator, or in the lines of a file beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from trivium.drivers.annotations import limits, texts
from trivium.drivers.annotations.directories import kind_of, stem_of
from trivium.drivers.annotations.files import File
from trivium.drivers.annotations.texts import MARK, Lines
from trivium.drivers.annotations.walk import Met, position_in
from trivium.drivers.annotations.wanting import Choice
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import LabelType, Refusal, Sample, SampleKind, SampleLabel, TextFormat

RESULT = b"_result.txt"


class Texts:
    """Reads the lines of texts."""

    def __init__(self, format: TextFormat, choice: Choice) -> None:
        self._format = format
        self._choice = choice

    def wants(self, name: bytes) -> bool:
        """Whether a file of that name has texts, or labels of texts."""
        return kind_of(name) in (SampleKind.TEXT, SampleKind.TABLE)

    def read(self, met: Met) -> Iterator[Sample | Refusal]:
        """The lines of a file, unless they are not wanted, and those that cannot be read."""
        try:
            if self._format.separate and met.name.endswith(RESULT):
                self._check_texts(met)
            elif self._format.separate:
                yield from self._beside(met)
            else:
                yield from self._samples(met, None)
        except SourceRefused as error:
            yield Refusal(position=met.path, path=met.path, reason=error.reason)

    def _check_texts(self, met: Met) -> None:
        """Raises `SourceRefused` where there are no texts that labels could be of."""
        if not met.folder.has(met.name.removesuffix(RESULT) + b".txt"):
            raise SourceRefused(SourceFault.ORPHAN, met.file.name)

    def _beside(self, met: Met) -> Iterator[Sample | Refusal]:
        beside = met.folder.file(stem_of(met.name) + RESULT)
        if beside is None:
            yield from self._samples(met, None)
            return
        with beside:
            counts = texts.lines_in(met.file), texts.lines_in(beside)
            if counts[0] != counts[1]:
                problem = f"{counts[0]} lines, and {counts[1]} in {beside.name}"
                raise SourceRefused(SourceFault.FIELD, met.file.name, problem=problem)
            yield from self._samples(met, beside)

    def _samples(self, met: Met, beside: File | None) -> Iterator[Sample | Refusal]:
        with closing(Lines(met.file, longest=limits.TEXT_LINE, offset=met.offset)) as lines:
            if beside is None:
                yield from self._each(met, lines, None)
                return
            with closing(Lines(beside, longest=limits.TEXT_LINE)) as labels:
                for _ in range(lines.number):
                    labels.next()
                yield from self._each(met, lines, labels)

    def _each(self, met: Met, lines: Lines, labels: Lines | None) -> Iterator[Sample | Refusal]:
        while (line := lines.next()) != b"":
            said = b"" if labels is None else labels.next()
            name = f"{met.file.name}:{lines.number}"
            position = position_in(met.path, lines.offset)
            try:
                text, names = self._pair(line, said, name) if self._format.separate else self._split(line, name)
                sample = self._sample(met, position, number=lines.number, text=text, names=names)
                if text and (taken := self._choice.take(sample, text.encode())) is not None:
                    yield taken
            except SourceRefused as error:
                yield Refusal(position=position, path=met.path, line=lines.number, reason=error.reason)

    def _sample(self, met: Met, position: bytes, *, number: int, text: str, names: tuple[str, ...]) -> Sample:
        return Sample(
            position=position,
            path=met.path,
            line=number,
            size=len(text.encode()),
            kind=SampleKind.TEXT,
            labels=tuple(SampleLabel(name=name, type=LabelType.TEXT_CLASSIFICATION) for name in names),
            text=text,
        )

    def _split(self, line: bytes | None, name: str) -> tuple[str, tuple[str, ...]]:
        """The text and the labels in one line; both empty for an empty one."""
        whole = _text(line, name)
        text, separator, labels = whole.rpartition(self._format.text_end)
        if not separator:
            return whole.strip(), ()
        if not text.strip():
            raise SourceRefused(SourceFault.FIELD, name, problem="labels without a text")
        return text.strip(), texts.label_names(labels.split(self._format.between), name)

    def _pair(self, line: bytes | None, labels: bytes | None, name: str) -> tuple[str, tuple[str, ...]]:
        """The text of one line and the labels of another."""
        text = _text(line, name).strip()
        return text, texts.label_names(_text(labels, name).split(self._format.between), name)


def _text(line: bytes | None, name: str) -> str:
    if line is None:
        raise SourceRefused(SourceFault.TOO_LARGE, name, what="line", limit=limits.TEXT_LINE)
    return texts.decoded(line.removeprefix(MARK), name).rstrip("\r\n")
