"""Tries to bring code of one's own into somebody else's notebook, or into the server, by an image."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.escapes.world import Inside, Stage
from tests.installation import TRIVIUM

POISON = 'import os; os.system(\'id -u >> %s; tr "\\\\0" "\\\\n" < /proc/self/environ >> %s\')'


@pytest.fixture(scope="module")
def poisoned(stage: Stage) -> tuple[str, Path]:
    """An image that Alice saved with code in it that runs in every interpreter; and where it leaves a mark."""
    inside = stage.started("alice")
    mark = Path(inside.says("echo ~/mark"))
    site = inside.says("python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))'")
    code = POISON % (mark, mark)
    inside.says(f"cat > {site}/poison.pth <<'END'\n{code}\nEND\ncp {site}/poison.pth {site}/sitecustomize.py")
    inside.says(f"mkdir -p {site}/http {site}/socketserver; echo 'raise SystemExit(9)' > {site}/json.py")
    inside.says(f"python -c pass; test -s {mark} && rm {mark}")  # it works
    inside.stop(saves=True)
    inside.release()
    saved = next(image for image in _images(stage) if image["visibility"] == "private")
    return saved["path"], mark


def test_a_poisoned_image_is_its_owners_alone(stage: Stage, poisoned: tuple[str, Path]) -> None:
    user = stage.users["bob"]
    place = {"clusterId": user.key.site_id, "imagePath": poisoned[0], "imageName": "x"}
    answer = user.platform("create", **place, acceleratorType="dcu", acceleratorNumber=1)
    assert not answer.ok
    shown = stage.users["bob"].get("list", page=1, size=50)
    assert poisoned[0] not in json.dumps(shown.data)


def test_a_poisoned_image_runs_as_its_user_and_nothing_else_runs_it(
    stage: Stage, bob: Inside, poisoned: tuple[str, Path]
) -> None:
    path, mark = poisoned
    keepers = _keepers(stage)
    inside = stage.started("alice", image=path)
    try:
        inside.says("python -c pass")
        said = mark.read_text()
        uids = {line for line in said.splitlines() if line.isdigit()}
        assert uids == {str(inside.uid)}  # not root's, whoever started an interpreter
        assert f"TRIVIUM_NOTEBOOK={inside.id}" in said
        assert "TRIVIUM_ADMIN_PASSWORD" not in said
        # Another notebook of the operator's image lies beside it, and has nothing of it.
        assert bob.run("python -c 'import poison'").code != 0
        assert "poison" not in bob.says("python -c 'import sys; print(sys.path, sys.modules.keys())'")
        fresh = stage.started("bob")
        assert fresh.run("ls $VIRTUAL_ENV/lib/python*/site-packages").out.count("poison") == 0
        fresh.stop().release()
    finally:
        inside.stop().release()
    assert _keepers(stage) == keepers


def test_a_link_in_place_of_the_packages_is_not_followed_and_their_owner_is_told(stage: Stage) -> None:
    inside = stage.started("alice")
    before = _images(stage)
    inside.says("cd $(dirname $VIRTUAL_ENV) && mv venv v2 && ln -s / venv")
    inside.stop(saves=True)
    assert "not in the directory venv" in inside.row["errorMessage"]
    (image,) = (one for one in _images(stage) if one not in before)
    assert image["status"] == "failed"
    inside.release()


def test_a_saved_layer_cannot_be_changed_afterwards(stage: Stage, poisoned: tuple[str, Path]) -> None:
    layers = list((stage.data / "saved").iterdir())
    assert layers
    for place in (layers[0], *layers[0].rglob("*")):
        entry = place.lstat()
        assert entry.st_uid == 0, place
        assert place.is_symlink() or not entry.st_mode & 0o022, place
    inside = stage.started("alice", image=poisoned[0])
    try:
        done = inside.run(f"touch {layers[0]}/x || rm -r {layers[0]}/lib")
        assert done.code != 0
        assert "Read-only" in done.err
    finally:
        inside.stop().release()


@pytest.mark.parametrize("where", ["lib", "bin/python-config", "above"])
def test_an_environment_that_a_notebook_could_write_to_is_no_image(stage: Stage, where: str) -> None:
    above = stage.site.top / f"open-{where.replace('/', '-')}"
    environment = above / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (environment / "bin/python-config").touch(0o755)
    place = above if where == "above" else environment / where
    mode = place.stat().st_mode
    place.chmod(0o777)
    words = [str(TRIVIUM), "image", "add", f"open-{where.replace('/', '-')}:1".lower(), "--path", str(environment)]
    words += ["--accelerator", "dcu", "--command", "python -V", "--data", str(stage.data)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert str(place) in done.stderr
    place.chmod(mode)
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_an_environment_that_was_opened_after_it_was_added_is_refused(stage: Stage) -> None:
    environment = stage.site.top / "later"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    path = stage.site.image("later:1", "sleep", "9", path=environment)
    (environment / "lib").chmod(0o777)
    user = stage.users["alice"]
    place = {"clusterId": user.key.site_id, "imagePath": path, "imageName": "x"}
    answer = user.platform("create", **place, acceleratorType="dcu", acceleratorNumber=1)
    assert not answer.ok
    (environment / "lib").chmod(0o755)


def _images(stage: Stage) -> list[dict[str, str]]:
    return stage.site.type("image", "list")


def _keepers(stage: Stage) -> set[int]:
    found = psutil.process_iter(["pid", "ppid", "cmdline"])
    return {
        one.info["pid"] for one in found if one.info["ppid"] == 1 and str(stage.data) in (one.info["cmdline"] or [])
    }
