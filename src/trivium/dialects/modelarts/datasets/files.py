"""The files of samples, sent as what they are and never as anything that a browser would act on."""

from __future__ import annotations

import asyncio
import re
from typing import Final
from uuid import UUID

import msgspec

from trivium.base.caller import Caller
from trivium.base.values import Value
from trivium.dialects.downloads import GUARDS, disposition, download
from trivium.dialects.modelarts.datasets.finding import ANNOTATIONS, dataset_uuid, sample_uuid
from trivium.dialects.modelarts.datasets.processing import checked, resize_of
from trivium.dialects.modelarts.spelling import Text
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, Reply, Wire
from trivium.resources import datasets, samples
from trivium.resources.samples import KeptSample, NoSampleFile, NotAPicture
from trivium.resources.samples.ports import SampleFile, SampleFiles

ONE: Final = f"{ANNOTATIONS}/samples/{{sample_id}}/file"
PROCESS: Final = "x-image-process"
PRIVATE: Final = ("cache-control", "private, no-cache")
"""Whoever asked may keep it, and asks each time whether it is the same, and whether they may still have it."""

BYTES: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"
HEAD: Final = 64  # bytes that tell what a file is

MAGIC: Final = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"BM.{4}\0{4}", re.DOTALL), "image/bmp"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"RIFF.{4}AVI ", re.DOTALL), "video/x-msvideo"),
    (re.compile(rb"ID3[\x02-\x04]|\xff[\xf2\xf3\xfa\xfb]"), "audio/mpeg"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "audio/aac"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb"OggS\0"), "audio/ogg"),
    (re.compile(rb".{4}ftypM4[AB] ", re.DOTALL), "audio/mp4"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "video/mp4"),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "video/webm"),
)
"""How files begin that are shown. Names say nothing: whoever put the file there chose it."""


class FileQuery(Wire, frozen=True, kw_only=True):
    """What is to be made of a file; the rest of a link is read where it is let in."""

    process: Text = msgspec.field(name=PROCESS, default=None)


class _Found(Value, frozen=True):
    """A sample, and the directory that its file must lie in; empty for a text that is sent as it was read."""

    sample: KeptSample
    within: str


class Files:
    """The call that sends the file of a sample."""

    def __init__(self, files: SampleFiles) -> None:
        self._files = files

    async def show(self, call: Call[Nothing, FileQuery]) -> Reply:
        """The file of a sample, a picture at the size that is asked for, or the text that the sample is."""
        asked = checked(call.query.process, PROCESS)
        found = await call.read(_found, dataset_uuid(call), uuid=sample_uuid(call))
        if asked:
            file = await self._resized(found, asked)
        elif not found.within:
            return _text(found.sample)
        else:
            file = await asyncio.to_thread(self._files.open, found.sample.path, within=found.within)
        head = await asyncio.to_thread(_head, file)
        content_type = type_of(head)
        kind = "attachment" if content_type == BYTES else "inline"
        headers = (*GUARDS, PRIVATE, disposition(kind, found.sample.name))
        return download(call.request, file, content_type, headers=headers)

    async def _resized(self, found: _Found, asked: str) -> SampleFile:
        if not found.within:
            raise NotAPicture(PROCESS)
        return await self._files.resized(found.sample.path, resize_of(asked, PROCESS), within=found.within)


def type_of(head: bytes) -> str:
    """The type of a file that begins so: of a picture, a sound or a film, else of bytes that nothing is made of."""
    return next((named for magic, named in MAGIC if magic.match(head)), BYTES)


def operations(files: SampleFiles) -> tuple[Operation, ...]:
    """All of it."""
    return (
        Operation(
            name="ShowSampleFile",
            method="GET",
            path=ONE,
            handler=Files(files).show,
            mark=Mark.BEYOND,
            summary="The file of a sample, or a picture at another size",
            query=FileQuery,
        ),
    )


def _found(tx: Read, caller: Caller, dataset: UUID, *, uuid: UUID) -> _Found:
    mine = datasets.find(tx, caller, dataset)
    sample = samples.get(tx, mine, uuid)
    if sample.text is not None:
        return _Found(sample=sample, within="")
    return _Found(sample=sample, within=samples.directory_of(tx, caller, mine, sample=sample))


def _head(file: SampleFile) -> bytes:
    """How a file begins. `NoSampleFile` where the disk does not give it."""
    try:
        return file.at(0, HEAD)
    except OSError as error:
        file.close()
        raise NoSampleFile from error


def _text(sample: KeptSample) -> Reply:
    """A text as a file of its own: of a file with a text in each line nobody wants the others."""
    headers = (*GUARDS, PRIVATE, disposition("attachment", f"{sample.uuid.hex}.txt"))
    return Reply(status=200, body=(sample.text or "").encode(), headers=headers, content_type=TEXT)
