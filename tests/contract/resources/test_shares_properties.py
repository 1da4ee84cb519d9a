"""Whatever is made, resized, drained, placed, ended and deleted in whatever order: nothing is given out twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.builders import Place, cards, place
from tests.shares import OCCUPANTS, allow, balanced, machine, make, nodes_of, part, placed
from trivium.base.caller import Caller
from trivium.base.units import GIB
from trivium.resources import nodes, notebooks, shares
from trivium.resources.images import Image
from trivium.resources.nodes import NoCapacity, NodeInUse, NoSuchFlavor
from trivium.resources.notebooks import NoFlavor, Notebook, outcomes
from trivium.resources.pools import Pool, PoolExists
from trivium.resources.shares import NodePoolExists, PoolInUse
from trivium.store import Write

REFUSED = (NoCapacity, NodeInUse, NoSuchFlavor, NoFlavor, PoolExists, NodePoolExists, PoolInUse)
CORES, MEMORY, CARDS = 16, 64 * GIB, 4
FLAVORS = st.sampled_from(["cpu.1u", "cpu.2u", "dcu.1", "dcu.2"])
COUNTS = st.integers(0, 3)
KINDS = st.sampled_from(["cpu", "dcu"])


class Site(RuleBasedStateMachine):
    """One machine that is cut into pools and given to notebooks, and that shrinks and grows at times."""

    made = Bundle("made")
    asked = Bundle("asked")

    def __init__(self, databases: Callable[[], AbstractContextManager[str | None]]) -> None:
        super().__init__()
        self.databases = databases
        self.open = ExitStack()

    @initialize()
    def begin(self) -> None:
        folder = self.open.enter_context(TemporaryDirectory())
        url = self.open.enter_context(self.databases()) or f"sqlite:///{Path(folder) / 'trivium.db'}"
        self.here: Place = self.open.enter_context(place(url))
        self.here.node(cores=CORES, memory=MEMORY, cards=cards("dcu", CARDS))
        self.user: Caller = allow(self.here, self.here.user("alice"), most=1000)
        self.image: Image = self.here.image()
        self.number = 0

    def teardown(self) -> None:
        self.open.close()

    @rule(target=made, flavor=FLAVORS, count=COUNTS)
    def makes(self, flavor: str, count: int) -> Any:
        self.number += 1
        return self.tried(lambda: make(self.here, self.user, part(flavor, count), title=f"p{self.number}"))

    @rule(pool=made, flavor=FLAVORS, count=COUNTS)
    def widens(self, pool: Pool | None, flavor: str, count: int) -> None:
        if pool is not None:
            new = part(flavor, count)
            self.tried(lambda: self.here.store.write_now(shares.add_node_pool, self.user, pool.name, new=new))

    @rule(pool=made, which=st.integers(0, 3), count=COUNTS)
    def resizes(self, pool: Pool | None, which: int, count: int) -> None:
        if pool is not None:
            found = [one.name for one, _ in self.here.store.read_now(shares.node_pools, self.user, pool.name)]
            counts = {found[which % len(found)]: count}
            self.tried(lambda: self.here.store.write_now(shares.change, self.user, pool.name, counts=counts))

    @rule(pool=consumes(made), target=made)
    def deletes(self, pool: Pool | None) -> Any:
        if pool is None:
            return None
        gone = self.tried(lambda: self.here.store.write_now(shares.delete, self.user, pool.name, occupants=OCCUPANTS))
        return pool if gone is None else None

    @rule(pool=made, which=st.integers(0, 9), drained=st.booleans())
    def drains(self, pool: Pool | None, which: int, drained: bool) -> None:
        found = () if pool is None else nodes_of(self.here, self.user, pool)
        if pool is not None and found:
            act = shares.drain if drained else shares.resume
            self.here.store.write_now(act, self.user, pool.name, node=found[which % len(found)].node.name)

    @rule(target=asked, kind=KINDS, count=st.integers(1, 2))
    def asks(self, kind: str, count: int) -> Any:
        return self.tried(lambda: self.here.notebook(self.user, self.image, kind=kind, count=count))

    @rule(target=asked, pool=made, kind=KINDS, count=st.integers(1, 2))
    def asks_in_a_pool(self, pool: Pool | None, kind: str, count: int) -> Any:
        if pool is None:
            return None
        before = machine(self.here)
        notebook = self.tried(lambda: placed(self.here, self.user, self.image, pool, kind, count), of_machine=False)
        assert machine(self.here).held_millicores == before.held_millicores
        return notebook

    @rule(notebook=consumes(asked))
    def ends(self, notebook: Notebook | None) -> None:
        if notebook is not None:
            self.here.store.write_now(_gone, self.user, notebook.id)

    @rule(small=st.sampled_from([True, False, False]))
    def changes(self, small: bool) -> None:
        if small:
            self.here.node(cores=9, memory=40 * GIB, cards=cards("dcu", 2))
        else:
            self.here.node(cores=CORES, memory=MEMORY, cards=cards("dcu", CARDS))

    @invariant()
    def nothing_is_given_out_twice(self) -> None:
        if hasattr(self, "image"):
            balanced(self.here, cores=CORES, memory=MEMORY)

    def tried(self, act: Callable[[], Any], *, of_machine: bool = True) -> Any:
        """What came of it; None when it was refused, and then nothing has changed."""
        before = machine(self.here)
        with suppress(*REFUSED):
            done = act()
            after = machine(self.here)
            if of_machine and after.held_millicores > before.held_millicores:
                assert after.held_millicores <= after.millicores  # what it has lost is not given out
                assert after.held_memory <= after.memory
            return done
        after = machine(self.here)
        assert (after.held_millicores, after.held_memory) == (before.held_millicores, before.held_memory)
        return None


def _gone(tx: Write, user: Caller, notebook: int) -> None:
    outcomes.note_gone(tx, notebooks.get(tx, user, notebook))
    assert nodes.held_by(tx, notebook) is None


def test_nothing_is_given_out_twice(databases: Callable[[], AbstractContextManager[str | None]]) -> None:
    class Mine(Site):
        def __init__(self) -> None:
            super().__init__(databases)

    run_state_machine_as_test(
        Mine,
        settings=settings(
            max_examples=6,
            stateful_step_count=100,
            phases=(Phase.reuse, Phase.generate),
            deadline=None,
            suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
        ),
    )
