"""What is asked of the keeper, read back from JSON into values, and where each thing of a launch lies on disk."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

Note = dict[str, Any]


class Failed(Exception):
    """A start that cannot go on: the ending's word, and a sentence for the person."""

    def __init__(self, ending: str, detail: str) -> None:
        super().__init__(detail)
        self.ending = ending
        self.detail = detail


class Mount(NamedTuple):
    """A directory of the home shown at another place."""

    source: str
    target: str
    writable: bool


class Spec(NamedTuple):
    """One launch, as the server asked for it."""

    launch: int
    generation: int
    user: int
    uid: int | None  # None also where the keeper is not root, and everything runs as what it is
    image: str
    layers: tuple[str, ...]
    command: tuple[str, ...]
    cores: float
    memory: int
    processes: int
    devices: tuple[str, tuple[int, ...]] | None
    mount_home: bool
    mounts: tuple[Mount, ...]
    start_command: str | None
    base_url: str
    token: str
    ready_within: float  # seconds
    cgroups: bool  # whether limits may be given to cgroups
    environment: tuple[tuple[str, str], ...]  # what the operator adds
    warm: float = 0.0  # seconds for which a warm parent of the image waits to be used; 0: none is kept
    disk_reserve: int = 0  # bytes that must be free for it to start
    attach_at: str | None = None  # below it directories can be shown while it runs

    @property
    def name(self) -> str:
        """The launch and its generation, as files and cgroups are named."""
        return f"{self.launch}-{self.generation}"


class Paths(NamedTuple):
    """Where the things of one launch lie."""

    data: str
    home: str
    shared: str  # the user's home, from which mounts come; the same as `home` unless that is not mounted
    layer: str  # the launch's own directory: `venv` and, without the user's home, `home`
    run: str  # root's own: holds the link to the socket
    own: str  # the notebook's own, below `run`
    temporary: str  # holds what the notebook has in the place of /tmp and /var/tmp, until it ends
    log: str

    @property
    def venv(self) -> str:
        """The layer itself."""
        return f"{self.layer}/venv"

    @property
    def sockets(self) -> str:
        """The directory that the launches of a data directory share for their sockets."""
        return os.path.dirname(self.run)

    @property
    def scratch(self) -> tuple[str, str]:
        """What stands in the place of /tmp and of /var/tmp."""
        return f"{self.temporary}/short", f"{self.temporary}/long"

    @property
    def socket(self) -> str:
        """Where the notebook's server binds."""
        return f"{self.own}/s"

    @property
    def link(self) -> str:
        """The same socket where the notebook cannot put another one in its place."""
        return f"{self.run}/s"


def read_spec(note: Note) -> Spec:
    """The spec in a note; KeyError, TypeError or ValueError when it is not one."""
    devices = note.get("devices")
    return Spec(
        launch=int(note["key"]["launch"]),
        generation=int(note["key"]["generation"]),
        user=int(note["user"]),
        uid=None if note.get("uid") is None or os.geteuid() != 0 else int(note["uid"]),
        image=str(note["environment"]["path"]),
        layers=tuple(str(path) for path in note["environment"].get("layers", ())),
        command=tuple(str(word) for word in note["environment"].get("command", ())),
        cores=float(note["cores"]),
        memory=int(note["memory"]),
        processes=int(note["processes"]),
        devices=None if devices is None else (str(devices["kind"]), tuple(int(one) for one in devices["indexes"])),
        mount_home=bool(note.get("mount_home", True)),
        mounts=tuple(
            Mount(str(one["source"]), str(one["target"]), bool(one.get("writable"))) for one in note.get("mounts", ())
        ),
        start_command=note.get("start_command"),
        base_url=str(note["base_url"]),
        token=str(note["token"]),
        ready_within=float(note["settings"]["ready_within"]),
        cgroups=bool(note["settings"]["cgroups"]),
        environment=tuple((str(name), str(value)) for name, value in note["settings"]["environment"].items()),
        warm=float(note["settings"].get("warm", 0.0)),
        disk_reserve=int(note["settings"].get("disk_reserve", 0)),
        attach_at=note.get("attach_at"),
    )


def paths_of(spec: Spec, data: str, run: str) -> Paths:
    """Where the things of this launch lie."""
    layer = f"{data}/layers/{spec.launch}"
    own = f"{run}/{spec.name}"
    return Paths(
        data=data,
        home=f"{data}/homes/{spec.user}" if spec.mount_home else f"{layer}/home",
        shared=f"{data}/homes/{spec.user}",
        layer=layer,
        run=own,
        own=f"{own}/own",
        temporary=f"{data}/temporary/{spec.name}",
        log=f"{data}/logs/{spec.launch}/{spec.generation}.log",
    )
