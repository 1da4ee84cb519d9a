"""What every test stands on: databases of its own, a network that ends at loopback, and the run's options."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import network, postgresql, scheduling
from trivium.store import migrations
from trivium.store.database import engine_for

IN_CI = os.environ.get("CI") == "true"

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=20, help="how often each crash test kills the server (default: 20)")
    parser.addoption("--requests", type=int, default=3000, help="requests of the test for growth (default: 3000)")
    parser.addoption("--model-size", type=int, default=256, help="MiB of weights that are read (default: 256)")
    parser.addoption("--images", type=int, default=300, help="images that are imported over kills (default: 300)")
    parser.addoption("--lines", type=int, default=4000, help="the same of lines of a manifest (default: 4000)")
    parser.addoption("--points", type=int, default=4, help="steps at which crash tests kill; 0: all (default: 4)")
    parser.addoption(
        "--shrink", type=float, default=0, help="seconds for making a failing crash test small (default: 0)"
    )
    parser.addoption("--reports", default=".crash", help="where crash tests write reports (default: .crash)")
    parser.addoption("--crash-seed", type=int, default=1, help="what the random choices of crash tests start from")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return scheduling.Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: scheduling.rank(item.nodeid))


def pytest_configure() -> None:
    hypothesis.settings.load_profile("ci" if IN_CI else "dev")
    network.refuse_the_outside()


@pytest.fixture(scope="session")
def postgres_cluster(request: pytest.FixtureRequest, testrun_uid: str) -> postgresql.Cluster:
    """The run's PostgreSQL, shared by its workers."""
    if postgresql.binaries() is None:
        if IN_CI:
            pytest.fail(postgresql.REMEDY)
        pytest.skip(postgresql.REMEDY)
    owner = os.getppid() if hasattr(request.config, "workerinput") else os.getpid()
    directory = Path(tempfile.gettempdir()) / f"trivium-pg-{testrun_uid[:12]}"
    return postgresql.shared_cluster(directory, owner)


@pytest.fixture
def postgres_url(postgres_cluster: postgresql.Cluster) -> Iterator[str]:
    """A fresh PostgreSQL database with the program's tables, all empty; dropped after the test."""
    with postgres_cluster.migrated() as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_cluster: postgresql.Cluster) -> Iterator[str]:
    """A fresh PostgreSQL database without any table, dropped after the test."""
    with postgres_cluster.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database of each kind that the store speaks, with the program's tables, all empty."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    path = tmp_path / "trivium.db"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def module_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same for all tests of a module, which fill it once and look at plans: nobody has used it before."""
    if request.param == "postgresql":
        cluster: postgresql.Cluster = request.getfixturevalue("postgres_cluster")
        with cluster.migrated(is_new=True) as url:
            yield url
        return
    path = tmp_path_factory.mktemp("module") / "trivium.db"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
    yield f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same without any table: what a first start or an upgrade begins with."""
    if request.param == "postgresql":
        return request.getfixturevalue("empty_postgres_url")
    return f"sqlite:///{tmp_path / 'trivium.db'}"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the program's tables, for others to be copies of."""
    path = tmp_path_factory.mktemp("migrated") / "trivium.db"
    engine = engine_for(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            migrations.upgrade(connection)
    finally:
        engine.dispose()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def databases(request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[str | None]]:
    """Fresh databases, one after the other, of each kind; None stands for one in the data directory."""
    if request.param == "postgresql":
        cluster: postgresql.Cluster = request.getfixturevalue("postgres_cluster")
        return cluster.migrated
    return nullcontext


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often a crash test kills: --kills."""
    return request.config.option.kills


@pytest.fixture
def requests_in_all(request: pytest.FixtureRequest) -> int:
    """How many requests a server must take without growing: --requests."""
    return request.config.option.requests


@pytest.fixture
def points(request: pytest.FixtureRequest) -> int:
    """At how many of the steps of a notebook's life a crash test kills: --points."""
    return request.config.option.points


@pytest.fixture
def crash_seed(request: pytest.FixtureRequest) -> int:
    """What a crash test's random choices start from: --crash-seed."""
    return request.config.option.crash_seed
