"""The first things of a site on both databases: there whole or not at all, whoever makes them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import text

from tests.waiting import until
from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.resources import events, projects, stores, users
from trivium.server.admin.bootstrap import ADMIN_UUID, First, _make, ensure_site
from trivium.server.admin.store_roots import ensure_stores
from trivium.server.settings import Database, Datasets, Models, Server, Settings
from trivium.server.settings.sections import Secret
from trivium.store import Store, Write

RACER = """
import sys
from pathlib import Path
from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.server.admin.bootstrap import ensure_site
from trivium.server.settings import Flags, load
from trivium.store import Store
settings = load(Flags(data=sys.argv[1], database=sys.argv[2]), {"TRIVIUM_SECURITY__KEY_FILE": sys.argv[3]}).settings
print("ready", flush=True)
sys.stdin.readline()
keyring = Keyring.at(settings.key_file)
store = Store.open(settings.database_url, SystemClock(), "cli")
print(ensure_site(store, keyring, settings).made)
store.close()
"""


@pytest.fixture
def settings(empty_database_url: str, tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    data.mkdir()
    return Settings(server=Server(data=data), database=Database(url=Secret(empty_database_url)))


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Store, Keyring]]:
    store = Store.open(settings.database_url, SystemClock(), "cli")
    try:
        yield store, Keyring.at(settings.key_file)
    finally:
        store.close()


def _gets_in(store: Store, password: str) -> bool:
    try:
        users.check_password(store.read_now(users.login_of, "admin"), users.digest_of(password))
    except users.WrongPassword:
        return False
    return True


def test_an_empty_site_gets_an_administrator_whose_password_only_its_owner_can_read(settings: Settings) -> None:
    with opened(settings) as (store, keyring):
        first = ensure_site(store, keyring, settings)
        admin = store.read_now(users.find, "admin")
        assert (first.made, first.admin.user, first.admin.is_admin) == (True, admin.id, True)
        assert admin.uuid == ADMIN_UUID
        assert store.read_now(projects.get, admin.project).name == settings.site.name
        file = settings.admin_password_file
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert _gets_in(store, file.read_text().strip())
    assert sorted(path.name for path in settings.data.iterdir()) == ["admin-password", "root.key"]


def test_doing_it_again_changes_nothing(settings: Settings) -> None:
    with opened(settings) as (store, keyring):
        ensure_site(store, keyring, settings)
        password = settings.admin_password_file.read_text()
        happened = len(store.read_now(events.latest, "user"))
        again = ensure_site(store, keyring, settings, password="another")
        assert not again.made
        assert settings.admin_password_file.read_text() == password
        assert _gets_in(store, password.strip())
        assert len(store.read_now(events.latest, "user")) == happened


def test_a_given_password_is_taken_and_written_nowhere(settings: Settings) -> None:
    with opened(settings) as (store, keyring):
        ensure_site(store, keyring, settings, password="hunter2 你好")
        assert _gets_in(store, "hunter2 你好")
    assert not settings.admin_password_file.exists()


def test_a_password_that_was_left_by_an_interrupted_start_is_the_one(settings: Settings) -> None:
    settings.admin_password_file.write_text("left-behind\n")
    with opened(settings) as (store, keyring):
        ensure_site(store, keyring, settings)
        assert _gets_in(store, "left-behind")


def test_with_the_first_administrator_deleted_the_next_one_counts(settings: Settings) -> None:
    with opened(settings) as (store, keyring):
        first = ensure_site(store, keyring, settings)
        new = users.NewUser(name="second", role=first.admin.role)
        second = store.write_now(users.create, first.admin, new, project_name="trivium")
        store.write_now(users.delete, first.admin, first.admin.user)
        again = ensure_site(store, keyring, settings)
    assert (again.made, again.admin.user) == (False, second.id)


def test_another_key_file_is_refused_before_anything_is_done(settings: Settings) -> None:
    with opened(settings) as (store, keyring):
        first = ensure_site(store, keyring, settings)
        fresh = users.fresh_key()
        store.write_now(users.create_key, first.admin, keyring, fresh=fresh, user=first.admin.user)
        with pytest.raises(users.KeyringMismatch):
            ensure_site(store, Keyring(bytes(32)), settings)


def test_of_several_that_start_at_once_one_makes_the_site(settings: Settings) -> None:
    _race(settings, [settings.data] * 3)


@pytest.mark.postgresql
def test_so_it_is_with_a_data_directory_each_and_one_key_file(empty_postgres_url: str, tmp_path: Path) -> None:
    here = Settings(server=Server(data=tmp_path), database=Database(url=Secret(empty_postgres_url)))
    _race(here, [tmp_path / "one", tmp_path / "two", tmp_path / "three"])


@pytest.mark.postgresql
def test_who_comes_while_another_makes_the_site_waits_and_finds_it(empty_postgres_url: str, tmp_path: Path) -> None:
    here = Settings(server=Server(data=tmp_path), database=Database(url=Secret(empty_postgres_url)))
    with opened(here) as (store, _), opened(here) as (other, keyring), ThreadPoolExecutor(1) as pool:

        def make(tx: Write) -> Future[First]:
            """Make the site, and do not commit before the other one waits for us."""
            assert _make(tx, here, keyring, password=users.hash_of("ours")).made
            late = pool.submit(ensure_site, other, keyring, here, password="theirs")
            until(lambda: late.done() or _somebody_waits(other), what="the other's waiting")
            assert not late.done()
            return late

        assert not store.write_now(make).result(timeout=20).made
        assert _gets_in(store, "ours")


def _somebody_waits(store: Store) -> bool:
    return bool(store.read_now(lambda tx: tx.value(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))))


def test_each_root_has_one_public_store_made_once(settings: Settings, tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    first = structs.replace(settings, models=Models(roots=(one,)), datasets=Datasets(roots=(two,)))
    with opened(settings) as (store, keyring):
        admin = ensure_site(store, keyring, first).admin
        ensure_stores(store, first, admin)
        ensure_stores(store, first, admin)
        made = store.read_now(stores.everywhere)
        told = [(store.name, store.path, store.public, store.project) for store in made]
        assert told == [("one", str(one), True, admin.project), ("two", str(two), True, admin.project)]
        ensure_stores(store, structs.replace(first, models=Models(roots=(one, three))), admin)
        assert [found.path for found in store.read_now(stores.everywhere)] == [str(one), str(two), str(three)]


def _race(settings: Settings, folders: list[Path]) -> None:
    racers = [_racer(settings, folder) for folder in folders]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    told = [racer.communicate("go\n") for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0], told
    assert sorted(out.strip() for out, _ in told) == ["False", "False", "True"]
    (file,) = [folder / "admin-password" for folder in set(folders) if (folder / "admin-password").exists()]
    with opened(settings) as (store, _):
        assert _gets_in(store, file.read_text().strip())


def _racer(settings: Settings, folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", RACER, str(folder), settings.database_url, str(settings.key_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
