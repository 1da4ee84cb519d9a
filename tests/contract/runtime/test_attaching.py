"""Directories that are shown to a notebook while it runs, and taken away again."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from tests.contract.runtime.world import IS_ROOT, UID, World
from trivium.resources.notebooks import RuntimeUnavailable
from trivium.resources.notebooks.ports import LaunchKey, LaunchSpec, Mount, Phase

AREA = "/shown-while-running"

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="needs to be root")


async def started(world: World) -> LaunchSpec:
    """A notebook to which things can be shown, with two directories in its home."""
    spec = await world.started(world.spec(attach_at=AREA))
    await world.shell(spec.key, "mkdir -p sets/a sets/b && echo content > sets/a/file && ln -s / sets/away")
    return spec


def is_outside(path: str) -> bool:
    return os.path.lexists(path)


async def fails(world: World, key: LaunchKey, command: str) -> bool:
    return (await world.runtime.execute(key, command, timeout=timedelta(seconds=9))).code != 0


async def test_what_is_shown_is_there_at_once_for_what_runs_and_is_taken_away_again(world: World) -> None:
    spec = await started(world)
    assert await world.shell(spec.key, f"ls {AREA}") == ""
    for _ in range(2):  # asking twice changes nothing
        assert await world.runtime.attach(spec.key, Mount("sets/a", f"{AREA}/a", writable=True)) is None
    assert await world.shell(spec.key, f"grep -c {AREA}/a /proc/self/mountinfo") == "1"
    command = f"cat {AREA}/a/file; echo more > {AREA}/a/new; cat sets/a/new"
    assert await world.shell(spec.key, command) == "content\nmore"
    assert not is_outside(AREA)
    for _ in range(2):
        assert await world.runtime.detach(spec.key, f"{AREA}/a") is None
    assert await world.shell(spec.key, f"ls {AREA}") == ""
    assert (world.data / "homes/7/sets/a/file").read_text() == "content\n"


async def test_read_only_is_read_only(world: World) -> None:
    spec = await started(world)
    assert await world.runtime.attach(spec.key, Mount("sets/a", f"{AREA}/a")) is None
    assert await world.shell(spec.key, f"cat {AREA}/a/file") == "content"
    assert await fails(world, spec.key, f"touch {AREA}/a/file")
    assert not await fails(world, spec.key, "touch sets/a/file")


async def test_no_link_leads_out_of_the_home_and_nothing_is_shown_elsewhere(world: World) -> None:
    spec = await started(world)
    for source in ("sets/away", "sets/away/etc", "../8", "none"):
        assert await world.runtime.attach(spec.key, Mount(source, f"{AREA}/a")) is not None, source
    for target in ("/etc/a", AREA, f"{AREA}/a/b", f"{AREA}/..", f"{world.data}/homes/7/a"):
        assert await world.runtime.attach(spec.key, Mount("sets/a", target)) is not None, target
        assert await world.runtime.detach(spec.key, target) is not None, target
    assert await world.runtime.attach(spec.key, Mount("sets/a", f"{AREA}/a")) is None
    assert await world.runtime.attach(spec.key, Mount("sets/b", f"{AREA}/a")) is not None
    assert await world.shell(spec.key, f"ls {AREA}/a") == "file"


async def test_no_name_of_what_is_shown_keeps_the_next_from_being_shown(world: World) -> None:
    """The names stand in the kernel's list of mounts, which is read each time."""
    spec = await started(world)
    names = ["a\rb", "a\x0bb\x1c", "a b\tc\nd\\040", "a\u2028b\xa0c\x85", " - tmpfs", "#"]
    for name in names:
        assert await world.runtime.attach(spec.key, Mount("sets/a", f"{AREA}/{name}")) is None, name
    assert await world.shell(spec.key, f"cat {AREA}/*/file | wc -l") == str(len(names))
    for name in names:
        assert await world.runtime.detach(spec.key, f"{AREA}/{name}") is None, name
    assert await world.shell(spec.key, f"ls {AREA}") == ""


async def test_the_notebooks_user_makes_nothing_where_things_are_shown(world: World) -> None:
    spec = await started(world)
    for command in (f"touch {AREA}/file", f"ln -s / {AREA}/a", f"mkdir {AREA}/a", f"mv {AREA} /other"):
        assert await fails(world, spec.key, command), command


async def test_other_notebooks_see_nothing_of_it(world: World) -> None:
    spec, other = await started(world), await world.started(world.spec(attach_at=AREA))
    plain = await world.started()
    assert await world.runtime.attach(spec.key, Mount("sets/a", f"{AREA}/a")) is None
    assert await world.shell(other.key, f"ls {AREA}") == ""
    assert await fails(world, plain.key, f"ls {AREA}")


async def test_the_next_keeper_and_server_go_on_with_what_is_shown(world: World) -> None:
    spec = await started(world)
    assert await world.runtime.attach(spec.key, Mount("sets/a", f"{AREA}/a")) is None
    again = world.server()
    assert await again.attach(spec.key, Mount("sets/a", f"{AREA}/a")) is None
    assert await again.detach(spec.key, f"{AREA}/a") is None


async def test_nothing_is_shown_to_what_does_not_run_or_was_not_made_for_it(world: World) -> None:
    plain = await world.started()
    with pytest.raises(RuntimeUnavailable):
        await world.runtime.attach(plain.key, Mount("sets", f"{AREA}/a"))
    with pytest.raises(RuntimeUnavailable):
        await world.runtime.attach(LaunchKey(launch=99, generation=1), Mount("sets", f"{AREA}/a"))
    spec = await started(world)
    await world.runtime.stop(spec.key, timedelta(seconds=1))
    await world.settled(spec.key, {Phase.ENDED})
    with pytest.raises(RuntimeUnavailable):
        await world.runtime.attach(spec.key, Mount("sets/a", f"{AREA}/a"))


async def test_mounts_of_the_start_may_lie_there_too(world: World) -> None:
    home = world.data / "homes/7"
    (home / "sets").mkdir(parents=True)
    for path in (home, home / "sets"):
        os.chown(path, UID or 0, UID or 0)
    home.parent.chmod(0o711)
    mount = Mount(source="sets", target=f"{AREA}/first", writable=True)
    spec = await world.started(world.spec(attach_at=AREA, mounts=(mount,)))
    await world.shell(spec.key, f"touch {AREA}/first/file && mkdir sets/b")
    assert await world.runtime.attach(spec.key, Mount("sets/b", f"{AREA}/b")) is None
    assert await world.shell(spec.key, f"ls {AREA} sets") == f"{AREA}:\nb\nfirst\n\nsets:\nb\nfile"


async def test_a_notebook_whose_own_things_lie_there_starts_and_has_nothing_shown(world: World) -> None:
    area = f"/{world.data.parts[1]}"
    spec = await world.started(world.spec(attach_at=area))
    await world.shell(spec.key, "mkdir sets")
    assert await world.runtime.attach(spec.key, Mount("sets", f"{area}/sets")) is not None
