"""README's first session works as it is written, from the key to the cell that runs in the notebook's kernel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving import Server, serving
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent


@pytest.fixture
def server() -> Iterator[tuple[Server, Path]]:
    """A server that is ready, and its data directory."""
    # Notebooks run under uids of their own, which cannot pass through the directories that pytest makes.
    data = Path(tempfile.mkdtemp(prefix="tv-readme-"))
    data.chmod(0o711)
    try:
        with serving(data) as made:
            until(lambda: httpx.get(f"{made.url}/readyz").status_code == 200, within=120, what="a server that is ready")
            yield made, data
    finally:
        shutil.rmtree(data)


def _blocks() -> list[str]:
    """The shell blocks of README's first session."""
    text = (ROOT / "README.md").read_text("utf-8")
    session = text.split("## A first session", 1)[1].split("### Beyond the first session", 1)[0]
    return re.findall(r"```sh\n(.*?)```", session, re.DOTALL)


@pytest.mark.jupyter
def test_the_first_session_works_as_written(server: tuple[Server, Path], tmp_path: Path) -> None:
    running, data = server
    blocks = _blocks()
    assert len(blocks) >= 6
    script = "\n".join(blocks).replace("http://127.0.0.1:8800", running.url).replace(".venv/bin/", f"{TOOLS}/")
    script = script.replace("key create --user admin", f"key create --user admin --data {data}")
    script = script.replace("dataset import", f"dataset import --data {data}")
    script = script.replace("~/.local/share/trivium", str(data))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{TOOLS}:{os.environ['PATH']}", "HOME": str(tmp_path), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n42\n" in done.stdout
    assert "from the SDK\n" in done.stdout
    assert done.stdout.count('"code":"0"') >= 2
    assert (
        '"inventories":[{"name":"demo","architectureType":"LlamaForCausalLM","recommendedGpuNum":[1,2]}]' in done.stdout
    )
    assert '"results":[{"total":1}]' in done.stdout
    assert '"total_number":2' in done.stdout
    assert '"sample_count":1,"samples":[{' in done.stdout
    assert (tmp_path / "cat.png").read_bytes().startswith(b"\x89PNG")
