"""What the notebooks room needs of the world: a runtime that starts, watches and stops workloads.

A runtime is told *what* to run and in which pool, never how to place it; accelerators that were assigned are named by
index. Every call may be repeated: a launch is known by its id and its generation. *Unknown is never gone*: a runtime
that cannot tell says `Phase.UNKNOWN`, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from trivium.base.values import Value


class LaunchKey(Value, frozen=True):
    """Which launch is meant: the notebook, and which of its starts."""

    launch: int
    generation: int


class Environment(Value, frozen=True):
    """The Python environment that an image stands for: the operator's directory and the saved layers over it."""

    path: Path
    layers: tuple[Path, ...] = ()  # saved layers, oldest first; each was made by `save`
    command: tuple[str, ...] = ()  # what to run instead of JupyterLab; {port}, {socket} and {base_url} are filled in


class Mount(Value, frozen=True):
    """A directory of the user's home shown at another place."""

    source: str  # relative to the user's home
    target: str  # absolute, as the notebook sees it
    writable: bool = False


class Devices(Value, frozen=True):
    """Accelerators that this launch, and no other, may use."""

    kind: str  # gpu, dcu, npu, mlu
    indexes: tuple[int, ...]


class LaunchSpec(Value, frozen=True, kw_only=True):
    """All a runtime needs to start a notebook."""

    key: LaunchKey
    user: int  # whose home it has; notebooks of one user share it
    uid: int | None  # the POSIX uid to run as when the server is root
    environment: Environment
    cores: float
    memory: int  # bytes
    processes: int
    devices: Devices | None = None
    mount_home: bool = True
    mounts: tuple[Mount, ...] = ()
    attach_at: str | None = None  # a new directory below `/`, in which mounts can be shown while it runs
    start_command: str | None = None
    base_url: str  # the path under which the proxy shows it, with slashes at both ends
    token: str  # what the notebook's own server demands; only the proxy knows it


class Phase(StrEnum):
    """How far a launch has come."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"  # it answers at `address`
    STOPPING = "stopping"
    ENDED = "ended"
    LOST = "lost"  # it was there and is not, and nobody saw how it ended
    ABSENT = "absent"  # this runtime never heard of the launch
    UNKNOWN = "unknown"  # the runtime cannot tell now


class Address(Value, frozen=True):
    """Where a workload listens: a unix socket, or a loopback port."""

    socket: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0


class Ending(StrEnum):
    """Why a launch ended."""

    STOPPED = "stopped"  # it was asked to
    EXITED = "exited"  # by itself, or by a signal from outside
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_PROCESSES = "too_many_processes"
    NEVER_READY = "never_ready"  # it ran and did not answer in time
    ENVIRONMENT_GONE = "environment_gone"  # the image's directory or interpreter is not there
    NO_SPACE = "no_space"
    UNREACHABLE = "unreachable"  # the interpreter or home cannot be reached by the workload's uid
    PORT_TAKEN = "port_taken"
    FAILED_TO_START = "failed_to_start"


class Exit(Value, frozen=True):
    """How a launch ended."""

    ending: Ending
    code: int | None = None  # the exit status, where it exited
    signal: int | None = None
    detail: str = ""  # one line that helps a person: the last line of the log, the limit that was crossed
    at: datetime | None = None


class Observation(Value, frozen=True):
    """What a runtime sees of a launch."""

    key: LaunchKey
    phase: Phase
    reason: str = ""  # why it is queued, where it is
    address: Address | None = None
    workload: str | None = None  # 64 hex: what SCNet calls the container id
    progress: int | None = None  # per cent, while starting
    exit: Exit | None = None


class Enforcement(StrEnum):
    """Whether a limit is held by the kernel, watched by us, or only written down."""

    ENFORCED = "enforced"
    WATCHED = "watched"
    DECLARED = "declared"


class Capabilities(Value, frozen=True):
    """What a runtime can do on this host, in the words that `trivium doctor` prints."""

    runtime: str
    uid_per_user: bool
    mount_namespace: bool
    cpu: Enforcement
    memory: Enforcement
    processes: Enforcement
    disk: Enforcement
    shared_uid: bool  # notebooks of several users under one uid are allowed
    hidden_processes: bool = False  # other users' processes do not show in a notebook's /proc
    remedies: tuple[str, ...] = ()  # one sentence for each thing that falls short


class Log(Value, frozen=True):
    """A piece of a launch's log."""

    text: str
    next: int  # the offset to ask from next


class Executed(Value, frozen=True):
    """What came of a command run inside a notebook."""

    code: int | None  # None: it runs on in the background
    output: str


class SavedLayer(Value, frozen=True):
    """A notebook's own packages, kept for an image."""

    path: Path
    size: int  # bytes
    digest: str  # sha256:<64 hex>


class Inside(Protocol):
    """What may be asked of notebooks that run, wherever they do. Errors: `RuntimeUnavailable` and `HostAway`."""

    async def logs(self, key: LaunchKey, since: int = 0) -> Log:
        """The log from byte `since` on, also after it ended."""
        ...

    async def execute(self, key: LaunchKey, command: str, *, timeout: timedelta) -> Executed:
        """Run a shell command inside the notebook; one that outlives `timeout` goes on in the background."""
        ...

    async def listener(self, key: LaunchKey, port: int) -> Address | None:
        """Where that notebook itself listens on `port`; None when nobody does, or somebody else."""
        ...


class Everywhere(Inside, Protocol):
    """The runtimes of all hosts, each reached where it is."""

    async def able(self, hosts: Collection[str]) -> Mapping[str, Capabilities]:
        """What each of these hosts can do; those that nobody acts on are left out."""
        ...


class Runtime(Inside, Protocol):
    """What starts, watches and stops notebooks. Errors: `RuntimeUnavailable` when it does not answer."""

    async def capabilities(self) -> Capabilities:
        """What this host can do."""
        ...

    async def launch(self, spec: LaunchSpec) -> None:
        """Start it, unless this launch and generation is known already. Returns at once; `observe` tells the rest."""
        ...

    async def observe(self, keys: Sequence[LaunchKey]) -> Mapping[LaunchKey, Observation]:
        """What is the case for each key; one that the runtime does not know is `ABSENT`."""
        ...

    async def stop(self, key: LaunchKey, grace: timedelta) -> None:
        """Ask it to end, and after `grace` make it: every descendant, whatever session it moved to. Returns at once."""
        ...

    async def attach(self, key: LaunchKey, mount: Mount) -> str | None:
        """Show a directory of the home, which must be mounted, to a notebook that runs, in its `attach_at`.

        Comes back with why not, where it cannot be. Repeatable. `RuntimeUnavailable` also where it does not run.
        """
        ...

    async def detach(self, key: LaunchKey, target: str) -> str | None:
        """Take away what `attach` showed there; why not, where it cannot be. Repeatable. Errors as of `attach`."""
        ...

    async def forget(self, key: LaunchKey) -> None:
        """Drop what is kept of an ended launch, its logs apart: sockets, cgroups, records. Repeatable."""
        ...

    async def remove(self, launch: int) -> None:
        """Drop all of a notebook for good: layer, logs, records. The user's home stays. Repeatable."""
        ...

    async def save(self, key: LaunchKey, name: str) -> SavedLayer:
        """Keep the notebook's own packages as layer `name` (32 hex). Repeatable: the same name gives the same layer."""
        ...

    async def layers(self) -> Sequence[str]:
        """The names of the saved layers that it keeps."""
        ...

    async def drop_layer(self, name: str) -> None:
        """Remove a saved layer. Repeatable."""
        ...

    async def adopt(self) -> Sequence[LaunchKey]:
        """Every launch that the runtime has anything of, running or ended, found anew after a restart."""
        ...
