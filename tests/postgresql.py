"""A PostgreSQL of the tests' own: one cluster for a whole run, and gone when the run is, however it ended.

Whoever first needs it starts it; all workers of the run share it. A guard process outlives no one: it waits for the
process that runs the tests to end (killed or not), then stops the cluster and removes its files.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import select
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 15
ROLE = "trivium"
MIGRATED = "migrated"
REMEDY = (
    "PostgreSQL 15 or newer is not on this machine: install Debian's package postgresql, or run `make test` as root"
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",  # root passes all the same
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
}

REMEMBER = """
CREATE SCHEMA at_first;
CREATE FUNCTION at_first.shape() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(format('%s %s %s', oid, relname, relnatts), ',' ORDER BY oid))
    || (SELECT count(*) FROM pg_proc)
    || (SELECT count(*) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
        WHERE datname = current_database())
  FROM pg_class WHERE relnamespace = 'public'::regnamespace
$$;
CREATE TABLE at_first.rows (name text, rows json);
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('INSERT INTO at_first.rows SELECT %L, json_agg(t) FROM public.%I t HAVING count(*) > 0', name, name);
  END LOOP;
END $$;
CREATE TABLE at_first.shapes AS SELECT at_first.shape() AS shape, pg_database_size(current_database()) AS size;
"""
"""Has a database know what it was like: its tables, and the few rows that they begin with."""
GROWN = 2**20  # bytes more than at first, with which plans may become others
EMPTY = f"""
SET session_replication_role = replica;
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ DECLARE name text; is_empty boolean; BEGIN
  IF EXISTS (SELECT FROM at_first.shapes
    WHERE shape <> at_first.shape() OR size < pg_database_size(current_database()) - {GROWN})
  THEN RAISE 'more than its rows was changed';
  END IF;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM public.%I)', name) INTO is_empty;
    IF NOT is_empty THEN EXECUTE format('DELETE FROM public.%I', name); END IF;
  END LOOP;
  FOR name IN SELECT r.name FROM at_first.rows r LOOP
    EXECUTE format('INSERT INTO public.%I SELECT p.* FROM at_first.rows r,
      json_populate_recordset(null::public.%I, r.rows) p WHERE r.name = %L', name, name, name);
  END LOOP;
END $$;
SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence;
"""
"""Makes it that again. Whoever is connected still is cut off."""
_EMPTY: dict[Path, list[str]] = {}
"""Databases of this process that wait to be used again, by their cluster."""


class _As(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Cluster:
    """A running cluster, known by the directory that holds its socket."""

    sockets: Path

    def url(self, database: str, *, role: str = ROLE) -> str:
        """The address of one of its databases."""
        return f"postgresql://{role}@/{database}?host={self.sockets}"

    @contextmanager
    def migrated(self, *, is_new: bool = False) -> Iterator[str]:
        """The address of a database with the program's tables, all as they are at first.

        Making one costs five times what emptying one does. So those that were used before are used again by the same
        process, unless something is otherwise in them than rows. `is_new`: one that nobody has used, for its plans.
        """
        self.once(MIGRATED, self._migrate)
        free = _EMPTY.setdefault(self.sockets, [])
        name = free.pop() if free and not is_new else self._create(f" TEMPLATE {MIGRATED}")
        try:
            yield self.url(name)
        finally:
            if self._emptied(name):
                free.append(name)
            else:
                self._drop(name)

    @contextmanager
    def database(self, *, locale: str | None = None) -> Iterator[str]:
        """The address of a fresh, empty database, dropped in the end with whoever is still connected to it.

        `locale` is another one than the cluster's.
        """
        with self._made("" if locale is None else f" TEMPLATE template0 LOCALE '{locale}'") as url:
            yield url

    def once(self, name: str, fill: Callable[[str], None]) -> str:
        """The address of a database that whoever needs it first makes and fills, for the whole run."""
        done = self.sockets.parent / f"{name}.done"
        with done.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                self._command(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # who began it may have failed
                self._command(f"CREATE DATABASE {name} OWNER {ROLE}")
                fill(self.url(name))
                done.touch()
        return self.url(name)

    @contextmanager
    def _made(self, template: str) -> Iterator[str]:
        name = self._create(template)
        try:
            yield self.url(name)
        finally:
            self._drop(name)

    def pids(self) -> list[int]:
        """Its processes, the first of them before all others; none while it does not run."""
        try:
            first = int((self.sockets.parent / "data" / "postmaster.pid").read_text("ascii").split("\n")[0])
        except FileNotFoundError:
            return []
        children = Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split()
        return [first, *map(int, children)]

    def stop(self, mode: str = "immediate") -> None:
        """End it: as a machine does that loses its power, or `fast`, with everything written."""
        self._control("stop", "-m", mode)

    def start(self, **more: str) -> None:
        """Start it, with these settings besides."""
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets), **more}
        options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
        self._control("start", "-t", "60", "-l", str(self.sockets.parent / "log"), "-o", options)

    def _control(self, *words: str) -> None:
        programs = binaries()
        assert programs is not None
        data = self.sockets.parent / "data"
        _run([programs / "pg_ctl", *words, "-w", "-s", "-D", data], self.sockets.parent / "log", _unprivileged())

    def _migrate(self, url: str) -> None:
        _migrate(url)
        self._command(REMEMBER, database=MIGRATED)

    def _create(self, more: str) -> str:
        name = f"test_{uuid.uuid4().hex[:16]}"
        self._command(f'CREATE DATABASE "{name}" OWNER {ROLE}{more}')
        return name

    def _drop(self, name: str) -> None:
        self._command(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _emptied(self, name: str) -> bool:
        """Make a database what it was when it was made; False where more than its rows was changed."""
        import psycopg  # noqa: PLC0415 - as below

        try:
            self._command(EMPTY, database=name)
        except psycopg.Error:
            return False
        return True

    def _command(self, statement: str, *, database: str = "postgres") -> None:
        import psycopg  # noqa: PLC0415 - only runs with PostgreSQL have the library

        with psycopg.connect(self.url(database, role="postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


def _migrate(url: str) -> None:
    from trivium.store import migrations  # noqa: PLC0415 - the program that starts a cluster does without
    from trivium.store.database import engine_for  # noqa: PLC0415

    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            migrations.upgrade(connection)
    finally:
        engine.dispose()


def binaries() -> Path | None:
    """The folder of PostgreSQL's server programs: Debian's newest, else that of the `initdb` on PATH."""
    versions = [int(path.name) for path in DEBIAN.glob("*") if path.name.isdigit() and (path / "bin/initdb").exists()]
    if versions and max(versions) >= OLDEST:
        return DEBIAN / str(max(versions)) / "bin"
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def shared_cluster(directory: Path, owner: int) -> Cluster:
    """The cluster in `directory`, started unless another worker did; it lives as long as the process `owner`."""
    directory.mkdir(mode=0o755, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "ready").exists():
            command = [sys.executable, str(Path(__file__).resolve()), str(directory), str(owner)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if done.returncode:
                message = f"PostgreSQL did not start:\n{done.stdout}{done.stderr}"
                raise RuntimeError(message)
    return Cluster(directory / "sockets")


def _start(programs: Path, directory: Path) -> None:
    """Make a cluster and start it. PostgreSQL refuses root, so root gives it to another user."""
    data, sockets, log = directory / "data", directory / "sockets", directory / "log"
    who = _unprivileged()
    for path in (data, sockets):
        path.mkdir(mode=0o700)
    log.touch()
    for path in (data, sockets, log):
        os.chown(path, who.get("user", -1), who.get("group", -1))
    locale = ["--locale=C.UTF-8", "--encoding=UTF8"]
    _run([programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", *locale], log, who)
    Cluster(sockets).start()
    sql = f"CREATE ROLE {ROLE} LOGIN"  # no superuser: what Trivium does must work for an ordinary owner
    _run([programs / "psql", "-q", "-h", sockets, "-U", "postgres", "-d", "postgres", "-c", sql], log, who)


def _run(command: list[str | Path], log: Path, who: _As) -> None:
    environment: Mapping[str, str] = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    with log.open("a") as out:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", env=environment, check=False, **who
        )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{log.read_text()}")


def _unprivileged() -> _As:
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _wait_for_end(process: int) -> None:
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    select.select([descriptor], [], [])


def _guard(programs: Path, directory: Path, owner: int) -> None:
    os.setsid()
    with Path(os.devnull).open("r+b") as nothing:
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    _wait_for_end(owner)
    command = [programs / "pg_ctl", "stop", "-s", "-m", "immediate", "-D", directory / "data"]
    subprocess.run(command, cwd="/", check=False, **_unprivileged())
    shutil.rmtree(directory, ignore_errors=True)


def main(directory: Path, owner: int) -> None:
    """Start a cluster in `directory`, and return when it answers; a guard of its own stops it when `owner` ends."""
    programs = binaries()
    if programs is None:
        raise SystemExit(REMEDY)
    try:
        _start(programs, directory)
    except BaseException:
        subprocess.run([programs / "pg_ctl", "stop", "-m", "immediate", "-D", directory / "data"], check=False)
        shutil.rmtree(directory, ignore_errors=True)
        raise
    if os.fork() == 0:
        _guard(programs, directory, owner)
        os._exit(0)
    (directory / "ready").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
