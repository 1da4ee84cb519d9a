"""Lists of ModelArts' dialect that are walked a row at a time, and how rows of each come and go meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from tests.builders import CAPABLE, HOST, Place, cards
from tests.shares import allow, make, part
from trivium.base.clock import ManualClock
from trivium.dialects.modelarts import ModelArtsDialect, ModelArtsSettings
from trivium.dialects.modelarts.auth import TOKEN_MARK
from trivium.dialects.operation import Core, Request
from trivium.drivers.runtimes.process.runtime import ProcessRuntime
from trivium.drivers.runtimes.process.settings import ProcessSettings
from trivium.resources import images, networks, notebooks, pools, projects, quotas, shares, users, workspaces
from trivium.resources.images import SaveAs
from trivium.resources.networks import NewNetwork
from trivium.resources.notebooks import NotebookHoldings, NotebookSpec
from trivium.resources.notebooks.outcomes import note_failed
from trivium.resources.notebooks.ports import LaunchKey, Observation, Phase
from trivium.resources.tags import Tag
from trivium.resources.users import SessionKind
from trivium.resources.workspaces import Workspace
from trivium.server.remote.runtimes import HostRuntimes

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


def ids_of(operation: str, answer: Any) -> list[str]:
    """What the rows of a page are called."""
    if operation == "ListImageGroup":
        return [one["namespace"] for one in answer["data"]]
    if operation == "ListPoolTags":
        return [one["key"] for one in answer["tags"]]
    if operation == "ListOrders":
        return [one["orderName"] for one in answer["items"]]
    if operation == "ListEvents":
        return [one["firstTimestamp"] for one in answer["items"]]
    if operation == "ListWorkloads":
        return [one["uid"] for one in answer["items"]]
    if operation == "ListWorkspace":
        return [one["id"] for one in answer["workspaces"]]
    if "items" in answer:
        return [one["metadata"]["name"] for one in answer["items"]]
    return [one["id"] for one in answer["data"]]
