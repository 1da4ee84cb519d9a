"""Where models may be read from: nothing outside the roots, nothing but files, and not without bound."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.artifacts.world import read, refused, write_safetensors
from trivium.drivers.artifacts import ArtifactReader, Limits
from trivium.resources.models import ArtifactRefused, Facts

SECRET = "what nobody may read"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text(SECRET)
    directory = tmp_path / "root"
    (directory / "model").mkdir(parents=True)
    (directory / "model" / "a").write_text("a")
    return directory


def _limited(root: Path, limits: Limits) -> Facts:
    reader = ArtifactReader([root], limits=limits)
    return reader.read_here(root / "model", resume=None, note=None, stopped=lambda: False)


@pytest.mark.parametrize(
    "path", ["../outside", "../outside/secret", "model/../../outside", "model/../../root/model", "/etc", "../root-2"]
)
def test_no_path_leads_out_of_the_root(root: Path, path: str) -> None:
    (root.parent / "root-2").mkdir()
    assert refused(root / path, root)[0] == "outside"


def test_a_relative_path_is_in_no_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert refused(Path("model"), root) == ("outside", "model")


def test_a_path_may_go_up_and_down_within_the_root(root: Path) -> None:
    reader = ArtifactReader([root])
    facts = reader.read_here(root / "model/../model/./a", resume=None, note=None, stopped=lambda: False)
    assert facts.files == 1


def test_what_is_not_there_is_said(root: Path) -> None:
    assert refused(root / "nothing", root) == ("absent", "nothing")
    assert refused(root / "model" / "a" / "b", root) == ("absent", "model/a/b")
    assert refused(root / ("x" * 300), root)[0] == "absent"
    assert refused(root.parent / "gone" / "model", root.parent / "gone")[0] == "absent"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("../../outside/secret", "outside"),
        ("/etc/passwd", "link"),
        ("../../../../../../../../etc/passwd", "outside"),
        ("link", "link"),
        ("gone", "absent"),
        ("../model", "link"),
        (".", "link"),
        ("/dev/null", "link"),
    ],
)
def test_a_link_out_of_the_root_or_in_circles_is_refused(root: Path, target: str, code: str) -> None:
    (root / "model" / "link").symlink_to(target)
    assert refused(root / "model", root) == (code, "link")


def test_a_link_through_a_directory_that_leads_out_is_refused(root: Path) -> None:
    (root / "away").symlink_to(root.parent / "outside")
    (root / "model" / "link").symlink_to("../away/secret")
    assert refused(root / "model", root) == ("link", "link")
    assert refused(root / "away" / "secret", root)[0] == "link"


def test_a_root_may_itself_be_a_link(root: Path) -> None:
    (root.parent / "short").symlink_to(root)
    reader = ArtifactReader([root.parent / "short"])
    facts = reader.read_here(root.parent / "short" / "model", resume=None, note=None, stopped=lambda: False)
    assert facts.files == 1


def test_pipes_and_sockets_are_refused_without_being_opened(root: Path) -> None:
    os.mkfifo(root / "model" / "pipe")
    assert refused(root / "model", root) == ("special", "pipe")
    assert refused(root / "model" / "pipe", root) == ("special", "pipe")
    (root / "model" / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(root / "model" / "socket"))
        assert refused(root / "model", root) == ("special", "socket")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="making a device needs root")
def test_devices_are_refused(root: Path) -> None:
    os.mknod(root / "model" / "zero", 0o666 | 0o020000, os.makedev(1, 5))
    assert refused(root / "model", root) == ("special", "zero")


def test_an_empty_directory_is_no_model(root: Path) -> None:
    (root / "empty" / "below").mkdir(parents=True)
    assert refused(root / "empty", root) == ("empty", "empty")


def test_names_that_are_no_text_are_read_and_shown_escaped(root: Path) -> None:
    name = os.fsdecode(b"\xff\n\x1b[31m")
    (root / "model" / name).write_text("x")
    assert read(root / "model").files == 2
    os.truncate(root / "model" / name, 0)
    (root / "model" / name).rename(root / "model" / f"{name}.safetensors")
    assert refused(root / "model") == ("truncated", "\\xff\\n\\x1b[31m.safetensors")


def test_more_files_than_the_limit_are_refused(root: Path) -> None:
    for number in range(50):
        (root / "model" / str(number)).touch()
    assert _limited(root, Limits(entries=51)).files == 51
    with pytest.raises(ArtifactRefused) as caught:
        _limited(root, Limits(entries=50))
    assert caught.value.reason.code == "model.artifact.too_many"
    assert caught.value.reason.details == {"file": ".", "limit": "50"}


def test_directories_count_as_files_do_and_long_names_do_more(root: Path) -> None:
    for number in range(20):
        (root / "model" / f"{number:0100}").mkdir()
    for limits in (Limits(entries=20), Limits(path_bytes=2000)):
        with pytest.raises(ArtifactRefused) as caught:
            _limited(root, limits)
        assert caught.value.reason.code == "model.artifact.too_many"


def test_directories_that_lie_too_deep_are_refused(root: Path) -> None:
    deep = root / "model" / "/".join("d" * 33)
    deep.mkdir(parents=True)
    (deep / "file").touch()
    assert refused(root / "model", root)[0] == "too_deep"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said(root: Path) -> None:
    (root / "model" / "a").chmod(0)
    assert refused(root / "model", root) == ("unreadable", "a")


def test_a_file_that_changes_while_it_is_read_is_refused(root: Path) -> None:
    write_safetensors(root / "model" / "z.safetensors", {"w": ("float32", (10,))})  # is looked at before all is read
    reader = ArtifactReader([root])
    with pytest.raises(ArtifactRefused) as caught:
        reader.read_here(
            root / "model", resume=None, note=None, stopped=_once(lambda: (root / "model" / "a").write_text("b" * 9))
        )
    assert (caught.value.reason.code, caught.value.reason.details["file"]) == ("model.artifact.changed", "a")


def test_nothing_outside_is_read_while_files_and_directories_are_swapped_for_links(root: Path) -> None:
    """One thread swaps as fast as it can, the other reads: what it gets is the model, or a refusal."""
    model = root / "model"
    (model / "sub").mkdir()
    (model / "sub" / "secret").write_text("harmless")
    right = read(model).checksum
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            for name, target in (("sub", root.parent / "outside"), ("a", root.parent / "outside" / "secret")):
                (model / name).rename(model.parent / "kept")
                (model / name).symlink_to(target)
                (model / name).unlink()
                (model.parent / "kept").rename(model / name)

    swapping = threading.Thread(target=swap)
    swapping.start()
    seen: set[str] = set()
    try:
        for _ in range(300):
            try:
                seen.add(read(model).checksum)
            except ArtifactRefused as error:
                seen.add(error.reason.code)
    finally:
        over.set()
        swapping.join()
    partial = {"model.artifact.absent", "model.artifact.link", "model.artifact.changed", "model.artifact.outside"}
    missing = {_without(model, "a"), _without(model, "sub")}
    assert seen <= {right, *partial, *missing}
    assert seen & partial


def _without(model: Path, name: str) -> str:
    kept = model.parent / "kept"
    (model / name).rename(kept)
    try:
        return read(model).checksum
    finally:
        kept.rename(model / name)


def _once(act: Callable[[], object]) -> Callable[[], bool]:
    """Asked the first time whether to stop, it does something, and says no."""
    first = iter([act])

    def stopped() -> bool:
        for do in first:
            do()
        return False

    return stopped
