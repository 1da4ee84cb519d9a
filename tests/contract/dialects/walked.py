"""Lists of ModelArts' dialect that are walked a row at a time, and how rows of each come and go meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from tests import catalogue
from tests.builders import CAPABLE, HOST, Place, cards, held_for_good
from tests.shares import allow, make, part
from trivium.base.caller import Caller
from trivium.base.clock import ManualClock
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.dialects.modelarts.auth import TOKEN_MARK
from trivium.dialects.operation import Core, Request
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources import (
    datasets,
    images,
    models,
    networks,
    notebooks,
    pools,
    projects,
    quotas,
    samples,
    shares,
    transfers,
    users,
    workspaces,
)
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.datasets.ports import LabelType, Sample, SampleKind, SampleLabel
from trivium.resources.images import SaveAs
from trivium.resources.models import ModelChange
from trivium.resources.networks import NewNetwork
from trivium.resources.notebooks import NotebookHoldings, NotebookSpec
from trivium.resources.notebooks.outcomes import note_failed
from trivium.resources.notebooks.ports import LaunchKey, Observation, Phase
from trivium.resources.samples import Named, NewLabel
from trivium.resources.tags import Tag
from trivium.resources.transfers import NewExport, NewImport, NewVersion, Way, exporting, publishing
from trivium.resources.users import SessionKind
from trivium.resources.workspaces import Workspace
from trivium.server.remote.runtimes import HostRuntimes
from trivium.store import Write

ROWS: Final = 9
Ids = Sequence[str]


class Town:
    """A site on which the clock stands still, a user of it, and the dialect that answers them."""

    def __init__(self, here: Place, folder: Path) -> None:
        self.here = here
        here.node(cores=64, cards=cards("dcu", 4))
        self.image = here.image()
        self.alice = allow(here, here.user("alice"))
        runtime = ProcessRuntime(ProcessSettings(data=folder / "data", run=folder / "run"), here.clock)
        everywhere = HostRuntimes(here.store, runtime, host=HOST)
        core = Core(
            store=here.store,
            keyring=here.keyring,
            clock=here.clock,
            site=here.site,
            runtime=everywhere,
            places=everywhere,
        )
        self.dialect = ModelArtsDialect(core, ModelArtsSettings())
        self._token = f"{TOKEN_MARK}of-alice"
        here.store.write_now(
            users.open_session, self.alice, SessionKind.MODELARTS, lifetime=timedelta(days=1), token=self._token
        )
        self._project = here.store.read_now(projects.get, self.alice.project).uuid.hex

    async def asked(self, operation: str, query: Mapping[str, object], names: Mapping[str, str]) -> Any:
        """The answer to a list."""
        found = next(one for one in self.dialect.operations if one.name == operation)
        request = Request(
            method="GET",
            path=found.path,
            raw_path=found.path.encode(),
            query=urlencode(query).encode(),
            headers={"x-auth-token": self._token},
            body=b"",
            id="0" * 32,
            peer="",
            scheme="http",
            server=None,
            parameters={"project_id": self._project, **names},
        )
        reply = await self.dialect.answer(found, request)
        assert reply.status == 200, reply.body
        return msgspec.json.decode(reply.body)

    def later(self) -> None:
        """Let a second pass."""
        assert isinstance(self.here.clock, ManualClock)
        self.here.clock.move(timedelta(seconds=1))


@dataclass
class Walk:
    """How a list with rows in it is asked for, and how rows of it come and go.

    What `first` and `last` make comes before and after all rows that are there; None where none can. `gone` takes a row
    away, of those that `can_go`.
    """

    query: dict[str, object] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    first: Callable[[], object] | None = None
    last: Callable[[], object] | None = None
    gone: Callable[[str], object] | None = None
    can_go: Callable[[Ids], Collection[str]] = frozenset
    most: int = 500  # rows of the largest page that is asked for


def notebooks_of(town: Town, direction: str) -> Walk:
    """Notebooks, newest or oldest first. The clock stands still: they are all of one moment."""
    here, numbers = town.here, dict[str, int]()

    def add() -> None:
        spec = NotebookSpec(name="nb", image_path=town.image.path, kind="cpu", count=1)
        made = here.store.write_now(notebooks.create, town.alice, here.site, spec=spec, hosts={HOST: CAPABLE})
        here.store.write_now(
            note_failed, made, Observation(key=LaunchKey(launch=made.id, generation=1), phase=Phase.LOST)
        )
        numbers[str(made.uuid)] = made.id

    for _ in range(ROWS):
        add()
    grows = {"ASC": (None, add), "DESC": (add, None)}[direction]
    return Walk(
        {"sort_key": "create_at", "sort_dir": direction},
        gone=lambda one: here.store.write_now(notebooks.release, town.alice, numbers[one]),
        first=grows[0],
        last=grows[1],
    )


def workloads_of(town: Town, ascend: str) -> Walk:
    """The same, as what is in a pool: one that is released is there until a worker has taken it away."""
    walk = notebooks_of(town, {"true": "ASC", "false": "DESC"}[ascend])
    walk.query = {"sort": "create_time", "ascend": ascend}
    pool = town.here.store.read_now(pools.default_pool)
    assert pool is not None
    walk.names, walk.gone, walk.can_go = {"pool_name": pool.name}, None, _none
    return walk


def models_of(town: Town, order: str) -> Walk:
    """Models, newest or oldest first. Their `offset` counts pages, which are rows where a page has one."""
    here, there = town.here, catalogue.store(town.here, town.alice)

    def add() -> None:
        catalogue.model(here, town.alice, there)

    for _ in range(ROWS):
        add()
    grows = {"asc": (None, add), "desc": (add, None)}[order]
    return Walk(
        {"order": order},
        gone=lambda one: here.store.write_now(models.delete, town.alice, UUID(one), users=()),
        first=grows[0],
        last=grows[1],
    )


def datasets_of(town: Town, order: str) -> Walk:
    """Datasets, newest or oldest first, in pages of one."""
    here, there, number = town.here, catalogue.store(town.here, town.alice), iter(range(100))

    def add() -> None:
        catalogue.dataset(here, town.alice, there, f"d{next(number)}")

    for _ in range(ROWS):
        add()
    grows = {"asc": (None, add), "desc": (add, None)}[order]
    return Walk(
        {"order": order},
        gone=lambda one: here.store.write_now(datasets.delete, town.alice, UUID(one), users=()),
        first=grows[0],
        last=grows[1],
        most=100,
    )


def labels_of(town: Town) -> Walk:
    """Labels of a dataset, in the order in which they came."""
    here, dataset, number = town.here, _dataset(town), iter(range(100))
    type = LabelType.IMAGE_CLASSIFICATION

    def add() -> None:
        new = NewLabel(name=f"l{next(number)}", type=type)
        here.store.write_now(samples.create_labels, town.alice, dataset.uuid, new=[new])

    def remove(name: str) -> None:
        here.store.write_now(samples.delete_labels, town.alice, dataset.uuid, wanted=[Named(type, name)])

    for _ in range(ROWS):
        add()
    return Walk(names={"dataset_id": dataset.uuid.hex}, last=add, gone=remove)


def imports_of(town: Town) -> Walk:
    """Import tasks of a dataset, newest first, each over before the next. They stay."""
    here, dataset = town.here, _dataset(town)
    here.store.write_now(held_for_good, HOST)  # nobody reads, as the tasks are over at once

    def add() -> None:
        new = NewImport(path="/srv/models/x", way=Way.MANIFEST)
        begun = here.store.write_now(transfers.begin_import, town.alice, dataset.uuid, new=new)
        here.store.write_now(transfers.stop_import, town.alice, dataset.uuid, uuid=begun.uuid)

    for _ in range(ROWS):
        add()
    return Walk(names={"dataset_id": dataset.uuid.hex}, first=add, can_go=_none, most=100)


def exports_of(town: Town) -> Walk:
    """Export tasks of a dataset, newest first. They stay."""
    here, dataset = town.here, _dataset(town)
    here.store.write_now(held_for_good, HOST)

    def add() -> None:
        new = NewExport(path="/srv/models/x", manifest="x", settings={"path": "obs://x/y"})
        here.store.write_now(transfers.begin_export, town.alice, dataset.uuid, new=new)

    for _ in range(ROWS):
        add()
    return Walk(names={"dataset_id": dataset.uuid.hex}, first=add, can_go=_none, most=100)


def versions_of(town: Town) -> Walk:
    """Versions of a dataset, newest first, each written before the next; any may be forgotten."""
    here, dataset = town.here, _dataset(town)
    here.store.write_now(held_for_good, HOST)

    def add() -> None:
        here.store.write_now(_publish, town.alice, dataset.uuid)

    def remove(one: str) -> None:
        here.store.write_now(transfers.delete_version, town.alice, dataset.uuid, uuid=UUID(one))

    for _ in range(ROWS):
        add()
    return Walk(names={"dataset_id": dataset.uuid.hex}, first=add, gone=remove, can_go=set, most=1000)


def _publish(tx: Write, caller: Caller, dataset: UUID) -> None:
    transfers.publish(tx, caller, dataset, new=NewVersion(path="/srv/models/work"))
    for id in exporting.due(tx, HOST, most=10):
        publishing.end_export(tx, id)


def samples_of(town: Town, query: dict[str, object]) -> Walk:
    """Samples of a dataset, newest or oldest first; all have one label."""
    here, dataset, number = town.here, _dataset(town), iter(range(100))
    said = SampleLabel(name="cat", type=LabelType.IMAGE_CLASSIFICATION)

    def add() -> None:
        path = b"%03d.png" % next(number)
        one = Sample(position=path, path=path, size=1, kind=SampleKind.IMAGE, labels=(said,))
        here.store.write_now(_put_one, dataset.id, one)

    def remove(one: str) -> None:
        here.store.write_now(samples.remove, town.alice, dataset.uuid, uuids=[UUID(one)])

    for _ in range(ROWS):
        add()
    grows = (None, add) if query["order"] == "asc" else (add, None)
    return Walk(query, {"dataset_id": dataset.uuid.hex}, first=grows[0], last=grows[1], gone=remove, most=100)


def _dataset(town: Town) -> Dataset:
    return catalogue.dataset(town.here, town.alice, catalogue.store(town.here, town.alice), type=DatasetType(0))


def _put_one(tx: Write, dataset: int, one: Sample) -> None:
    samples.put(tx, dataset, [one], base=b"/srv")


def images_of(town: Town, direction: str) -> Walk:
    """Saved images, newest or oldest first, each a second after the one before."""
    save, remove = _saving(town)

    def add() -> None:
        town.later()
        save()

    for _ in range(ROWS):
        add()
    query: dict[str, object] = {"sort_dir": direction, "type": "DEDICATED"}
    grows = {"ASC": (None, add), "DESC": (add, None)}[direction]
    return Walk(query, first=grows[0], last=grows[1], gone=remove)


def groups_of(town: Town) -> Walk:
    """Names of images; each is in a namespace of its own, and all are of one moment: one more comes later."""
    add, remove = _saving(town)
    for _ in range(ROWS):
        add()

    def later() -> None:
        town.later()
        add()

    return Walk({"type": "DEDICATED"}, first=later, gone=remove)


def _saving(town: Town) -> tuple[Callable[[], None], Callable[[str], None]]:
    """What saves an image, and what removes one by its id or its namespace."""
    here, there = town.here, dict[str, images.Image]()

    def add() -> None:
        as_ = SaveAs(namespace=f"team-{len(there)}", name="mine", tag="1.0")
        saved = here.store.write_now(
            images.start_save,
            town.alice,
            here.site,
            of=town.image,
            notebook=1,
            notebook_name="nb",
            host=HOST,
            as_=as_,
        )
        digest = f"sha256:{'0' * 64}"
        here.store.write_now(images.finish_save, saved.uuid, layer=Path("/layer"), size=1, digest=digest)
        there[str(saved.uuid)] = there[as_.namespace] = here.store.read_now(images.get, town.alice, saved.id)

    return add, lambda one: here.store.write_now(images.remove, town.alice, there[one])


class Stock:
    """What the machine has, as flavors show it: each has a size more with twice as many cores or cards."""

    def __init__(self, town: Town) -> None:
        self._here = town.here
        self.cores, self.dcus, self.npus = 8, 4, 0
        self.change()

    def change(self, **to: int) -> None:
        """Give the machine other numbers of these."""
        self.__dict__.update(to)
        self._here.node(cores=self.cores, cards=(*cards("dcu", self.dcus), *cards("npu", self.npus)))

    def lose(self, id: str) -> None:
        """Halve what a flavor is the largest of."""
        self.change(**({"cores": self.cores // 2} if ".cpu." in id else {"dcus": self.dcus // 2}))

    def largest(self, ids: Ids) -> frozenset[str]:
        """Those that go when the machine has half of it."""
        mine = (f"cpu.{self.cores}u", f"dcu.{self.dcus}u", f"dcu.{self.dcus}")
        return frozenset(id for id in ids if id.endswith(mine))


def flavors_of(town: Town) -> Walk:
    """Notebook flavors by their ids, of which `cpu.16u` is before all others."""
    stock = Stock(town)
    return Walk(
        {"sort_key": "id", "sort_dir": "ASC"},
        first=lambda: stock.change(cores=16),
        last=lambda: stock.change(npus=1),
        gone=stock.lose,
        can_go=stock.largest,
    )


def switchable_of(town: Town) -> Walk:
    """The same, for a notebook."""
    here = town.here
    spec = NotebookSpec(name="nb", image_path=town.image.path, kind="cpu", count=1)
    made = here.store.write_now(notebooks.create, town.alice, here.site, spec=spec, hosts={HOST: CAPABLE})
    walk = flavors_of(town)
    walk.names = {"id": str(made.uuid)}
    return walk


def site_flavors_of(town: Town) -> Walk:
    """Sizes of nodes: those of processors first, then by kind."""
    stock = Stock(town)
    return Walk(last=lambda: stock.change(npus=1), gone=stock.lose, can_go=stock.largest)


def workspaces_of(town: Town) -> Walk:
    """Workspaces by name; the default one is before all others, and stays."""
    here, there = town.here, dict[str, Workspace]()

    def add(name: str) -> None:
        made = here.store.write_now(workspaces.create, town.alice, name=name)
        assert made.uuid is not None
        there[made.uuid.hex] = made

    def remove(id: str) -> None:
        holdings = (NotebookHoldings(),)
        here.store.write_now(workspaces.delete, town.alice, there[id].id, holdings=holdings)

    for number in range(ROWS):
        add(f"room-{number}")
    return Walk(
        {"order": "asc"},
        last=lambda: add(f"wide-{len(there)}"),
        gone=remove,
        can_go=lambda ids: frozenset(ids) & frozenset(there),
    )


def pool_tags_of(town: Town) -> Walk:
    """Keys of pools' tags, in their order."""
    here, pool = town.here, make(town.here, town.alice, part("cpu.1u", 1))
    number = iter(range(100))

    def add(key: str) -> None:
        here.store.write_now(shares.put_tags, town.alice, pool.name, given=[Tag(key=key, value="x")])

    for letter in "bcdefghij"[:ROWS]:
        add(letter)
    return Walk(
        first=lambda: add(f"a{next(number)}"),
        last=lambda: add(f"z{next(number):02}"),
        gone=lambda key: here.store.write_now(shares.remove_tags, town.alice, pool.name, keys=[key]),
    )


def orders_of(town: Town) -> Walk:
    """Changes of a pool, newest first. They stay."""
    resize, pool = _resizing(town)
    for _ in range(ROWS):
        resize()
    return Walk({"involvedName": pool}, first=resize, can_go=_none)


def events_of(town: Town) -> Walk:
    """What happened to a pool, newest first. It stays."""
    resize, pool = _resizing(town)
    for _ in range(ROWS):
        resize()
    return Walk({"resource": "pools", "name": pool}, first=resize, can_go=_none)


def _none(_ids: Ids) -> frozenset[str]:
    return frozenset()


def _resizing(town: Town) -> tuple[Callable[[], None], str]:
    """What gives a pool one node more or less, a second later each time."""
    here, pool = town.here, make(town.here, town.alice, part("cpu.1u", 1, "parts"))
    count = iter(range(1000))

    def resize() -> None:
        town.later()
        to = 2 - next(count) % 2
        here.store.write_now(shares.resize, town.alice, pool.name, node_pool_name="parts", count=to)

    return resize, pool.name


def model_events_of(town: Town, order: str) -> Walk:
    """What happened to a model, newest or oldest first. It stays."""
    here = town.here
    model = catalogue.model(here, town.alice, catalogue.store(here, town.alice))

    def change() -> None:
        town.later()
        here.store.write_now(models.change, town.alice, model.uuid, to=ModelChange(description="x"))

    for _ in range(ROWS):
        change()
    grows = {"asc": (None, change), "desc": (change, None)}[order]
    return Walk({"order": order}, {"model_id": str(model.uuid)}, first=grows[0], last=grows[1], can_go=_none)


def networks_of(town: Town) -> Walk:
    """Networks, oldest first."""
    here, number = town.here, iter(range(200))
    here.store.write_now(quotas.set_most, here.admin, town.alice.project, name=quotas.NETWORKS, most=100)

    def add() -> None:
        at = next(number)
        new = NewNetwork(title=f"net-{at:03}", cidr=f"172.16.{at}.0/24")
        here.store.write_now(networks.create, town.alice, new)

    for _ in range(ROWS):
        add()
    return Walk(last=add, gone=lambda name: here.store.write_now(networks.delete, town.alice, name))


def nodes_of(town: Town, node_pool: str | None = None) -> Walk:
    """Nodes of a pool, oldest first."""
    here, pool = town.here, make(town.here, town.alice, part("cpu.1u", ROWS, "parts"))
    names = {"pool_name": pool.name}
    if node_pool:
        names["nodepool_name"] = node_pool

    def add() -> None:
        (found,) = here.store.read_now(shares.node_pools, town.alice, pool.name)
        count = found[0].count + 1
        here.store.write_now(shares.resize, town.alice, pool.name, node_pool_name="parts", count=count)

    return Walk(
        names=names,
        last=add,
        gone=lambda name: here.store.write_now(shares.release, town.alice, pool.name, names=[name]),
    )


BY_OFFSET: Final[dict[str, tuple[str, Callable[[Town], Walk]]]] = {
    "notebooks, newest first": ("ListNotebooks", lambda town: notebooks_of(town, "DESC")),
    "notebooks, oldest first": ("ListNotebooks", lambda town: notebooks_of(town, "ASC")),
    "all notebooks, newest first": ("ListAllNotebooks", lambda town: notebooks_of(town, "DESC")),
    "all notebooks, oldest first": ("ListAllNotebooks", lambda town: notebooks_of(town, "ASC")),
    "workloads, newest first": ("ListWorkloads", lambda town: workloads_of(town, "false")),
    "workloads, oldest first": ("ListWorkloads", lambda town: workloads_of(town, "true")),
    "models, newest first": ("ListModels", lambda town: models_of(town, "desc")),
    "models, oldest first": ("ListModels", lambda town: models_of(town, "asc")),
    "events of a model, newest first": ("ListModelEvents", lambda town: model_events_of(town, "desc")),
    "events of a model, oldest first": ("ListModelEvents", lambda town: model_events_of(town, "asc")),
    "datasets, newest first": ("ListDatasets", lambda town: datasets_of(town, "desc")),
    "datasets, oldest first": ("ListDatasets", lambda town: datasets_of(town, "asc")),
    "labels": ("ListLabels", labels_of),
    "import tasks": ("ListImportTasks", imports_of),
    "export tasks": ("ListExportTasks", exports_of),
    "versions of a dataset": ("ListDatasetVersions", versions_of),
    "samples, newest first": ("ListSamples", lambda town: samples_of(town, {"order": "desc"})),
    "samples of a label": ("ListSamples", lambda town: samples_of(town, {"order": "asc", "label_name": "cat"})),
    "labelled samples": ("ListSamples", lambda town: samples_of(town, {"order": "asc", "sample_state": "__ALL__"})),
    "images, newest first": ("ListImage", lambda town: images_of(town, "DESC")),
    "images, oldest first": ("ListImage", lambda town: images_of(town, "ASC")),
    "image groups": ("ListImageGroup", groups_of),
    "notebook flavors": ("ListFlavors", flavors_of),
    "flavors of a notebook": ("ShowSwitchableFlavors", switchable_of),
    "workspaces": ("ListWorkspace", workspaces_of),
    "tags of pools": ("ListPoolTags", pool_tags_of),
    "orders": ("ListOrders", orders_of),
}
"""Lists with `offset`: their operations, and what fills them."""

BY_PLACE: Final[dict[str, tuple[str, Callable[[Town], Walk]]]] = {
    "networks": ("ListNetworks", networks_of),
    "nodes of a pool": ("ListPoolNodes", nodes_of),
    "nodes of a node pool": ("ListNodePoolNodes", lambda town: nodes_of(town, "parts")),
    "resource flavors": ("ListResourceFlavors", site_flavors_of),
    "events": ("ListEvents", events_of),
}
"""Lists with `continue`."""


ROWS_OF: Final = {
    "ListImageGroup": ("data", "namespace"),
    "ListPoolTags": ("tags", "key"),
    "ListOrders": ("items", "orderName"),
    "ListEvents": ("items", "firstTimestamp"),
    "ListWorkloads": ("items", "uid"),
    "ListWorkspace": ("workspaces", "id"),
    "ListModels": ("models", "model_id"),
    "ListModelEvents": ("events", "occur_time"),
    "ListDatasets": ("datasets", "dataset_id"),
    "ListLabels": ("labels", "name"),
    "ListImportTasks": ("import_tasks", "task_id"),
    "ListExportTasks": ("export_tasks", "task_id"),
    "ListDatasetVersions": ("versions", "version_id"),
    "ListSamples": ("samples", "sample_id"),
}
"""Where the rows of an answer are, and what they are called by; of others `id` in `data`, or the name of an object."""


def ids_of(operation: str, answer: Any) -> list[str]:
    """What the rows of a page are called."""
    if operation in ROWS_OF:
        rows, name = ROWS_OF[operation]
        return [one[name] for one in answer[rows]]
    if "items" in answer:
        return [one["metadata"]["name"] for one in answer["items"]]
    return [one["id"] for one in answer["data"]]
