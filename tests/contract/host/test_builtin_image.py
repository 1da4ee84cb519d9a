"""The built-in image is the environment that the server runs in, wherever that is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.builders import HOST, Place, environment_found, place
from trivium.base.clock import SystemClock
from trivium.drivers.runtimes.process import ProcessRuntime, ProcessSettings
from trivium.resources import images
from trivium.resources.images import Image
from trivium.server.host import builtin_image

HERE = Path(sys.prefix)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    """A site without an image."""
    with place(f"sqlite:///{tmp_path / 'trivium.db'}") as made:
        yield made


async def ensured(here: Place, tmp_path: Path) -> Image:
    """The only image, after the server has seen to the built-in one."""
    runtime = ProcessRuntime(ProcessSettings(data=tmp_path / "data", run=tmp_path / "run"), SystemClock())
    await builtin_image.ensure(here.store, runtime, here.admin, site=here.site, host=HOST)
    await runtime.close()
    assert here.store.read_now(builtin_image.is_there, here.site, here.admin)
    (image,) = here.store.read_now(images.everywhere)
    return image


async def test_an_environment_that_moved_is_followed_and_one_that_is_elsewhere_is_left(
    here: Place, tmp_path: Path
) -> None:
    assert not here.store.read_now(builtin_image.is_there, here.site, here.admin)
    made = await ensured(here, tmp_path)
    assert made.environment == HERE

    gone = here.store.write_now(images.relocate, made, Path("/gone"))
    here.store.write_now(images.adopt, gone, environment_found())
    assert await ensured(here, tmp_path) == made.__replace__(changed_at=made.changed_at)

    here.store.write_now(images.relocate, made, tmp_path)
    with structlog.testing.capture_logs() as said:
        assert (await ensured(here, tmp_path)).environment == tmp_path
    assert [one["event"] for one in said] == ["image.built_in_elsewhere"]
