"""Putting the parts together: settings become the site, the runtime, the dialects and the listeners."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from trivium.base.clock import Clock
from trivium.base.late import late
from trivium.base.site import Site
from trivium.dialects.operation import Core, Dialect
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings, run_directory
from trivium.server.crowd import room
from trivium.server.host.drivers import FileDrivers
from trivium.server.proxy import ProxySettings
from trivium.server.settings import Settings

if TYPE_CHECKING:
    from trivium.drivers.annotations import SourceReader
    from trivium.drivers.artifacts import ArtifactReader
    from trivium.drivers.exports import ExportWriter
    from trivium.drivers.places import StoreDirectories
    from trivium.drivers.samples import FileRemover, FileStore
    from trivium.resources.datasets import Buckets


def site_of(settings: Settings, clock: Clock, *, port: int, proxy_port: int) -> Site:
    """The site as rooms and dialects know it; the ports are those that were bound."""
    local = clock.now().astimezone(ZoneInfo(settings.site.timezone))
    return Site(
        id=settings.site.id,
        name=settings.site.name,
        registry=settings.site.registry,
        url=_origin(settings.server.public_url, settings.server.host, port),
        public_url=settings.server.public_url and settings.server.public_url.rstrip("/"),
        proxy_url=_origin(settings.proxy.public_url, settings.server.host, proxy_port),
        proxy_host=settings.proxy.host,
        homes=homes_of(settings.data),
        utc_offset=local.utcoffset() or timedelta(0),
        release_after=settings.notebooks.release_after,
        max_running=settings.notebooks.max_running,
        processes=settings.runtime.processes,
    )


def runtime_of(settings: Settings, clock: Clock, epoch: Callable[[], int] = lambda: 0) -> ProcessRuntime:
    """The process runtime on the data directory; `epoch` is by what right it acts."""
    return ProcessRuntime(
        ProcessSettings(
            data=settings.data,
            run=settings.runtime.run_dir or run_directory(settings.data),
            shared_uid=settings.runtime.shared_uid,
            accelerators=",".join(f"{declared.kind}:{declared.count}" for declared in settings.node.accelerators),
            cores=settings.node.cores,
            memory=settings.node.memory,
            ready_within=settings.notebooks.ready_within,
            processes=settings.runtime.processes,
            cgroups=settings.runtime.cgroups,
            disk_reserve=settings.runtime.disk_reserve,
            warm=settings.runtime.warm,
        ),
        clock,
        epoch,
    )


def file_drivers_of(settings: Settings) -> FileDrivers:
    """What a server acts on files of models and datasets with. Each is imported when there is something to do."""
    return FileDrivers(
        artifacts=late(lambda: artifacts_of(settings)),
        sources=late(lambda: sources_of(settings)),
        sinks=late(lambda: sinks_of(settings)),
        remover=late(lambda: remover_of(settings)),
        directories=late(lambda: directories_of(settings)),
    )


def artifacts_of(settings: Settings) -> ArtifactReader:
    """What reads files of models, inside the directories that stores may lie in."""
    from trivium.drivers.artifacts import ArtifactReader  # noqa: PLC0415 - a server is ready before it reads models

    return ArtifactReader(settings.store_roots)


def sources_of(settings: Settings) -> SourceReader:
    """What reads the sources of datasets, inside the directories that stores may lie in."""
    from blake3 import blake3  # noqa: PLC0415 - a server is ready before it reads datasets

    from trivium.drivers.annotations import SourceReader  # noqa: PLC0415

    return SourceReader(settings.store_roots, bucket=_buckets(settings).directory, hasher=blake3)


def sinks_of(settings: Settings) -> ExportWriter:
    """What writes exports of datasets, inside the directories that buckets are in."""
    from blake3 import blake3  # noqa: PLC0415 - a server is ready before it writes any

    from trivium.drivers.exports import ExportWriter  # noqa: PLC0415

    bucket = _buckets(settings).directory
    return ExportWriter(settings.dataset_roots, hasher=blake3, sources=settings.store_roots, bucket=bucket)


def remover_of(settings: Settings) -> FileRemover:
    """What deletes files of samples, inside the directories that stores may lie in."""
    from blake3 import blake3  # noqa: PLC0415 - a server is ready before it deletes any

    from trivium.drivers.samples import FileRemover  # noqa: PLC0415

    return FileRemover(settings.store_roots, hasher=blake3)


def directories_of(settings: Settings) -> StoreDirectories:
    """What looks whether stores can be read, inside the directories that they may lie in."""
    from trivium.drivers.places import StoreDirectories  # noqa: PLC0415 - a server is ready before it looks

    return StoreDirectories(settings.store_roots)


def files_of(settings: Settings) -> FileStore:
    """What opens the files of samples and takes in new ones, inside the directories that stores may lie in."""
    from trivium.drivers.samples import FileStore  # noqa: PLC0415 - a server is ready before it sends any

    return FileStore(settings.store_roots, thumbnails=settings.thumbnails, reader=lambda: sources_of(settings))


def dialects_of(core: Core, settings: Settings) -> tuple[Dialect, ...]:
    """Every tongue that is spoken. They are imported here, for a server is ready before it speaks any."""
    return _scnet(core, settings), _modelarts(core, settings), _zstack(core, settings)


def _scnet(core: Core, settings: Settings) -> Dialect:
    from trivium.dialects.scnet import ImageList, ScnetDialect, ScnetSettings  # noqa: PLC0415 - see `dialects_of`

    asked = settings.scnet
    known = ScnetSettings(
        image_list=ImageList(asked.image_list.value),
        body_limit=asked.body_limit,
        token_lifetime=asked.token_lifetime,
        replay_window=asked.replay_window,
    )
    return ScnetDialect(core, known)


def _modelarts(core: Core, settings: Settings) -> Dialect:
    from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings  # noqa: PLC0415 - see `dialects_of`

    asked = settings.modelarts
    known = ModelArtsSettings(
        body_limit=asked.body_limit,
        signature_window=asked.signature_window,
        token_lifetime=asked.token_lifetime,
        shortest_lease=asked.shortest_lease,
        longest_lease=asked.longest_lease,
        hosts=_listed(asked.hosts),
        dataset_roots=tuple(map(str, settings.dataset_roots)),
        is_directory=os.path.isdir,
        sinks=cache(partial(sinks_of, settings)),
    )
    return ModelArtsDialect(core, known, late(lambda: files_of(settings)))


def _zstack(core: Core, settings: Settings) -> Dialect:
    from trivium.dialects.zstack import ZStackDialect, ZStackSettings  # noqa: PLC0415 - see `dialects_of`

    asked = settings.zstack
    known = ZStackSettings(
        body_limit=asked.body_limit,
        session_lifetime=asked.session_lifetime,
        job_retention=asked.job_retention,
        web_hooks=_listed(asked.web_hooks),
        extra_gpu_memory=asked.extra_gpu_memory,
        store_roots=tuple(map(str, settings.store_roots)),
    )
    return ZStackDialect(core, known)


def _listed(text: str) -> tuple[str, ...]:
    """What stands between the commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def proxy_settings_of(settings: Settings, site: Site) -> ProxySettings:
    """What the proxy needs to know."""
    secure = site.proxy_url.startswith("https:")
    return ProxySettings(host=settings.proxy.host or None, secure=secure, connections=room().notebooks)


def peer_address_of(settings: Settings, node: str, port: int) -> str:
    """Where other servers reach the notebook listener, as host:port. `node`: this machine's address."""
    listens = settings.server.host
    host = settings.server.peer_host or (node if listens in ("0.0.0.0", "::") else listens)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def homes_of(data: Path) -> Path:
    """Where the process runtime keeps users' homes."""
    return data / "homes"


def _buckets(settings: Settings) -> Buckets:
    from trivium.resources.datasets import Buckets  # noqa: PLC0415 - see `sources_of`

    return Buckets([*map(str, settings.dataset_roots)], has=os.path.isdir)


def _origin(public_url: str | None, host: str, port: int) -> str:
    """How clients reach a listener: as the operator says, else where it listens."""
    if public_url is not None:
        return public_url.rstrip("/")
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
