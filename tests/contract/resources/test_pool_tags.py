"""Tags of pools: whose they are, who may give them, and what is left of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.builders import Place, cards
from tests.shares import OCCUPANTS, allow, make, part
from trivium.base.caller import Caller
from trivium.base.errors import Forbidden
from trivium.base.units import GIB
from trivium.resources import events, pools, shares, workspaces
from trivium.resources.pools import NoSuchPool, Pool
from trivium.resources.shares import OfMachines
from trivium.resources.tags import Tag, TooManyTags
from trivium.resources.workspaces import Audience
from trivium.store import Read

TEAM, ENV = Tag("team", "vision"), Tag("env", "prod")


@pytest.fixture
def user(here: Place) -> Caller:
    """Somebody whose project may have pools."""
    here.node(cores=16, memory=64 * GIB, cards=cards("dcu", 4))
    return allow(here, here.user("alice"))


@pytest.fixture
def pool(here: Place, user: Caller) -> Pool:
    """A pool of theirs with two tags."""
    made = make(here, user, part("cpu.1u", 1))
    assert here.store.write_now(shares.put_tags, user, made.name, given=(TEAM, ENV)) == [ENV, TEAM]
    return made


def of(here: Place, caller: Caller) -> dict[str, list[str]]:
    found = here.store.read_now(shares.tags_by_key, caller)
    return {key: list(values) for key, values in found.items()}


def test_tags_of_a_projects_pools_are_merged_by_key(here: Place, user: Caller, pool: Pool) -> None:
    other = make(here, user, part("cpu.1u", 1), title="other")
    here.store.write_now(shares.put_tags, user, other.name, given=(Tag("team", "nlp"), ENV))
    assert of(here, user) == {"env": ["prod"], "team": ["nlp", "vision"]}
    assert of(here, here.user("bob")) == {}
    assert here.store.read_now(shares.tags_of_many, (pool.id, other.id))[pool.id] == [ENV, TEAM]


@pytest.mark.usefixtures("pool")
def test_tags_of_pools_in_workspaces_that_one_may_not_use_are_left_out(here: Place, user: Caller) -> None:
    of_two = (("private", Audience.PRIVATE), ("public", Audience.PUBLIC))
    for title, audience in of_two:
        workspace = here.store.write_now(workspaces.create, user, name=f"a-{title}", audience=audience)
        made = make(here, user, part("cpu.1u", 1), title=title, workspace=workspace.id)
        here.store.write_now(shares.put_tags, user, made.name, given=(Tag("kind", title),))
    carol = replace(here.user("carol"), project=user.project)
    assert of(here, user)["kind"] == ["private", "public"]
    assert of(here, replace(here.admin, project=user.project))["kind"] == ["private", "public"]
    assert of(here, carol) == {"env": ["prod"], "team": ["vision"], "kind": ["public"]}


def test_a_key_has_one_value_and_what_is_taken_is_gone(here: Place, user: Caller, pool: Pool) -> None:
    here.store.write_now(shares.put_tags, user, pool.name, given=(Tag("env", "test"),))
    left = here.store.write_now(shares.remove_tags, user, pool.name, keys=("team", "nothing"))
    assert left == here.store.read_now(shares.tags_of, user, pool.name) == [Tag("env", "test")]


def test_a_pool_has_at_most_so_many_tags(here: Place, user: Caller, pool: Pool) -> None:
    with pytest.raises(TooManyTags):
        here.store.write_now(shares.put_tags, user, pool.name, given=[Tag(f"key-{n}") for n in range(19)])
    assert here.store.read_now(shares.tags_of, user, pool.name) == [ENV, TEAM]


def test_a_deleted_pools_tags_are_gone_with_it(here: Place, user: Caller, pool: Pool) -> None:
    here.store.write_now(shares.delete, user, pool.name, occupants=OCCUPANTS)
    assert of(here, user) == {}


def test_nobody_tags_what_is_not_theirs(here: Place, user: Caller, pool: Pool) -> None:
    bob = here.user("bob")
    with pytest.raises(NoSuchPool):
        here.store.write_now(shares.put_tags, bob, pool.name, given=(TEAM,))
    with pytest.raises(NoSuchPool):
        here.store.read_now(shares.tags_of, bob, pool.name)
    default = here.store.read_now(pools.default_pool)
    assert default is not None
    with pytest.raises(Forbidden):
        here.store.write_now(shares.put_tags, user, default.name, given=(TEAM,))
    with pytest.raises(OfMachines):
        here.store.write_now(shares.put_tags, here.admin, default.name, given=(TEAM,))


def test_only_a_change_of_tags_is_an_event(here: Place, user: Caller, pool: Pool) -> None:
    here.store.write_now(shares.put_tags, user, pool.name, given=(TEAM,))
    here.store.write_now(shares.remove_tags, user, pool.name, keys=("nothing",))
    here.store.write_now(shares.remove_tags, user, pool.name, keys=("env",))

    def seen(tx: Read) -> list[tuple[str | None, str | None]]:
        found = events.latest(tx, "pool", target=pool.id)
        return [(one.before, one.after) for one in found if one.action == "pool.tag"]

    both = '{"env":"prod","team":"vision"}'
    assert here.store.read_now(seen) == [(both, '{"team":"vision"}'), ("{}", both)]
