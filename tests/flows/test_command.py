"""What an operator types, through the real `trivium` command."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.installation import TRIVIUM
from trivium.base.clock import SystemClock
from trivium.base.keyring import Keyring
from trivium.resources import users
from trivium.store import Store

HELP = ("cli", "cli.lazy", "cli.main", "cli.quick")  # all that help needs of ours
IMPORTED = """
import json, sys, click
before = set(sys.modules)
from trivium.cli import main
sys.argv = ["trivium", "--help"]
try:
    main()
finally:
    print(json.dumps(list(set(sys.modules) - before)), file=sys.stderr)
"""


class Operator:
    """Somebody at a shell, with a data directory and a database."""

    def __init__(self, data: Path, url: str | None = None) -> None:
        self.data = data
        self.url = url or f"sqlite:///{data / 'trivium.db'}"
        self.places = ["--data", str(data), *(["--database", url] if url else [])]

    def run(self, *words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command; what came of it, whatever that is."""
        return _run([str(TRIVIUM), *words, *self.places], environment, given)

    def tell(self, *words: str, given: str = "") -> Any:
        """What a command prints as JSON."""
        done = self.run(*words, "-o", "json", given=given)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: str, code: int = 1, given: str = "", **environment: str) -> str:
        """The one line with which a command fails."""
        done = self.run(*words, given=given, **environment)
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done.stderr.strip().splitlines()[-1]

    def store(self) -> Store:
        return Store.open(self.url, SystemClock(), "test")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "data")


def test_quotas_are_set_for_users_and_projects(operator: Operator) -> None:
    operator.tell("user", "create", "alice")
    assert operator.tell("quota", "set", "alice", "pools", "2") == {"name": "pools", "most": 2, "used": 0}
    key = operator.tell("key", "create", "--user", "alice")
    assert operator.tell("quota", "list", key["project_id"]) == [
        {"name": "networks", "most": 10, "used": 0},
        {"name": "pools", "most": 2, "used": 0},
    ]
    assert operator.tell("quota", "set", key["project_id"], "pools")["most"] == 0
    assert "no user" in operator.refused("quota", "list", "nobody").lower()
    assert "unicorns" in operator.run("quota", "set", "alice", "unicorns", "2").stderr


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Operator:
    return Operator(tmp_path / "data", None if database_url.startswith("sqlite") else database_url)


def _run(command: list[str], environment: Mapping[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, timeout=120, env={**known, **environment}
    )


def test_a_first_user_with_a_key_on_an_empty_directory(either: Operator) -> None:
    made = either.tell("user", "create", "Alice", "--full-name", "爱丽丝", "--password-stdin", given="s3cret\n")
    assert (made["name"], made["full_name"], made["role"], made["status"]) == ("Alice", "爱丽丝", "member", "active")
    key = either.tell("key", "create", "--user", "alice")
    assert (key["user"], key["project_id"], key["site_id"]) == ("Alice", made["project_id"], "10001")
    assert re.fullmatch(r"[0-9a-f]{32}", key["project_id"])
    assert [one["name"] for one in either.tell("user", "list")] == ["admin", "Alice"]
    (listed,) = either.tell("key", "list", "--user", "alice")
    assert listed["access_key"] == key["access_key"]
    assert "secret_key" not in listed
    store = either.store()
    try:
        found = store.read_now(users.find_key, Keyring.at(either.data / "root.key"), key["access_key"])
        assert found.secret == key["secret_key"]
        login = store.read_now(users.login_of, "alice")
        assert users.check_password(login, users.digest_of("s3cret")).user_name == "Alice"
    finally:
        store.close()


def test_what_is_secret_can_be_read_by_its_owner_only(operator: Operator) -> None:
    operator.tell("user", "list")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in operator.data.iterdir()}
    directories = {"datasets": 0o700, "models": 0o700}
    assert modes == {"admin-password": 0o600, "root.key": 0o600, "trivium.db": 0o600, **directories}
    assert stat.S_IMODE(operator.data.stat().st_mode) == 0o711


def test_the_life_of_a_user(operator: Operator) -> None:
    operator.tell("user", "create", "bob", "--role", "admin")
    assert operator.tell("user", "disable", "bob", "--reason", "left")["status"] == "disabled"
    assert operator.tell("user", "list")[1]["reason"] == "left"
    assert operator.tell("user", "enable", "bob")["status"] == "active"
    assert operator.tell("user", "freeze", "bob")["status"] == "frozen"
    assert "frozen" in operator.refused("user", "enable", "bob")
    assert operator.tell("user", "unfreeze", "bob")["status"] == "active"
    assert operator.run("user", "password", "bob", "--password-stdin", given="new\n").returncode == 0
    assert operator.run("user", "delete", "bob").returncode == 0
    assert "bob" in operator.refused("user", "delete", "bob")


def test_a_key_is_deleted_once(operator: Operator) -> None:
    key = operator.tell("key", "create", "--user", "admin")
    assert operator.run("key", "delete", key["access_key"]).returncode == 0
    assert operator.tell("key", "list") == []
    assert key["access_key"] in operator.refused("key", "delete", key["access_key"])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["user", "create"], 2, "NAME"),
        (["user", "create", "a", "--role", "king"], 2, "--role"),
        (["user", "create", "a", "--colour", "red"], 2, "--colour"),
        (["user", "crate", "a"], 2, "create"),
        (["key", "create"], 2, "--user"),
        (["key", "create", "--user", "nobody"], 1, "nobody"),
        (["key", "create", "--user", "admin", "--project", "xyz"], 2, "--project"),
        (["key", "create", "--user", "admin", "--project", "0" * 32], 1, "project"),
        (["user", "create", "-x"], 2, "-x"),
        (["user", "create", "a b"], 1, "name"),
        (["user", "create", "ADMIN"], 1, "already"),
        (["user", "create", "a", "--password-stdin"], 1, "password"),
        (["user", "delete", "admin"], 1, "last active administrator"),
        (["image", "add", "Base", "--path", "/", "--accelerator", "cpu"], 1, "name:tag"),
        (["image", "add", "base:1", "--path", "/nowhere", "--accelerator", "cpu"], 1, "/nowhere"),
        (["image", "add", "base:1", "--path", "/nowhere", "--accelerator", "tpu"], 2, "--accelerator"),
        (["image", "remove", "base:1"], 1, "base:1"),
        (["server", "start", "--port", "70000"], 2, "--port"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_line_that_names_it(operator: Operator, words: list[str], code: int, told: str) -> None:
    assert told in operator.refused(*words, code=code)


def test_people_are_told_in_their_language(operator: Operator) -> None:
    assert "已存在" in operator.refused("user", "create", "admin", LANG="zh_CN.UTF-8")
    assert "already" in operator.refused("user", "create", "admin", LANG="de_DE.UTF-8")


def test_places_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in Operator(tmp_path / "file").refused("user", "list")
    assert "mysql" in Operator(tmp_path / "a", "mysql://x").refused("user", "list")
    nobody = Operator(tmp_path / "b", f"postgresql://u:hunter2@/d?host={tmp_path}")
    assert "hunter2" not in nobody.refused("user", "list")


def test_a_new_site_is_told_of(operator: Operator) -> None:
    assert f"no site in {operator.data}" in operator.run("user", "list").stderr
    assert operator.run("user", "list").stderr == ""


def test_a_port_that_is_taken_is_named(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        first, second = str(taken.getsockname()[1]), str(other.getsockname()[1])
        said = operator.refused("server", "start", "--port", first, "--proxy-port", second)
        assert said.endswith(f"cannot listen on 127.0.0.1:{first}: another process listens there")
        said = operator.refused("server", "start", "--port", "0", "--proxy-port", second)
        assert said.endswith(f"cannot listen on 127.0.0.1:{second}: another process listens there")


def test_another_key_file_is_refused(operator: Operator) -> None:
    operator.tell("key", "create", "--user", "admin")
    (operator.data / "root.key").unlink()
    assert "key file" in operator.refused("user", "list")


def test_settings_are_shown_with_where_they_come_from(operator: Operator) -> None:
    operator.data.mkdir()
    (operator.data / "trivium.toml").write_text("[site]\nname = 'east'\n")
    done = operator.run("config", "show", "-o", "json", TRIVIUM_DATABASE__URL="postgresql://u:hunter2@h/d")
    shown = json.loads(done.stdout)
    assert shown["site.name"] == {"value": "east", "from": str(operator.data / "trivium.toml")}
    assert shown["database.url"] == {"value": "postgresql://u:****@h/d", "from": "TRIVIUM_DATABASE__URL"}
    assert shown["server.data"]["from"] == "--data"
    assert shown["server.port"] == {"value": 8800, "from": "default"}
    assert list(operator.data.iterdir()) == [operator.data / "trivium.toml"]


def test_a_wrong_setting_is_told_by_every_command(operator: Operator) -> None:
    for words in (["user", "list"], ["config", "show"], ["doctor"], ["server", "start"]):
        told = operator.refused(*words, TRIVIUM_SERVER__PROT="1")
        assert "TRIVIUM_SERVER__PROT" in told
    assert not operator.data.exists()


def test_the_doctor_looks_and_changes_nothing(operator: Operator) -> None:
    found = {one["topic"]: one for one in operator.tell("doctor")}
    assert {"data directory", "disk", "database", "clock", "isolation", "limits", "machine", "accelerators"} <= set(
        found
    )
    assert all(one["remedy"] for one in found.values() if one["state"] != "ok")
    assert not operator.data.exists()


def test_the_doctor_counts_what_is_declared(operator: Operator) -> None:
    done = operator.run("doctor", TRIVIUM_NODE__ACCELERATORS="dcu:8")
    assert done.returncode == 0, done.stdout
    assert re.search(r"accelerators: 8 × .*dcu.*declared", done.stdout)


def test_the_doctor_says_what_keeps_trivium_from_running(operator: Operator) -> None:
    operator.tell("key", "create", "--user", "admin")
    (operator.data / "root.key").write_text("00" * 32)
    done = operator.run("doctor", "-o", "json")
    assert done.returncode == 1
    blocking = [one for one in json.loads(done.stdout) if one["state"] == "blocking"]
    assert [one["topic"] for one in blocking] == ["keys"]
    unreachable = Operator(operator.data, f"postgresql:///d?host={operator.data}").run("doctor")
    assert unreachable.returncode == 1
    assert "STOP  database" in unreachable.stdout


def test_the_doctor_looks_at_each_root_of_models(operator: Operator, tmp_path: Path) -> None:
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.mkdir()
    done = operator.run("doctor", "-o", "json", TRIVIUM_MODELS__ROOTS=f"{there}:{gone}")
    found = [one for one in json.loads(done.stdout) if one["topic"] == "models"]
    assert [(one["state"], one["found"]) for one in found] == [
        ("ok", str(there)),
        ("lacking", f"{gone} is no directory that can be entered"),
    ]
    assert done.returncode == 0


def test_the_version_is_told(operator: Operator) -> None:
    done = _run([str(TRIVIUM), "version", "-o", "json"], {})
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", json.loads(done.stdout)["version"])
    assert not operator.data.exists()


def test_help_lists_every_command_and_loads_none() -> None:
    done = _run([str(TRIVIUM), "--help"], {})
    assert done.returncode == 0
    for command in ("server", "user", "key", "image", "config", "doctor", "version"):
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)
        assert _run([str(TRIVIUM), command, "--help"], {}).returncode == 0
    heavy = (
        "import sys; from trivium.cli import main; sys.exit(len({'msgspec', 'sqlalchemy', 'rich'} & set(sys.modules)))"
    )
    assert _run([sys.executable, "-c", heavy], {}).returncode == 0


def test_help_imports_no_more_than_click_and_the_names_of_the_commands() -> None:
    done = _run([sys.executable, "-c", IMPORTED], {})
    assert done.returncode == 0, done.stderr
    more = set(json.loads(done.stderr))
    assert {name for name in more if name.startswith("trivium")} == {"trivium", *(f"trivium.{one}" for one in HELP)}
    assert {name.partition(".")[0] for name in more} <= {"trivium", "click", *sys.stdlib_module_names}
