"""The files of new models are read in the background: what they say is filled in, or the model is taken away again."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select

from tests.builders import HOST, Place, cards, held_for_good, place
from tests.contract.artifacts import world
from tests.contract.artifacts.test_hostile import CASES
from tests.postgresql import Cluster
from tests.waiting import until_async
from trivium.base.errors import Unavailable
from trivium.base.units import GIB, MIB
from trivium.drivers.artifacts import ArtifactReader, Limits
from trivium.resources import events, models, operations, stores
from trivium.resources.hosts import Tenure
from trivium.resources.models import Fault, ImportWorker, Model, ModelStatus, NewModel, NoSuchModel
from trivium.resources.models.table import imports
from trivium.resources.operations import Operation, OperationStatus
from trivium.resources.stores import ModelStore, NewModelStore
from trivium.store import Write

LIMITS = Limits(entries=20, depth=3)


class Catalogue:
    """A store of models in a directory of its own."""

    def __init__(self, here: Place, root: Path) -> None:
        self.here = here
        self.root = root
        self.store = here.store
        new = NewModelStore(name="models", url=str(root))
        self.center: ModelStore = self.store.write_now(stores.create, here.admin, new, roots=(str(root),))

    def add(self, name: str, host: str = HOST, **said: object) -> tuple[Model, int]:
        """A model of the file or directory of that name, which waits to be read, and the operation that it is."""
        new = NewModel(store=self.center.uuid, **{"name": name, "install_path": name, **said})

        def made(tx: Write) -> tuple[Model, int]:
            model = models.create(tx, self.here.admin, new)
            operation = operations.start(tx, self.here.admin, "model.create", target=model.id)
            models.begin_import(tx, self.here.admin, model.uuid, host=host, operation=operation.id)
            return model, operation.id

        return self.store.write_now(made)

    def model(self, model: Model) -> Model | None:
        """The model as it is now; None where it is gone."""
        with suppress(NoSuchModel):
            return self.store.read_now(models.get, self.here.admin, model.uuid)
        return None

    def operation(self, id: int) -> Operation:
        return self.store.read_now(operations.get, self.here.admin, id)

    async def ended(self, id: int) -> Operation:
        """The operation once it is over."""

        async def over() -> Operation | None:
            now = self.operation(id)
            return now if now.is_finished else None

        found = await until_async(over, what="the end of the import")
        assert found is not None
        return found

    def noted(self, model: Model) -> Sequence[bytes]:
        """The files of a model that were read to their ends, as far as that is written down."""
        kept = self.store.read_now(
            lambda tx: tx.value(select(imports.c.progress).where(imports.c.model_id == model.id))
        )
        return () if kept is None else [one.path for one in msgspec.json.decode(kept, type=models.Progress).done]

    @asynccontextmanager
    async def reading(
        self, tenure: Tenure | None = None, *, roots: Sequence[Path] | None = None
    ) -> AsyncIterator[ImportWorker]:
        """A worker that reads; woken by what is committed, and ended like that of a server."""
        tenure = tenure or self.store.write_now(held_for_good, HOST)
        worker = ImportWorker(self.store, ArtifactReader(roots or [self.root], limits=LIMITS), tenure)
        loop = asyncio.get_running_loop()

        def wake(_name: str) -> None:
            loop.call_soon_threadsafe(worker.wake)

        self.store.on_wake = wake
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            self.store.on_wake = None
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.fixture
def catalogue(here: Place, tmp_path: Path) -> Catalogue:
    root = tmp_path / "models"
    root.mkdir()
    return Catalogue(here, root)


def sparse(path: Path, size: int, count: int = 1) -> None:
    """So many files of zeros: they take no room, and as long to read as others."""
    path.mkdir()
    for number in range(count):
        (path / f"{number:03}").touch()
        os.truncate(path / f"{number:03}", size)


def llama(path: Path) -> None:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(world.LLAMA_CONFIG))
    (path / "README.md").write_text("---\nversion: 2.1.0\nlicense: mit\n---\n# A model\n")
    world.write_safetensors(path / "model.safetensors", {"w": ("float16", (1024, 1024))})


def actions(catalogue: Catalogue, model: Model) -> list[str]:
    told = catalogue.store.read_now(events.latest, "model", target=model.id)
    return [event.action for event in reversed(told)]


async def test_what_the_files_say_is_filled_in(catalogue: Catalogue) -> None:
    catalogue.here.node(cards=cards("dcu", 2))
    llama(catalogue.root / "llama")
    model, operation = catalogue.add("llama")
    async with catalogue.reading():
        ended = await catalogue.ended(operation)
    assert (ended.status, ended.progress) == (OperationStatus.SUCCEEDED, 100)
    found = catalogue.model(model)
    assert found is not None
    facts = world.read(catalogue.root / "llama")
    assert (found.status, found.checksum) == (ModelStatus.READY, facts.checksum)
    assert found.size == found.artifact_size == facts.size
    assert found.architecture == "LlamaForCausalLM"
    assert found.pipeline_tag == "text-generation"
    assert (found.version, found.version_semver, found.is_latest) == ("2.1.0", "2.1.0", True)
    assert found.parameters is not None
    assert found.parameters.startswith("1048576")
    figures = models.figures(facts, [16 * GIB])  # what the site's cards have
    assert figures is not None
    assert (found.min_gpu_memory, found.recommended_gpu_memory) == (figures.minimum, figures.recommended)
    assert found.recommended_gpu_num == figures.cards == (1,)
    assert actions(catalogue, model) == ["model.create", "model.import", "model.imported"]


async def test_what_the_caller_said_stays(catalogue: Catalogue) -> None:
    llama(catalogue.root / "llama")
    said = {"version": "3.0", "vendor": "ours", "parameters": "many", "size": 7, "recommended_gpu_num": (4, 8)}
    model, operation = catalogue.add("llama", **said)
    async with catalogue.reading():
        await catalogue.ended(operation)
    found = catalogue.model(model)
    assert found is not None
    assert {name: getattr(found, name) for name in said} == said
    assert found.architecture == "LlamaForCausalLM"
    assert found.artifact_size == world.read(catalogue.root / "llama").size


def _of(fault: str) -> Callable[[Path], object]:
    """What writes a model with that fault in a file of a known format."""
    name, _, write = next(case for case in CASES if case[1] == fault)

    def make(path: Path) -> None:
        path.mkdir()
        (path / "here").write_bytes(bytes(8192))
        write(path / name)

    return make


def _link(path: Path) -> None:
    path.mkdir()
    (path / "m").symlink_to("/etc/passwd")


def _pipe(path: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "m")


def _deep(path: Path) -> None:
    (path / "a" / "b" / "c" / "d").mkdir(parents=True)


def _closed(path: Path) -> None:
    path.mkdir()
    (path / "m").write_text("m")
    (path / "m").chmod(0)


FAULTS: dict[Fault, Callable[[Path], object]] = {
    Fault.ABSENT: lambda _: None,
    Fault.LINK: _link,
    Fault.SPECIAL: _pipe,
    Fault.EMPTY: Path.mkdir,
    Fault.TOO_MANY: lambda path: sparse(path, 1, 21),
    Fault.TOO_DEEP: _deep,
    Fault.UNREADABLE: _closed,
    **{fault: _of(fault.value) for fault in Fault if fault.value in {case[1] for case in CASES}},
}


def test_each_fault_has_its_case() -> None:
    assert set(FAULTS) | {Fault.OUTSIDE, Fault.CHANGED} == set(Fault)


@pytest.mark.parametrize("fault", FAULTS)
async def test_files_that_are_refused_take_the_model_away_and_say_why(catalogue: Catalogue, fault: Fault) -> None:
    if fault is Fault.UNREADABLE and os.geteuid() == 0:
        pytest.skip("root may read everything")
    FAULTS[fault](catalogue.root / "m")
    model, operation = catalogue.add("m")
    async with catalogue.reading():
        ended = await catalogue.ended(operation)
    assert ended.status is OperationStatus.FAILED
    assert ended.failure is not None
    assert ended.failure.code == f"model.artifact.{fault.value}"
    assert catalogue.model(model) is None
    assert catalogue.store.read_now(lambda tx: tx.all(select(imports.c.id))) == []
    assert actions(catalogue, model)[-1] == "model.refused"


async def test_a_root_that_is_one_no_more_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    llama(catalogue.root / "m")
    model, operation = catalogue.add("m")
    async with catalogue.reading(roots=[tmp_path / "elsewhere"]):
        ended = await catalogue.ended(operation)
    assert ended.failure is not None
    assert ended.failure.code == "model.artifact.outside"
    assert catalogue.model(model) is None


async def _is_under_way(catalogue: Catalogue, operation: int) -> None:
    async def advanced() -> bool:
        return catalogue.operation(operation).status is OperationStatus.RUNNING

    await until_async(advanced, what="progress")


async def test_a_file_that_changes_amid_it_is_refused(catalogue: Catalogue) -> None:
    sparse(catalogue.root / "m", 64 * GIB)
    _, operation = catalogue.add("m")
    async with catalogue.reading():
        await _is_under_way(catalogue, operation)
        os.truncate(catalogue.root / "m" / "000", 1)
        ended = await catalogue.ended(operation)
    assert ended.failure is not None
    assert ended.failure.code == "model.artifact.changed"


def _reads() -> bool:
    return any(thread.name == "heavy" for thread in threading.enumerate())


async def test_a_model_that_is_deleted_is_read_no_further(catalogue: Catalogue) -> None:
    sparse(catalogue.root / "m", 64 * GIB)
    model, operation = catalogue.add("m")
    async with catalogue.reading():
        await _is_under_way(catalogue, operation)
        assert _reads()
        catalogue.store.write_now(models.delete, catalogue.here.admin, model.uuid, users=())

        async def is_over() -> bool:
            return not _reads()

        await until_async(is_over, what="the end of the reading")
        llama(catalogue.root / "next")
        _, following = catalogue.add("next")
        assert (await catalogue.ended(following)).status is OperationStatus.SUCCEEDED
    assert catalogue.operation(operation).status is OperationStatus.FAILED


async def test_what_one_worker_has_read_the_next_goes_on_from(catalogue: Catalogue) -> None:
    path = catalogue.root / "m"
    sparse(path, 8 * MIB, 19)
    os.truncate(path / "018", 64 * GIB)  # so that the first one does not come to the end
    model, operation = catalogue.add("m")

    async def has_noted() -> bool:
        return len(catalogue.noted(model)) == 18

    async with catalogue.reading():
        await until_async(has_noted, what="finished files")
    assert catalogue.operation(operation).status is OperationStatus.RUNNING
    os.truncate(path / "018", 1)
    before = _read_bytes()
    async with catalogue.reading():
        assert (await catalogue.ended(operation)).status is OperationStatus.SUCCEEDED
    assert _read_bytes() - before < 8 * MIB
    found = catalogue.model(model)
    assert found is not None
    assert found.checksum == world.read(path).checksum


def _read_bytes() -> int:
    """Bytes that this process has read from files, cached or not."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])


async def test_imports_of_other_hosts_are_left_alone(catalogue: Catalogue) -> None:
    llama(catalogue.root / "m")
    _, others = catalogue.add("m", host="another")
    _, ours = catalogue.add("m")
    async with catalogue.reading():
        await catalogue.ended(ours)
    assert not catalogue.operation(others).is_finished


async def test_who_has_lost_the_host_writes_nothing_more(catalogue: Catalogue) -> None:
    sparse(catalogue.root / "m", 64 * GIB)
    model, operation = catalogue.add("m")
    async with catalogue.reading(catalogue.store.write_now(held_for_good, HOST)):
        await _is_under_way(catalogue, operation)
        successor = catalogue.store.write_now(held_for_good, HOST)
        os.truncate(catalogue.root / "m" / "000", 1)  # for the former holder this ends the import

        async def has_left() -> bool:
            return not _reads()

        await until_async(has_left, what="the end of the reading")
        assert not catalogue.operation(operation).is_finished
    async with catalogue.reading(successor):
        assert (await catalogue.ended(operation)).status is OperationStatus.SUCCEEDED
    assert actions(catalogue, model) == ["model.create", "model.import", "model.imported"]


async def test_two_are_read_at_once_and_the_others_wait(catalogue: Catalogue) -> None:
    for name in ("a", "b"):
        sparse(catalogue.root / name, 64 * GIB)
    llama(catalogue.root / "c")
    added = [catalogue.add(name) for name in ("a", "b", "c")]
    async with catalogue.reading():
        for _, operation in added[:2]:
            await _is_under_way(catalogue, operation)
        assert catalogue.operation(added[2][1]).status is OperationStatus.PENDING
        catalogue.store.write_now(models.delete, catalogue.here.admin, added[0][0].uuid, users=())
        assert (await catalogue.ended(added[2][1])).status is OperationStatus.SUCCEEDED
        assert catalogue.operation(added[1][1]).status is OperationStatus.RUNNING


@pytest.mark.postgresql
async def test_a_database_that_is_away_when_all_is_read_loses_nothing(
    postgres_url: str, postgres_cluster: Cluster, tmp_path: Path
) -> None:
    root = tmp_path / "models"
    root.mkdir()
    sparse(root / "m", 512 * MIB)
    with place(postgres_url) as here:
        catalogue = Catalogue(here, root)
        _, operation = catalogue.add("m")

        async def is_read() -> bool:
            return not _reads()

        async def succeeded() -> bool:
            with suppress(Unavailable):
                return catalogue.operation(operation).status is OperationStatus.SUCCEEDED
            return False

        async with catalogue.reading():
            await until_async(_begun, what="the reading")
            with _away(postgres_cluster, urlsplit(postgres_url).path[1:]):
                await until_async(is_read, what="the end of the reading")
            await until_async(succeeded, what="what came of it")


async def _begun() -> bool:
    return _reads()


@contextmanager
def _away(cluster: Cluster, database: str) -> Iterator[None]:
    """Nobody gets to the database, and whoever was there is thrown out."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(cluster.url("postgres", role="postgres"), autocommit=True) as connection:
        connection.execute(allow.format(sql.Identifier(database), sql.SQL("false")))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
        try:
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(database), sql.SQL("true")))
