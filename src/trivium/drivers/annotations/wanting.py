"""Which samples are wanted, and in which form they are given."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from trivium.drivers.annotations.files import File, Hasher
from trivium.resources.datasets.ports import Sample, Wanted

HARD = "@modelarts:hard"


class Choice:
    """Takes the samples that are wanted and leaves the others."""

    def __init__(self, wanted: Wanted, hasher: Callable[[], Hasher] | None) -> None:
        """`hasher` makes the checksums, where any are wanted."""
        self.wanted = wanted
        self.reads_labels = wanted.labels or bool(wanted.included or wanted.excluded or wanted.difficult_only)
        self._hasher = hasher if wanted.digests else None
        self._takes_all = wanted.labels and wanted.confirmed and not self._filters()

    def take(self, sample: Sample, content: File | bytes) -> Sample | None:
        """The sample as it is given; None where it is not wanted. Raises `SourceRefused` where its file is changed."""
        if not self._takes_all:
            if not self._is_wanted(sample):
                return None
            sample = self._as_wanted(sample)
        if self._hasher is None:
            return sample
        hasher = self._hasher()
        if isinstance(content, File):
            return replace(sample, digest=content.digest(hasher))
        hasher.update(memoryview(content))
        return replace(sample, digest=hasher.digest())

    def _filters(self) -> bool:
        return bool(self.wanted.included or self.wanted.excluded or self.wanted.difficult_only)

    def _is_wanted(self, sample: Sample) -> bool:
        names = {label.name for label in sample.labels}
        if self.wanted.included and not names & self.wanted.included:
            return False
        if names & self.wanted.excluded:
            return False
        return not self.wanted.difficult_only or _is_hard(sample)

    def _as_wanted(self, sample: Sample) -> Sample:
        labels = sample.labels if self.wanted.labels else ()
        return replace(sample, labels=labels, is_confirmed=self.wanted.confirmed or not labels)


def _is_hard(sample: Sample) -> bool:
    return sample.metadata.get(HARD) is True or any(label.property.get(HARD) is True for label in sample.labels)
