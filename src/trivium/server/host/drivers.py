"""What the catalogue's work acts on files with. Naming it here imports none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trivium.resources.datasets.ports import Sources
    from trivium.resources.models.ports import Artifacts
    from trivium.resources.samples.ports import Remover
    from trivium.resources.stores.ports import Directories
    from trivium.resources.transfers.ports import Sinks


class FileDrivers(NamedTuple):
    """The drivers of models, datasets and stores."""

    artifacts: Artifacts
    sources: Sources
    sinks: Sinks
    remover: Remover
    directories: Directories
