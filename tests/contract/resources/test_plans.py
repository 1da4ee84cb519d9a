"""What goes on beside requests, and what operators ask for, goes through no growing table either.

Requests are held to that by the wire cases. Two things go through all images by what they are, and are not here: the
hourly look for saved layers that nobody needs, and the look for images that another host has too.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select, update

from tests.builders import HOST
from tests.plans import noted
from tests.seeded_plans import all_scans
from tests.shares import part
from tests.worlds import Person, World, world
from trivium.base.caller import Caller
from trivium.base.query import After, Condition, Offset, Op, Order, Query
from trivium.base.reasons import Reason
from trivium.resources import hosts, images, networks, nodes, notebooks, pools, quotas, shares, users, workspaces
from trivium.resources.hosts import CallResult
from trivium.resources.images import Examined, Registration
from trivium.resources.labels import Requirement, Selecting
from trivium.resources.networks import NewNetwork
from trivium.resources.nodes.table import nodes as nodes_table
from trivium.resources.notebooks import Feature, Notebook, NotebookScope, Status, attachments, outcomes
from trivium.resources.notebooks.ports import Mount
from trivium.resources.notebooks.table import notebooks as table
from trivium.resources.pools import PoolDetails
from trivium.resources.shares import NewPool
from trivium.resources.tags import Tag
from trivium.resources.workspaces import WorkspaceChange
from trivium.server.host.inventory import take_stock
from trivium.store import Flavour, Read, Write

GOES_THROUGH_ALL = "SELECT id FROM notebooks WHERE kind = 'cpu'"


async def test_what_goes_on_beside_requests_looks_up_what_it_needs(database_url: str, tmp_path: Path) -> None:
    with noted() as statements:
        async with world(url=database_url) as here:
            person = here.user()
            image = await here.image("tiny:1")
            stopped = await here.notebook(person, image, Status.STOPPED)
            running = await here.notebook(person, image, Status.RUNNING, attach_at="/attached")
            await administrators_lists(here, stopped)
            await mounts(here, person, running)
            await limits_and_ends(here, person, stopped=stopped, running=running)
            await pools_and_nodes(here, person)
            await people(here, person)
            await several_servers(here)
            await counts(here)
            await lists(here)
            await parts(here)
            await registered_images(here)
    statements.note(GOES_THROUGH_ALL) if statements.sqlite else statements.note_postgresql(GOES_THROUGH_ALL, None)
    scans = all_scans(statements, tmp_path)
    assert [scan for scan in scans if not scan.endswith(GOES_THROUGH_ALL)] == []
    assert len(scans) == 1  # so this test would notice


async def limits_and_ends(here: World, person: Person, *, stopped: Notebook, running: Notebook) -> None:
    """What a worker does by itself."""
    store = here.core.store
    await store.write(outcomes.apply_limits, HOST, here.core.site)
    for notebook, clock in ((stopped, table.c.release_at), (running, table.c.stop_at)):
        assert await store.write(overdue, notebook, clock.key)
    await store.write(outcomes.expire, HOST)
    await here.comes_to(person, running.id, Status.STOPPED)
    await here.release_all(person)
    await store.write(notebooks.purge, store.clock.now() + timedelta(days=1))


def overdue(tx: Write, notebook: Notebook, clock: str) -> bool:
    """Whether anything is due then: a moment later the worker may have done it."""
    tx.run(update(table).where(table.c.id == notebook.id).values({clock: tx.now}))
    return outcomes.is_anything_due(tx, HOST)


async def administrators_lists(here: World, stopped: Notebook) -> None:
    """Lists of all projects' notebooks.

    Each status has an index in the order of ids. PostgreSQL walks ids back instead where its statistics say that a
    status is common, so that a page is found after a page's worth of steps: rightly, and not to be judged by a plan.
    """
    if here.core.store.flavour is Flavour.POSTGRESQL:
        return
    for asked in (Query(), Query(page=Offset(limit=1, offset=1))):
        found = await here.core.store.search(notebooks.list_all_stamps, here.admin, asked)
        assert found.total == 2
    assert await here.core.store.search(notebooks.all_by_ids, here.admin, [stopped.id])


async def pools_and_nodes(here: World, person: Person) -> None:
    """What callers ask of networks, pools and their nodes, and what is done with these."""
    store, caller = here.core.store, person.caller
    for name in (quotas.POOLS, quotas.NETWORKS):
        await store.write(quotas.set_most, here.admin, caller.project, name=name, most=5)
    net = await store.write(networks.create, caller, NewNetwork(title="net", cidr="10.0.0.0/24", labels={"a": "b"}))
    new = NewPool(
        title="pool", details=PoolDetails(labels={"a": "b"}), node_pools=(part("cpu.1u", 3),), network=net.name
    )
    pool = await store.write(shares.create, caller, new)
    await store.write(shares.add_node_pool, caller, pool.name, new=part("dcu.1", 2, "cards"))
    await store.write(shares.change, caller, pool.name, details=PoolDetails(), counts={"cards": 1, "cpu.1u-default": 4})
    await store.write(shares.put_tags, caller, pool.name, given=[Tag("a", "b"), Tag("c")])
    await store.write(shares.remove_tags, caller, pool.name, keys=["c"])
    await store.read(pools_and_nodes_seen, caller, pool.name, net.name)
    first = (await store.read(shares.list_nodes, caller, pool.name, asked=Query())).rows[0].node.name
    await store.write(shares.lock_nodes, caller, pool.name, node=first, actions=("delete",))
    await store.write(shares.unlock_nodes, caller, pool.name, node=first, actions=("delete",))
    await store.write(shares.drain, caller, pool.name, node=first)
    await store.write(shares.resume, caller, pool.name, node=first)
    await store.write(shares.release, caller, pool.name, names=(first,))
    await store.write(take_stock, await here.runtime.nodes(), host=HOST)
    await store.write(take_stock, (), host=HOST)
    await store.write(take_stock, await here.runtime.nodes(), host=HOST)
    await store.write(shares.remove_node_pool, caller, pool.name, node_pool_name="cards")
    await store.write(shares.delete, caller, pool.name, occupants=(notebooks.NotebookOccupants(),))
    await store.read(shares.orders_of, caller, pool.name, asked=Query())
    await store.write(networks.change, caller, net.name, description="x")
    await store.write(networks.delete, caller, net.name)


def pools_and_nodes_seen(tx: Read, caller: Caller, pool: str, network: str) -> None:
    """Every list, on its first page and after a key, upwards and downwards."""
    selector = (Requirement("a", Selecting.IN, ("b",)), Requirement("c", Selecting.NOT_EXISTS))
    since = Condition("at", Op.GE, tx.now - timedelta(hours=1))
    for descending, chosen in ((False, ()), (True, selector)):
        order = (Order("id", descending=descending),)
        middle = tx.value(select(func.max(nodes_table.c.id))) + (1 if descending else -1)
        for page in (Offset(limit=1), After(limit=1, key=(middle,)), After(limit=1, key=(0,))):
            asked = Query(order=order, page=page)
            networks.list_networks(tx, caller, asked, selector=chosen)
            pools.list_pools(tx, caller, asked, selector=chosen)
            shares.list_nodes(tx, caller, pool, asked=asked)
            _, stamps = shares.list_stamps(tx, caller, pool, asked=asked, node_pool="cards")
            nodes.by_ids(tx, pools.find_any(tx, caller, pool).id, [one.id for one in stamps.rows])
            shares.orders(tx, caller, asked=asked)
            notebooks.list_in_pool(tx, caller, pools.find_any(tx, caller, pool).id, asked=asked)
            shares.events_of(tx, caller, pool, asked=Query(where=(since,), order=order, page=page))
    assert networks.availability(tx, networks.by_name(tx, caller, network)).used == 5
    assert networks.of_ids(tx, [networks.by_name(tx, caller, network).id])
    assert len(shares.node_pools(tx, caller, pool)) == 2
    assert nodes.site_flavors(tx)
    assert nodes.at_addresses(tx, pools.find_any(tx, caller, pool).id, ["192.0.2.1"]) == []
    assert notebooks.count_in_pool(tx, caller, pools.find_any(tx, caller, pool).id) == {}
    assert pools.count(tx, caller, Query()) >= 2
    assert pools.in_workspaces(tx, [7]) == workspaces.hidden(tx, caller) == []
    assert pools.PoolHoldings().held_in(tx, 7) is None
    assert networks.NetworkHoldings().held_in(tx, 7) is None
    assert shares.tags_of(tx, caller, pool) == [Tag("a", "b")]
    assert nodes.named(tx, pools.find_any(tx, caller, pool).id, ["x"]) == frozenset()
    assert len(shares.names(tx, pools.find_any(tx, caller, pool).id)) == 2
    assert quotas.of_project(tx, caller.project)


async def people(here: World, person: Person) -> None:
    """What comes and goes with people."""
    store, id = here.core.store, person.caller.user
    await store.write(users.purge, store.clock.now())
    assert await store.read(users.oldest_admin) is not None
    assert (await store.read(users.find, person.name)).id == id
    assert (await store.read(users.login_of, person.name)).caller is None
    assert await store.read(users.list_keys, person.caller, user=id)
    assert await store.read(users.role_in, id, person.caller.project) is not None
    await store.write(users.freeze, here.admin, id)
    await store.write(users.unfreeze, here.admin, id)
    await store.write(users.delete_key, person.caller, person.key.access_key)
    await store.write(users.delete, here.admin, id, holdings=(notebooks.NotebookHoldings(),))


async def several_servers(here: World) -> None:
    """What servers do about hosts, and ask of each other."""
    store = here.core.store

    def look(tx: Read) -> None:
        assert hosts.standing(tx)
        assert hosts.proxy_of(tx, HOST) is None
        assert HOST in hosts.held_now(tx)
        hosts.away(tx)

    def call(tx: Write) -> None:
        id = hosts.submit_call(tx, HOST, "logs", arguments="{}", within=timedelta(minutes=1))
        assert [one.id for one in hosts.take_calls(tx, HOST, worker=1)] == [id]
        hosts.finish_call(tx, id, CallResult(answer="{}", failure=None))
        assert hosts.result_of(tx, id) is not None
        hosts.drop_call(tx, id)
        nodes.note_away(tx, ["another"])

    await store.read(look)
    await store.write(call)


async def counts(here: World) -> None:
    """What keeps and tells numbers."""
    store = here.core.store
    store.fold()
    assert store.renew_lease()
    assert await store.search(notebooks.by_status) == {}


async def lists(here: World) -> None:
    """What lists of notebooks are asked: by features, workspaces and tags, and of deleted ones."""
    store = here.core.store
    caller = here.user().caller
    tagged = (Tag("env", "prod"), Tag("team", "a"))
    statuses = Condition(field="status", op=Op.IN, value=("running", "stopped"))
    shapes: tuple[tuple[Condition, ...], ...] = (
        (),
        (statuses,),
        *((Condition(field=field, op=Op.EQ, value=value),) for field, value in EQUAL),
        *((Condition(field=field, op=Op.CONTAINS, value="a word"),) for field in SEARCHED),
        tuple(Condition(field=field, op=Op.EQ, value=value) for field, value in EQUAL[:2]),
        (Condition(field="feature", op=Op.EQ, value="free"), statuses),
    )
    for where in shapes:
        for scope in NotebookScope:
            for order in ((), (Order("created_at"),), (Order("name"),)):
                asked = Query(where=where, order=order, page=Offset(limit=1, offset=300))
                await store.search(notebooks.list_notebooks, caller, asked, scope=scope)
                near = Query(where=where, order=order)
                await store.search(notebooks.list_stamps, caller, near, scope=scope)
        await store.search(notebooks.list_notebooks, caller, Query(where=where), tagged=tagged)


async def registered_images(here: World) -> None:
    """What projects have as their own of what is there, by path, id and group."""
    store, caller, image = here.core.store, here.user().caller, await here.image("tiny:3")
    own = await store.write(images.register, caller, Registration(path=image.path, read_me="x", tags=(Tag("a"),)))
    assert (await store.read(images.by_path, caller, image.path)).id == image.id
    await store.write(images.note_examined, caller, own, examined=Examined(reason=Reason(code="image.changed")))
    assert await images.examine(
        store, here.core.places, caller, image=await store.read(images.by_uuid, caller, own.uuid)
    )
    await store.write(images.remove, here.admin, image)
    assert (await store.read(images.by_path, caller, image.path)).id == own.id
    found = await store.search(images.list_groups, caller, images.GroupQuery(preset=False))
    await store.write(images.update_group, caller, found.rows[0].uuid, read_me="y", given=[Tag("b")])
    assert await store.read(images.tags_of_groups, [found.rows[0].id])
    await store.write(images.remove_group, caller, found.rows[0].uuid)


EQUAL: Final = (
    ("feature", "free"),
    ("workspace", 5),
    ("workspace", 0),
    ("owner.id", 5),
    ("units", 5),
    ("address", "192.0.2.1"),
)
SEARCHED: Final = ("name", "description", "image_path", "owner_name", "pool")


async def parts(here: World) -> None:
    """What is told apart in a project: tags and workspaces, and what they hold."""
    store, person = here.core.store, here.user()
    caller = person.caller
    notebook = await here.notebook(person, await here.image("tiny:2"), Status.CREATING, feature=Feature.FREE)
    await store.write(notebooks.put_tags, caller, notebook.id, given=[Tag("env", "prod")])
    assert await store.search(notebooks.tags_by_key, caller) == {"env": ["prod"]}
    await store.write(notebooks.remove_tags, caller, notebook.id, keys=["env"])
    assert (await store.read(notebooks.by_uuid, caller, notebook.uuid)).id == notebook.id
    room = await store.write(workspaces.create, caller, name="research")
    await store.search(workspaces.list_workspaces, caller, Query())
    await store.search(workspaces.list_workspaces, here.admin, Query(order=(Order("name"),)))
    assert room.uuid is not None
    await store.read(workspaces.find, caller, room.uuid)
    await store.read(workspaces.uuids_of, [room.id])
    await store.write(workspaces.update, caller, room.id, to=WorkspaceChange(description="ours"))
    await store.write(
        workspaces.delete, caller, room.id, holdings=(notebooks.NotebookHoldings(), images.ImageHoldings())
    )
    await here.release_all(person)


async def mounts(here: World, person: Person, running: Notebook) -> None:
    """What is asked about directories that are shown to a notebook while it runs."""
    store, caller = here.core.store, person.caller
    if running.attach_at is None:
        return  # the host has no mount namespaces
    mount = Mount(source="sets", target=f"{running.attach_at}/sets")
    made = await store.write(notebooks.attach, caller, running.id, mount=mount)
    await store.read(notebooks.attachment_of, caller, running.id, attachment=made.uuid)
    assert await store.read(notebooks.attachments_of, caller, running.id)
    await store.write(attachments.note, made, None)
    await store.write(notebooks.detach, caller, running.id, attachment=made.uuid)
