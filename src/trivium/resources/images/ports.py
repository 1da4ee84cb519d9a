"""What the images room needs of the world: something that can look at a Python environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from trivium.base.values import Value


class EnvironmentFound(Value, frozen=True):
    """What stands in an environment's directory."""

    python: str  # 3.11.7
    jupyterlab: str | None
    ipykernel: str | None
    size: int  # bytes on disk
    digest: str  # sha256:<64 hex> over the canonical listing: relative path, mode bits, content
    fingerprint: str  # cheap: 64 hex over relative path, size and modification time; equal means that nothing changed


class Places(Protocol):
    """What looks at environments on the disks of every host."""

    async def fingerprints(self, path: Path) -> Mapping[str, str | None]:
        """The cheap fingerprint on each host that answers; None where the environment is not there."""
        ...

    async def digest_at(self, host: str, path: Path) -> str | None:
        """The digest, read anew on that host; None when the environment is not there. Errors: `HostAway`."""
        ...

    async def layer_at(self, host: str, path: Path) -> int | None:
        """The bytes of a saved layer, read anew on that host; None if it is not what was saved. Errors: `HostAway`."""
        ...


class Environments(Protocol):
    """What looks at environments on disk. Errors: `EnvironmentRefused` with the reason."""

    async def inspect(self, path: Path, *, command: tuple[str, ...] = ()) -> EnvironmentFound:
        """What is there, read whole; bytecode is compiled on the way. Refuses one that cannot run a notebook."""
        ...

    async def fingerprint(self, path: Path) -> str | None:
        """The cheap fingerprint; None when the environment is not there."""
        ...

    async def digest(self, path: Path) -> str | None:
        """The digest, read anew; None when the environment is not there."""
        ...

    async def saved_layer(self, path: Path) -> int | None:
        """The bytes of a saved layer, read anew; None when it is not there, or not what was saved."""
        ...
