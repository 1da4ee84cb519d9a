"""All settings of an installation, with their defaults and what each is for."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NewType

from msgspec import Meta

from trivium.base.units import GIB, MIB
from trivium.base.values import Value

Size = NewType("Size", int)
"""Bytes; written as a number or with a unit, like 64GiB."""

Port = Annotated[int, Meta(ge=0, le=65535)]
"""A TCP port; 0 lets the system choose."""

AtLeastOne = Annotated[int, Meta(ge=1)]
Uid = Annotated[int, Meta(ge=65536, le=2_000_000_000)]
Secret = NewType("Secret", str)
"""Text with a password in it, which is masked where settings are shown."""

NEVER: Final = None


class Declared(Value, frozen=True):
    """Accelerators that the operator says the machine has."""

    kind: str  # gpu, dcu, npu, mlu
    count: int


class ImageList(StrEnum):
    """How SCNet's list of model images wraps its rows: the vendor's page says both."""

    OBJECT = "object"
    ARRAY = "array"


class Level(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Format(StrEnum):
    """How log lines look."""

    AUTO = "auto"  # for people on a terminal, JSON elsewhere
    CONSOLE = "console"
    JSON = "json"


class Server(Value, frozen=True):
    """Where the server listens and keeps its data."""

    host: str = "127.0.0.1"
    port: Port = 8800
    proxy_port: Port = 8801
    data: Path = Path()
    public_url: str | None = None  # how clients reach the APIs, where something stands before the server
    peer_host: str | None = None  # the name or address under which other servers on the database reach this one


class Database(Value, frozen=True):
    """Which database is used."""

    url: Secret | None = None  # None: SQLite in the data directory


class Site(Value, frozen=True):
    """What this installation calls itself."""

    name: str = "trivium"  # the region's name
    description: str = ""  # what ZStack's clients are told of the zone
    id: Annotated[int, Meta(ge=1, lt=1 << 31)] = 10001  # the region's id; 0 is SCNet's platform
    registry: str = "registry.trivium.local"  # the host part of image paths
    timezone: str = "Asia/Shanghai"


class Proxy(Value, frozen=True):
    """How notebooks are reached."""

    host: str = ""  # {id}.nb.example gives each notebook an origin of its own; empty: told apart by path
    public_url: str | None = None


class Notebooks(Value, frozen=True):
    """What notebooks may do, and for how long."""

    release_after: timedelta | None = NEVER  # a notebook that is stopped for so long is released
    max_running: timedelta | None = NEVER  # a notebook that runs for so long is stopped
    keep_deleted: timedelta = timedelta(days=30)  # how long a deleted notebook is remembered
    ready_within: timedelta = timedelta(minutes=3)  # one that does not answer so long after its launch has failed
    stop_grace: timedelta = timedelta(seconds=10)  # what a notebook has to end by itself


class Node(Value, frozen=True):
    """What this machine has, where it is not to be detected."""

    accelerators: tuple[Declared, ...] = ()
    cores: Annotated[float, Meta(gt=0)] | None = None
    memory: Size | None = None


class Runtime(Value, frozen=True):
    """How workloads run on this machine."""

    shared_uid: bool = False  # let notebooks of several users run under the server's own uid
    run_dir: Path | None = None  # for sockets; None: in the data directory
    cgroups: bool = True
    warm: timedelta = timedelta(minutes=30)  # an image's warm parent ends when nobody used it for so long; 0s: none
    processes: AtLeastOne = 4096  # processes and threads that one notebook may have
    disk_reserve: Size = Size(256 * MIB)  # with less than that free, nothing is started or saved
    first_uid: Uid = 200_000  # of the first user of a new site; those after it follow


class Models(Value, frozen=True):
    """Where models may lie."""

    roots: tuple[Path, ...] = ()  # none: models in the data directory


class Datasets(Value, frozen=True):
    """Where the sources of datasets may lie."""

    roots: tuple[Path, ...] = ()  # none: datasets in the data directory


class Scnet(Value, frozen=True):
    """The SCNet dialect."""

    image_list: ImageList = ImageList.OBJECT
    body_limit: Size = Size(10 * MIB)
    token_lifetime: timedelta = timedelta(hours=24)
    replay_window: timedelta = timedelta(minutes=15)  # how far a signature's time may lie from ours


class ModelArts(Value, frozen=True):
    """The ModelArts dialect."""

    body_limit: Size = Size(10 * MIB)
    token_lifetime: timedelta = timedelta(hours=24)
    signature_window: timedelta = timedelta(minutes=15)  # how far a signature's time may lie from ours
    shortest_lease: timedelta = timedelta(hours=1)  # for how long a notebook can be asked to run at least
    longest_lease: timedelta = timedelta(hours=72)  # for how long it can be asked to run at most, unless it is for ever
    hosts: str = ""  # what clients sign as Host, with commas between, where a proxy before the server changes it


class ZStack(Value, frozen=True):
    """The ZStack dialect."""

    body_limit: Size = Size(10 * MIB)
    session_lifetime: timedelta = timedelta(hours=2)
    job_retention: timedelta = timedelta(hours=3)  # how long it can be asked what came of a call, from its end on
    web_hooks: str = ""  # what addresses begin with that answers may be sent to, with commas between
    extra_gpu_memory: Size = Size(2 * GIB)  # what each model is said to need on GPUs besides


class Log(Value, frozen=True):
    """What is logged, and how."""

    level: Level = Level.INFO
    format: Format = Format.AUTO


class Security(Value, frozen=True):
    """Secrets."""

    key_file: Path | None = None  # the root key; None: root.key in the data directory


class Settings(Value, frozen=True):
    """Everything that is set, for good while a process runs."""

    server: Server = Server()
    database: Database = Database()
    site: Site = Site()
    proxy: Proxy = Proxy()
    notebooks: Notebooks = Notebooks()
    node: Node = Node()
    runtime: Runtime = Runtime()
    models: Models = Models()
    datasets: Datasets = Datasets()
    scnet: Scnet = Scnet()
    modelarts: ModelArts = ModelArts()
    zstack: ZStack = ZStack()
    log: Log = Log()
    security: Security = Security()

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.server.data

    @property
    def database_url(self) -> str:
        """The database: the one that was named, or SQLite in the data directory."""
        return self.database.url or f"sqlite:///{self.database_file}"

    @property
    def database_file(self) -> Path:
        """Where SQLite's file is, unless another database was named."""
        return self.data / "trivium.db"

    @property
    def own_models(self) -> Path:
        """Where models may lie unless the operator says otherwise; the server makes it."""
        return self.data / "models"

    @property
    def model_roots(self) -> tuple[Path, ...]:
        """The directories that models lie in."""
        return self.models.roots or (self.own_models,)

    @property
    def own_datasets(self) -> Path:
        """Where the sources of datasets may lie unless the operator says otherwise; the server makes it."""
        return self.data / "datasets"

    @property
    def dataset_roots(self) -> tuple[Path, ...]:
        """The directories that buckets are in, which the sources of datasets lie in."""
        return self.datasets.roots or (self.own_datasets,)

    @property
    def thumbnails(self) -> Path:
        """Where small pictures are kept that were made of samples; whatever is there may be removed at any time."""
        return self.data / "thumbnails"

    @property
    def store_roots(self) -> tuple[Path, ...]:
        """The directories that stores may lie in, and all that is read from them."""
        return tuple(dict.fromkeys((*self.model_roots, *self.dataset_roots)))

    @property
    def key_file(self) -> Path:
        """Where the root key is."""
        return self.security.key_file or self.data / "root.key"

    @property
    def admin_password_file(self) -> Path:
        """Where the administrator's first password stands when it was not given."""
        return self.data / "admin-password"
