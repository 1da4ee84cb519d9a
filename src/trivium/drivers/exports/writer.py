"""Writes an export into a directory of its own: overwrites nothing that was there, and follows no symbolic link."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from msgspec import structs

from trivium.base.text import readable
from trivium.drivers.annotations.files import Files, Hasher
from trivium.drivers.annotations.locations import Locations, Places, is_text, nowhere
from trivium.drivers.annotations.pictures import MASK
from trivium.drivers.exports import coco, lines
from trivium.drivers.exports.kept import KeptManifest, KeptManifests
from trivium.drivers.places import innermost
from trivium.resources.datasets import SourceFault, SourceRefused
from trivium.resources.datasets.ports import LabelType, SampleKind
from trivium.resources.models import ArtifactRefused
from trivium.resources.samples import KeptSample, SampleState
from trivium.resources.stores import EVERYTHING, Sight
from trivium.resources.transfers import SampleNotWritten, TargetRefused, changed
from trivium.resources.transfers.ports import Form

ENTER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
OWNER: Final = ".trivium-export"  # whose the directory is, while it is being written
PART: Final = ".part"
FILES: Final = b"data"
MASKS: Final = b"masks"  # apart, where no import of the directory takes them for samples
BLOCK: Final = 1024 * 1024
LONGEST_NAME: Final = 255 - len(".xml")
"""Bytes of a copy's name, so that one may lie beside it."""

LONGEST_SUFFIX: Final = 16
"""Characters of what is taken for the ending of a name."""

LABELLED_BESIDE: Final = (SampleKind.IMAGE, SampleKind.AUDIO, SampleKind.VIDEO)
"""What has its labels in a file beside it; of a text that would be the text itself."""

SHAPES: Final = frozenset({LabelType.OBJECT_DETECTION, LabelType.IMAGE_SEGMENTATION, LabelType.VIDEO})


class ExportWriter:
    """The port `Sinks` of the transfers room, for local disks."""

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        hasher: Callable[[], Hasher],
        sources: Sequence[Path] | None = None,
        bucket: Callable[[str], str | None] | None = None,
    ) -> None:
        """`roots` are what may be written to, `sources` what the files of samples are in, where that is more.

        `bucket` gives the directory inside the roots that a bucket is.
        """
        self._roots = tuple(roots)
        self._bucket = bucket or nowhere
        self._sources = self._roots if sources is None else tuple(sources)
        self._manifests = KeptManifests(roots, hasher, self._places)

    def open(
        self, path: Path, *, owner: UUID, manifest: str, position: int, form: Form, sight: Sight = EVERYTHING
    ) -> ExportInProgress:
        """See the port."""
        with _told(str(path)):
            folder = self._folder(path)
            try:
                _claim(folder, owner, str(path))
                files = Files(self._sources)
                base = form.base.rstrip(b"/")
                return ExportInProgress(
                    folder,
                    str(path),
                    files,
                    locations=Locations(files, base, roots=self._sources, bucket=self._bucket, sight=sight),
                    names=Names(self._places(), base, form.called),
                    manifests=self._manifests,
                    manifest=manifest,
                    position=position,
                    form=form,
                    sight=sight,
                )
            except BaseException:
                os.close(folder)
                raise

    def release(self, path: Path, *, owner: UUID) -> None:
        """See the port."""
        with suppress(OSError, TargetRefused):  # a hidden file that stays does no harm
            folder = self._folder(path)
            try:
                if _owner(folder) == owner.hex.encode():
                    os.unlink(OWNER, dir_fd=folder)
            finally:
                os.close(folder)

    def _places(self) -> Places:
        return Places(self._sources, self._bucket)

    def _folder(self, path: Path) -> int:
        """The directory, made where it is not there. `TargetRefused`, `OSError`."""
        try:
            root, below = innermost(self._roots, path)
        except ArtifactRefused as error:
            raise TargetRefused("outside", str(path)) from error
        start = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _below(start, below.split(b"/"))
        finally:
            os.close(start)

    def kept(self, path: Path, *, digest: bytes) -> KeptManifest:
        """See the port."""
        return self._manifests.open(path, digest)


class ExportInProgress:
    """One export; fulfils `Sink`."""

    def __init__(
        self,
        folder: int,
        path: str,
        files: Files,
        *,
        locations: Locations,
        names: Names,
        manifests: KeptManifests,
        manifest: str,
        position: int,
        form: Form,
        sight: Sight,
    ) -> None:
        self._folder = folder
        self._path = path
        self._manifests = manifests
        self._manifest = manifest
        self._form = form
        self._sight = sight
        with suppress(FileNotFoundError):  # it was finished, and nobody came to note that
            os.rename(manifest, manifest + PART, src_dir_fd=folder, dst_dir_fd=folder)
        self._into = _Folders(self._made)
        self._files = files
        self._locations = locations
        self._names = names
        self._out = os.fdopen(os.open(manifest + PART, WRITE, 0o644, dir_fd=folder), "wb", BLOCK)
        self._out.truncate(position)
        self._out.seek(position)

    def put(self, sample: KeptSample) -> None:
        """See the port."""
        sample, source, mask = changed(sample, self._form), None, None
        path = self._names.of(sample.path) if sample.path else None
        if self._form.coco and sample.state is not SampleState.UNCONFIRMED and not coco.can_say(sample.labels):
            raise SampleNotWritten("shape", sample.name)
        if sample.line is None:  # what is one line of a file is a text that is no file
            source = path
            if path and self._form.copies:
                where = self._place(sample)
                mask = _mask_of(sample)
                sample = sample if mask is None else self._with_mask(sample, mask, where)
                source = self._copied(sample, where)
        elsewhere = None if source == path else path
        with _told(self._path):
            self._out.write(lines.line(sample, source, path=elsewhere, mask=mask, is_whole=self._form.whole))

    def keep(self) -> int:
        """See the port."""
        with _told(self._path):
            self._out.flush()
            if self._form.copies:
                os.sync()  # the copies, too
            else:
                os.fdatasync(self._out.fileno())
        return self._out.tell()

    def finish(self) -> bytes:
        """See the port."""
        self.keep()
        with _told(self._path):
            if self._form.coco:
                self._write_coco()
            os.rename(self._manifest + PART, self._manifest, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.fsync(self._folder)
            found = os.open(self._manifest, READ, dir_fd=self._folder)
            try:
                return self._manifests.digest(found)
            finally:
                os.close(found)

    def close(self) -> None:
        """See the port."""
        with suppress(OSError):
            self._out.close()
        self._into.close()
        self._files.close()
        os.close(self._folder)

    def _write_coco(self) -> None:
        folder = _below(self._folder, [coco.FOLDER])
        try:
            target = os.open(coco.NAME + PART, WRITE | os.O_TRUNC, 0o644, dir_fd=folder)
            manifest = os.open(self._manifest + PART, READ, dir_fd=self._folder)
            with os.fdopen(target, "wb", BLOCK) as out, os.fdopen(manifest, "rb", BLOCK) as said:
                coco.write(said, out, folder=f"{FILES.decode()}/")
                out.flush()
                os.fsync(out.fileno())
            os.rename(coco.NAME + PART, coco.NAME, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        finally:
            os.close(folder)

    def _with_mask(self, sample: KeptSample, mask: str, where: Sequence[bytes]) -> KeptSample:
        """Copy the mask of a sample that is itself copied to there; the sample that says so."""
        name = where[-1] + b"." + mask.rpartition(".")[2].encode()
        if len(name) > LONGEST_NAME or b"/" in name:
            name = _marked(where[-1].decode(), sample.uuid)
        there = [MASKS, *where[:-1], name]
        try:
            with self._locations.file(mask, sample.name) as file:
                source = os.dup(file.descriptor())
        except SourceRefused as error:
            raise SampleNotWritten("mask", sample.name, mask=mask) from error
        with _told(self._path):
            _copy(source, self._into.opened(b"/".join(there[:-1])), name)
        return structs.replace(sample, metadata={**sample.metadata, MASK: b"/".join(there).decode()})

    def _copied(self, sample: KeptSample, place: Sequence[bytes]) -> bytes:
        """Copy the file of a sample, and what is said of it; where it is then, from the export's directory."""
        where = [FILES, *place]
        with _told(self._path):
            folder = self._into.opened(b"/".join(where[:-1]))
            _copy(self._opened(sample), folder, where[-1])
            if self._form.beside and sample.kind in LABELLED_BESIDE:
                self._write_beside(folder, sample, where[-1])
        return b"/".join(where)

    def _write_beside(self, folder: int, sample: KeptSample, name: bytes) -> None:
        """Write the labels beside a copy of that name. Those that are to be confirmed are nobody's word."""
        if sample.state is SampleState.UNCONFIRMED:
            sample = structs.replace(sample, labels=())
        stem = name.rpartition(b".")[0] or name
        if any(label.type in SHAPES for label in sample.labels):
            _write(folder, stem + b".xml", lines.voc(sample, readable(name)))
        elif not self._form.shapes:  # without one, an image would be labelled by its directory
            _write(folder, stem + b".txt", lines.names(sample))

    def _place(self, sample: KeptSample) -> list[bytes]:
        """Where the copy of a sample's file is to be: as it lies below the base, or beside all others. It is text."""
        base = self._form.base.rstrip(b"/") + b"/"
        is_below = not self._form.flat and len(base) > 1 and sample.path.startswith(base)
        below = sample.path[len(base) :] if is_below else sample.path.rpartition(b"/")[2]
        if is_below and is_text(below):
            return below.split(b"/")
        *folders, name = (part.decode(errors="replace").replace("\ufffd", "_") for part in below.split(b"/"))
        return [*map(str.encode, folders), _marked(name, sample.uuid)]

    def _opened(self, sample: KeptSample) -> int:
        """A sample's file, found as imports find it. `SampleNotWritten` where it is not there, or not to be seen."""
        if not self._sight.shows(sample.path.rpartition(b"/")[0]):
            raise SampleNotWritten("closed", sample.name)
        try:
            with self._files.file(sample.path) as file:
                return os.dup(file.descriptor())
        except SourceRefused as error:
            fault = "outside" if error.fault is SourceFault.OUTSIDE else "absent"
            raise SampleNotWritten(fault, sample.name) from error

    def _made(self, path: bytes) -> int:
        return _below(self._folder, path.split(b"/"))


class Names:
    """What the files of samples are called in a manifest: by what the directory is called that most lie below."""

    def __init__(self, places: Places, base: bytes, called: str) -> None:
        """`base` is that directory, without a slash at its end."""
        called = called.rstrip("/")
        self._places = places
        self._base = base + b"/" if places.has(base, called) else None
        self._called = os.fsencode(called) + b"/"

    def of(self, path: bytes) -> bytes:
        """What an absolute path is called."""
        if self._base is not None and path.startswith(self._base):
            return self._called + path.removeprefix(self._base)
        return self._places.called(path)


class _Folders:
    """The directory that was used last, held open: files of one come together."""

    def __init__(self, open: Callable[[bytes], int]) -> None:
        self._open = open
        self._path: bytes | None = None
        self._place = -1

    def opened(self, path: bytes) -> int:
        """A descriptor of the directory, which stays this one's. Raises what opening it raises."""
        if path != self._path:
            self.close()
            self._place = self._open(path)
            self._path = path
        return self._place

    def close(self) -> None:
        """Let go of it."""
        if self._path is not None:
            os.close(self._place)
            self._path = None


def _mask_of(sample: KeptSample) -> str | None:
    """What the mask of a segmentation is called; None where there is none."""
    mask = sample.metadata.get(MASK)
    is_segmented = any(label.type is LabelType.IMAGE_SEGMENTATION for label in sample.labels)
    return mask if is_segmented and isinstance(mask, str) else None


def _copy(source: int, folder: int, name: bytes) -> None:
    """Copy a file that is open, which is closed then."""
    try:
        target = os.open(name, WRITE | os.O_TRUNC, 0o644, dir_fd=folder)
        try:
            while os.copy_file_range(source, target, BLOCK * 64):
                pass
        finally:
            os.close(target)
    finally:
        os.close(source)


def _marked(name: str, uuid: UUID) -> bytes:
    """A name that no other sample's copy has."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, which may be called anything
    if len(suffix) > LONGEST_SUFFIX:
        stem, suffix = name, ""
    end = f"-{uuid.hex[:12]}{suffix}".encode()
    return stem.encode()[: LONGEST_NAME - len(end)].decode(errors="ignore").encode() + end


def _write(folder: int, name: bytes, said: bytes) -> None:
    target = os.open(name, WRITE | os.O_TRUNC, 0o644, dir_fd=folder)
    with os.fdopen(target, "wb") as out:
        out.write(said)


def _below(start: int, parts: Sequence[bytes]) -> int:
    """A directory below one that is open, made where it is not there, by way of no symbolic link."""
    if {*parts} & {b"", b".", b".."}:
        raise TargetRefused("outside", readable(b"/".join(parts)))
    here = os.dup(start)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=here)
            there = os.open(part, ENTER, dir_fd=here)
            os.close(here)
            here = there
    except BaseException:
        os.close(here)
        raise
    return here


def _claim(folder: int, owner: UUID, path: str) -> None:
    """Make the directory the owner's while it is empty. `TargetRefused` where it has something that is not theirs."""
    mine = owner.hex.encode()
    if os.listdir(folder) == []:
        _write(folder, os.fsencode(OWNER), mine)
    elif _owner(folder) != mine:
        raise TargetRefused("not_empty", path)


def _owner(folder: int) -> bytes | None:
    """Whose the directory is; None where it is nobody's."""
    try:
        found = os.open(OWNER, READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(found, "rb") as file:
        return file.read(64)


@contextmanager
def _told(path: str) -> Generator[None]:
    """What the system says, as a refusal."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise TargetRefused("link", path) from error
        raise TargetRefused("unwritable", path, error=os.strerror(error.errno or 0)) from error
