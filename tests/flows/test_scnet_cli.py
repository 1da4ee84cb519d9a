"""SCNet's own client, unmodified, against a real server: from the login to the release of a notebook."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.conftest import Scnet, Site

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.jupyter, pytest.mark.timeout(600)]


@pytest.fixture
def scnet(site: Site, tmp_path: Path) -> Scnet:
    return Scnet(tmp_path / "home", site.server, site.key(f"cli-{tmp_path.name}"[:60]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask_for_a_notebook(scnet: Scnet) -> str:
    """The id of a new notebook of the built-in image."""
    image = scnet.json("notebook", "model-images")["records"][0]
    cluster = region_of(scnet)
    group = next(
        found for found in scnet.json("notebook", "resources", "--clusters", cluster) if found["resourceType"] == "CPU"
    )
    words = ("--image", image["path"], "--image-name", image["version"], "--accelerator", "CPU")
    said = scnet.run("notebook", "create", "--cluster", cluster, *words, "--group", group["resourceGroupCode"])
    assert "创建成功" in said
    (made,) = scnet.notebooks()
    assert made in said
    return made


def region_of(scnet: Scnet) -> str:
    return next(token["clusterId"] for token in scnet.json("auth", "login") if token["clusterId"] != "0")


def test_a_notebook_lives_its_whole_life(scnet: Scnet) -> None:
    notebook = ask_for_a_notebook(scnet)
    running = scnet.comes_to(notebook, "Running")
    assert scnet.json("notebook", "detail", notebook)["containerId"] == running["containerId"]

    assert open_page(scnet, notebook).status_code == 200
    assert run_a_cell(scnet, notebook, "print(6 * 7)") == "42"
    assert "已重命名" in scnet.run("notebook", "rename", notebook, "新名字")
    assert scnet.notebooks()[notebook]["notebookName"] == "新名字"
    serve_something(scnet, notebook)

    assert "已关机" in scnet.run("notebook", "stop", notebook)
    assert scnet.comes_to(notebook, "Terminated")["containerId"] is None
    assert "inactive" in scnet.run("notebook", "url", notebook)
    assert "已开机" in scnet.run("notebook", "start", notebook)
    scnet.comes_to(notebook, "Running")

    assert "已关机" in scnet.run("notebook", "stop", notebook, "--save-env")
    scnet.comes_to(notebook, "Terminated")
    saved = scnet.json("container", "images", "--access", "private")
    assert [image["description"] for image in saved["data"]] == ["新名字"]
    assert "已释放" in scnet.run("notebook", "release", "-y", notebook)
    assert scnet.notebooks() == {}


def test_the_account_and_its_region_are_shown(scnet: Scnet, site: Site) -> None:
    cluster = region_of(scnet)
    assert scnet.json("auth", "whoami")["accountStatus"] == "Normal"
    region = scnet.json("--cluster", cluster, "auth", "regions")
    assert region["id"] == int(cluster)
    assert region["aiUrls"] == [{"url": f"{site.server.url}/ai", "enable": "true", "version": "2.0"}]
    assert "续约成功" in scnet.run("auth", "renew")
    assert "续约成功" in scnet.run("auth", "renew", "--cluster", cluster)


def test_tables_are_drawn_for_people(scnet: Scnet) -> None:
    cluster = region_of(scnet)
    assert "访问凭证" in scnet.run("auth", "login", "--force")
    assert "共 0" in scnet.run("notebook", "ls")
    assert cluster in scnet.run("notebook", "resources", "--clusters", cluster)


def test_what_is_not_served_is_said_in_words(scnet: Scnet) -> None:
    with pytest.raises(AssertionError, match="接口未开放"):
        scnet.run("container", "ls")


def open_page(scnet: Scnet, notebook: str) -> httpx.Response:
    """JupyterLab's page, reached as a browser does it."""
    url = link_of(scnet.run("notebook", "url", notebook))
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        return browser.get(url)


def run_a_cell(scnet: Scnet, notebook: str, code: str) -> str:
    """What a cell prints in the notebook's kernel, through the proxy."""
    url = link_of(scnet.run("notebook", "url", notebook))
    command = [sys.executable, str(ROOT / "examples" / "run_cell.py"), url, code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def serve_something(scnet: Scnet, notebook: str) -> None:
    """A service of the user's own inside the notebook, reached from outside."""
    port = free_port()
    assert "inactive" in scnet.run("notebook", "custom-url", notebook)
    command = f"mkdir -p served; echo hello > served/said; cd served; python -m http.server {port} > log 2>&1 &"
    assert "启动成功" in scnet.run("notebook", "custom-start", notebook, "--port", str(port), "--command", command)
    shown: dict[str, Any] = scnet.notebooks()[notebook]
    assert (shown["customizePort"], shown["customsizePort"], shown["command"]) == (str(port), str(port), command)
    url = link_of(scnet.run("notebook", "custom-url", notebook))
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        assert "said" in browser.get(url).text


def link_of(said: str) -> str:
    """The address in what the client prints."""
    return next(word for word in said.split() if word.startswith("http"))
