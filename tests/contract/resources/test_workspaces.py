"""Workspaces: who has them, what they are called, and what keeps them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from tests.builders import HOST, Place
from tests.shares import allow, part
from tests.shares import make as make_pool
from trivium.base.caller import Caller, Role
from trivium.base.errors import Forbidden, Invalid
from trivium.base.query import Condition, Op, Order, Query
from trivium.resources import events, images, networks, notebooks, pools, shares, workspaces
from trivium.resources.images import SaveAs
from trivium.resources.networks import NewNetwork
from trivium.resources.workspaces import (
    DEFAULT,
    Audience,
    NoSuchWorkspace,
    Workspace,
    WorkspaceChange,
    WorkspaceInUse,
    WorkspaceIsDefault,
    WorkspaceNameTaken,
)

HOLDINGS = (
    notebooks.NotebookHoldings(),
    images.ImageHoldings(),
    pools.PoolHoldings(),
    networks.NetworkHoldings(),
)


@pytest.fixture
def alice(here: Place) -> Caller:
    """A user, on a machine with room."""
    here.node(cores=64)
    return here.user("alice")


def colleague(here: Place, of: Caller, name: str = "carol") -> Caller:
    """Another user in somebody's project."""
    return replace(here.user(name), project=of.project)


def make(here: Place, caller: Caller, name: str = "research", **told: object) -> Workspace:
    return here.store.write_now(workspaces.create, caller, name=name, **told)  # type: ignore[arg-type]


def test_a_new_workspace_is_its_makers_and_found_by_id_and_uuid(here: Place, alice: Caller) -> None:
    made = make(here, alice, " 研究 组 ", description="for us")
    assert (made.name, made.description, made.owner, made.audience) == (
        "研究 组",
        "for us",
        alice.user,
        Audience.PUBLIC,
    )
    assert made.uuid is not None
    assert here.store.read_now(workspaces.get, alice, made.id) == made
    assert here.store.read_now(workspaces.find, alice, made.uuid) == made
    assert here.store.read_now(workspaces.uuids_of, [made.id, DEFAULT, 5]) == {made.id: made.uuid}
    assert [event.action for event in here.store.read_now(events.latest, "workspace")] == ["workspace.create"]


def test_every_project_has_the_default_one_which_cannot_be_changed(here: Place, alice: Caller) -> None:
    default = here.store.read_now(workspaces.get, alice, DEFAULT)
    assert (default.id, default.uuid, default.name) == (0, None, "default")
    with pytest.raises(WorkspaceIsDefault):
        here.store.write_now(workspaces.update, alice, DEFAULT, to=WorkspaceChange(name="another"))
    with pytest.raises(WorkspaceIsDefault):
        here.store.write_now(workspaces.delete, alice, DEFAULT, holdings=HOLDINGS)


@pytest.mark.parametrize("name", ["abc", "   ab", "x" * 65, "tab\tname", "nul\0name"])
def test_a_senseless_name_is_refused(here: Place, alice: Caller, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(here, alice, name)
    assert caught.value.field == "name"


def test_a_name_is_given_once_in_a_project(here: Place, alice: Caller) -> None:
    make(here, alice)
    make(here, here.user("bob"))
    for name in ("research", "default"):
        with pytest.raises(WorkspaceNameTaken):
            make(here, alice, name)
    other = make(here, alice, "other")
    with pytest.raises(WorkspaceNameTaken):
        here.store.write_now(workspaces.update, alice, other.id, to=WorkspaceChange(name="research"))


def test_of_several_who_take_a_name_at_once_one_gets_it(here: Place, alice: Caller) -> None:
    def one(_number: int) -> bool:
        try:
            make(here, alice)
        except WorkspaceNameTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(8))) == 1


def test_another_project_and_who_may_not_use_it_see_nothing_of_it(here: Place, alice: Caller) -> None:
    hidden = make(here, alice, audience=Audience.PRIVATE)
    for other in (here.user("bob"), colleague(here, alice)):
        with pytest.raises(NoSuchWorkspace):
            here.store.read_now(workspaces.get, other, hidden.id)
        with pytest.raises(NoSuchWorkspace):
            here.store.write_now(workspaces.delete, other, hidden.id, holdings=HOLDINGS)
        assert here.store.read_now(workspaces.list_workspaces, other, Query()).total == 0
    administrator = replace(here.admin, project=alice.project)
    assert here.store.read_now(workspaces.get, administrator, hidden.id) == hidden
    assert here.store.read_now(workspaces.list_workspaces, administrator, Query()).total == 1


def test_only_its_owner_and_administrators_change_it(here: Place, alice: Caller) -> None:
    made = make(here, alice)
    carol = colleague(here, alice)
    with pytest.raises(Forbidden):
        here.store.write_now(workspaces.update, carol, made.id, to=WorkspaceChange(name="carol's"))
    with pytest.raises(Forbidden):
        here.store.write_now(workspaces.delete, carol, made.id, holdings=HOLDINGS)
    to = WorkspaceChange(name="renamed", description="d", audience=Audience.INTERNAL)
    after = here.store.write_now(workspaces.update, replace(here.admin, project=alice.project), made.id, to=to)
    assert (after.name, after.description, after.audience) == ("renamed", "d", Audience.INTERNAL)
    again = here.store.write_now(workspaces.update, alice, made.id, to=WorkspaceChange(name="renamed"))
    assert again.audience is Audience.INTERNAL


def test_lists_search_names_and_sort(here: Place, alice: Caller) -> None:
    for name in ("Beta one", "alpha two", "gamma"):
        make(here, alice, name)
    word = Condition(field="name", op=Op.CONTAINS, value="A T")
    asked = Query(where=(word,), order=(Order(field="name"),))
    found = here.store.search_now(workspaces.list_workspaces, alice, asked)
    assert ([one.name for one in found.rows], found.total) == (["alpha two"], 1)
    by_name = here.store.search_now(workspaces.list_workspaces, alice, Query(order=(Order(field="name"),)))
    assert [one.name for one in by_name.rows] == ["Beta one", "alpha two", "gamma"]


def test_a_workspace_with_notebooks_or_images_stays(here: Place, alice: Caller) -> None:
    made, image = make(here, alice), here.image()
    notebook = here.notebook(alice, image, workspace=made.id)
    assert notebook.workspace == made.id
    with pytest.raises(WorkspaceInUse) as caught:
        here.store.write_now(workspaces.delete, alice, made.id, holdings=HOLDINGS)
    assert caught.value.details["held"] == "1 notebook"
    other = make(here, alice, "other")
    as_ = SaveAs(namespace="team", name="image", tag="1", workspace=other.id)
    here.store.write_now(
        images.start_save, alice, here.site, of=image, notebook=1, notebook_name="n", host=HOST, as_=as_
    )
    with pytest.raises(WorkspaceInUse):
        here.store.write_now(workspaces.delete, alice, other.id, holdings=HOLDINGS)
    empty = make(here, alice, "empty")
    here.store.write_now(workspaces.delete, alice, empty.id, holdings=HOLDINGS)
    with pytest.raises(NoSuchWorkspace):
        here.store.read_now(workspaces.get, alice, empty.id)
    make(here, alice, "empty")


def test_a_workspace_with_pools_or_networks_stays(here: Place, alice: Caller) -> None:
    workspace = make(here, allow(here, alice))
    new = NewNetwork(title="net", cidr="192.168.0.0/24", workspace=workspace.id)
    net = here.store.write_now(networks.create, alice, new)
    pool = make_pool(here, alice, part("cpu.1u", 1), network=net.name, workspace=workspace.id)
    assert (net.workspace, pool.workspace) == (workspace.id, workspace.id)

    def held() -> str:
        with pytest.raises(WorkspaceInUse) as refused:
            here.store.write_now(workspaces.delete, alice, workspace.id, holdings=HOLDINGS)
        return str(refused.value.details["held"])

    assert held() == "pools"
    here.store.write_now(shares.delete, alice, pool.name, occupants=())
    assert held() == "networks"
    here.store.write_now(networks.delete, alice, net.name)
    here.store.write_now(workspaces.delete, alice, workspace.id, holdings=HOLDINGS)


def test_pools_and_networks_of_others_are_put_in_no_workspace_of_mine(here: Place, alice: Caller) -> None:
    mine, bob = make(here, alice), allow(here, here.user("bob"))
    with pytest.raises(NoSuchWorkspace):
        make_pool(here, bob, part("cpu.1u", 1), workspace=mine.id)
    new = NewNetwork(title="net", cidr="192.168.0.0/24", workspace=mine.id)
    with pytest.raises(NoSuchWorkspace):
        here.store.write_now(networks.create, bob, new)
    admin = replace(here.admin, project=alice.project)
    with pytest.raises(NoSuchWorkspace):
        here.store.write_now(networks.create, admin, new, project=bob.project)
    assert here.store.write_now(networks.create, admin, new, project=alice.project).workspace == mine.id


def test_pools_are_listed_and_counted_by_workspace(here: Place, alice: Caller) -> None:
    workspace = make(here, allow(here, alice))
    pool = make_pool(here, alice, part("cpu.1u", 1), workspace=workspace.id)
    asked = Query(where=(Condition(field="workspace", op=Op.EQ, value=workspace.id),), order=(Order("id"),))
    assert [one.id for one in here.store.read_now(pools.list_pools, alice, asked).rows] == [pool.id]
    assert here.store.search_now(pools.count, alice, asked) == 1
    assert here.store.search_now(pools.count, here.user("bob"), asked) == 0


def test_nothing_is_put_in_a_workspace_that_is_not_there_or_not_ones_own(here: Place, alice: Caller) -> None:
    bobs, image = make(here, here.user("bob", Role.ADMIN)), here.image()
    for id in (bobs.id, 12345):
        with pytest.raises(NoSuchWorkspace):
            here.notebook(alice, image, workspace=id)
