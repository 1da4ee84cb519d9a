"""Settings: who says what, who wins, and that everything wrong is told at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from trivium.server.settings import KEYS, Declared, Flags, ImageList, Loaded, SettingsRefused, load, show


def _load(folder: Path, toml: str = "", /, **environment: str) -> Loaded:
    if toml:
        (folder / "trivium.toml").write_text(toml)
    return load(Flags(data=str(folder)), {name.upper(): value for name, value in environment.items()})


def _refusal(folder: Path, toml: str = "", /, **environment: str) -> str:
    with pytest.raises(SettingsRefused) as caught:
        _load(folder, toml, **environment)
    return str(caught.value)


def test_everything_has_a_default(tmp_path: Path) -> None:
    loaded = load(Flags(), {"XDG_DATA_HOME": str(tmp_path)})
    assert loaded.settings.server.port == 8800
    assert loaded.settings.data == tmp_path / "trivium"
    assert loaded.settings.database_url == f"sqlite:///{tmp_path}/trivium/trivium.db"
    assert loaded.settings.notebooks.release_after is None
    assert set(loaded.origins) == set(KEYS)
    assert set(loaded.origins.values()) == {"default"}


def test_flags_win_over_variables_over_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text("[server]\nhost = '::1'\nport = 1\nproxy_port = 2\n[site]\nname = 'east'\n")
    flags = Flags(data=str(tmp_path), config=str(file), port=5)
    loaded = load(flags, {"TRIVIUM_SERVER__PORT": "3", "TRIVIUM_SERVER__PROXY_PORT": "4"})
    server = loaded.settings.server
    assert (server.port, server.proxy_port, server.host, loaded.settings.site.id) == (5, 4, "::1", 10001)
    assert loaded.origins["server.port"] == "--port"
    assert loaded.origins["server.proxy_port"] == "TRIVIUM_SERVER__PROXY_PORT"
    assert loaded.origins["server.host"] == str(file)
    assert loaded.origins["site.id"] == "default"


def test_the_file_in_the_data_directory_counts_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[site]\nname = 'west'\n")
    assert _load(tmp_path, "[site]\nname = 'east'\n").settings.site.name == "east"
    assert _load(tmp_path, trivium_config=str(tmp_path / "other.toml")).settings.site.name == "west"


def test_a_named_file_may_say_where_the_data_is(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text(f"[server]\ndata = '{tmp_path}/there'\n")
    loaded = load(Flags(config=str(file)), {})
    assert loaded.settings.data == tmp_path / "there"
    assert loaded.origins["server.data"] == str(file)


def test_the_file_found_in_the_data_directory_cannot_move_it(tmp_path: Path) -> None:
    assert "server.data" in _refusal(tmp_path, "[server]\ndata = '/elsewhere'\n")


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert "No such file" in _refusal(tmp_path, trivium_config=str(tmp_path / "missing.toml"))


def test_values_are_read_as_people_write_them(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        trivium_node__accelerators="dcu:8, gpu:2",
        trivium_node__memory="64GiB",
        trivium_node__cores="7.5",
        trivium_notebooks__release_after="30d",
        trivium_notebooks__max_running="never",
        trivium_runtime__cgroups="no",
        trivium_runtime__run_dir="~/run",
        trivium_models__roots="/data/models:~/models:/data/models/",
        trivium_scnet__image_list="ARRAY",
    )
    settings = loaded.settings
    assert settings.node.accelerators == (Declared(kind="dcu", count=8), Declared(kind="gpu", count=2))
    assert settings.node.memory == 64 << 30
    assert settings.node.cores == 7.5
    assert settings.notebooks.release_after == timedelta(days=30)
    assert settings.notebooks.max_running is None
    assert settings.runtime.cgroups is False
    assert settings.runtime.run_dir == Path.home() / "run"
    assert settings.scnet.image_list is ImageList.ARRAY
    assert settings.model_roots == (Path("/data/models"), Path.home() / "models")
    shown = {one.key: one.value for one in show(loaded)}
    assert shown["models.roots"] == f"/data/models:{Path.home()}/models"
    assert shown["node.accelerators"] == "dcu:8,gpu:2"


def test_models_lie_in_the_data_directory_unless_somewhere_else_is_named(tmp_path: Path) -> None:
    loaded = _load(tmp_path)
    assert loaded.settings.model_roots == (tmp_path / "models",)
    assert {one.key: one.value for one in show(loaded)}["models.roots"] == ""
    assert _load(tmp_path, trivium_models__roots="").settings.model_roots == (tmp_path / "models",)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("15m", 900), ("12h", 43200), ("1d12h", 129600), ("1d1h1m1.5s", 90061.5), ("0s", 0)],
)
def test_durations(tmp_path: Path, text: str, seconds: float) -> None:
    loaded = _load(tmp_path, f"[notebooks]\nstop_grace = '{text}'\n")
    assert loaded.settings.notebooks.stop_grace.total_seconds() == seconds
    assert {one.key: one.value for one in show(loaded)}["notebooks.stop_grace"] == text.replace("1d12h", "1d12h")


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ("[server]\nport = '8800'\n", "server.port"),  # a file has types of its own: text is no number there
        ("[server]\nport = 70000\n", "server.port"),
        ("[server]\nport = true\n", "server.port"),
        ("[site]\nid = 0\n", "site.id"),
        ("[site]\nname = ''\n", "site.name"),
        ("[site]\ntimezone = 'Mars/Base'\n", "site.timezone"),
        ("[notebooks]\nstop_grace = 10\n", "notebooks.stop_grace"),
        ("[notebooks]\nstop_grace = '10'\n", "notebooks.stop_grace"),
        ("[node]\naccelerators = 'dcu'\n", "node.accelerators"),
        ("[node]\naccelerators = 'tpu:8'\n", "node.accelerators"),
        ("[node]\naccelerators = 'dcu:1,dcu:2'\n", "node.accelerators"),
        ("[node]\nmemory = '64 elephants'\n", "node.memory"),
        ("[node]\nmemory = true\n", "node.memory"),
        ("[node]\ncores = 0\n", "node.cores"),
        ("[runtime]\ncgroups = 'perhaps'\n", "runtime.cgroups"),
        ("[runtime]\nprocesses = 0\n", "runtime.processes"),
        ("[models]\nroots = 'models'\n", "models.roots"),
        ("[models]\nroots = ':'\n", "models.roots"),
        ("[models]\nroots = '/data/../models'\n", "models.roots"),
        ("[models]\nroots = ['/data/models']\n", "models.roots"),
        ("[scnet]\nimage_list = 'tuple'\n", "scnet.image_list"),
        ("[proxy]\nhost = 'nb.example'\n", "proxy.host"),
        ("[proxy]\nhost = 'x-{id}.nb.example'\n", "proxy.host"),
        ("[proxy]\npublic_url = 'nb.example'\n", "proxy.public_url"),
        ("[server]\nproxy_port = 8800\n", "server.proxy_port"),
        ("[server]\nprot = 1\n", "server.prot"),
        ("[sever]\nport = 1\n", "sever.port"),
        ("port = 1\n", "port"),
        ("[server\n", "trivium.toml"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_where_it_stands(tmp_path: Path, toml: str, key: str) -> None:
    message = _refusal(tmp_path, toml)
    assert key in message
    assert message.count("\n") == 0
    if (
        "://" not in message
        and "expected a name" not in message
        and "{id}" not in message
        and "another port" not in message
    ):
        assert str(tmp_path / "trivium.toml") in message


def test_an_unknown_variable_is_an_error_with_a_hint(tmp_path: Path) -> None:
    message = _refusal(tmp_path, trivium_server__prot="1")
    assert "TRIVIUM_SERVER__PROT" in message
    assert "did you mean server.port?" in message


def test_variables_without_a_section_are_none_of_ours(tmp_path: Path) -> None:
    _load(tmp_path, trivium_admin_password="x", trivium_version="2", path="/bin")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    message = _refusal(tmp_path, "[log]\nlevel = 'loud'\n", trivium_server__port="x", trivium_site__id="y")
    assert len(message.splitlines()) == 3


def test_a_password_is_never_told(tmp_path: Path) -> None:
    url = "postgresql://trivium:hunter2@db.example/trivium"
    for one in show(_load(tmp_path, trivium_database__url=url)):
        assert "hunter2" not in str(one.value)
    assert "hunter2" not in _refusal(tmp_path, "[database]\nurl = ['hunter2']\n")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://trivium:hunter2@db.example:5432/trivium", "postgresql://trivium:****@db.example:5432/trivium"),
        ("postgresql:///trivium?host=/run&password=hunter2", "postgresql:///trivium?host=/run&password=****"),
        ("postgresql://trivium:p%40ss:word@h/d", "postgresql://trivium:****@h/d"),
        ("sqlite:////data/trivium.db", "sqlite:////data/trivium.db"),
    ],
)
def test_how_a_database_is_shown(tmp_path: Path, url: str, shown: str) -> None:
    loaded = _load(tmp_path, trivium_database__url=url)
    assert loaded.settings.database_url == url
    assert {one.key: one.value for one in show(loaded)}["database.url"] == shown
