"""What may be asked of a new notebook."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import CAPABLE
from trivium.base.errors import Invalid
from trivium.drivers.runtimes.process.keeper.startup.targets import FORBIDDEN
from trivium.resources.notebooks.asking import SYSTEM, checked_command, checked_mounts, checked_name
from trivium.resources.notebooks.errors import BadMount, BadName, MountRefused
from trivium.resources.notebooks.ports import Mount

HOME = Path("/homes/7")


@pytest.mark.parametrize("name", ["", "   ", "a" * 129, "tab\there", "null\0", "new\nline", "zero\u200bwidth"])
def test_a_senseless_name_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        checked_name(name)


def test_a_name_loses_its_outer_spaces_and_keeps_its_script() -> None:
    assert checked_name("  测试 one ") == "测试 one"


@pytest.mark.parametrize("source", ["", "/", "..", "a/../../b", "../x", "a\0b", "a/" * 600])
def test_a_source_outside_the_home_is_refused(source: str) -> None:
    with pytest.raises(BadMount):
        checked_mounts([Mount(source=source, target="/data")], CAPABLE, home=HOME)


@pytest.mark.parametrize(
    "target",
    ["/usr", "/usr/lib/x", "/proc/1", "/dev/shm", "/etc", "", "/", "data", "/a/../b", "//x", "/a\0", "/a" * 600],
)
def test_a_senseless_target_is_refused(target: str) -> None:
    with pytest.raises(BadMount):
        checked_mounts([Mount(source="a", target=target)], CAPABLE, home=HOME)


@pytest.mark.parametrize("name", ["a\rb", "a\x1cb", "a\x7f", "a\x85b", "a\u2028b", "a\ud800b"])
def test_a_path_that_does_not_stay_in_one_line_is_refused(name: str) -> None:
    for source, target, field in ((name, "/data", "sourcePath"), ("a", f"/data/{name}", "targetPath")):
        with pytest.raises(BadMount) as refused:
            checked_mounts([Mount(source=source, target=target)], CAPABLE, home=HOME)
        assert refused.value.field == field
    assert checked_mounts([Mount(source="数据 1\xa0é", target="/data/测试 one")], CAPABLE, home=HOME)


@pytest.mark.parametrize("command", ["x" * 8193, "echo \0"])
def test_a_command_that_no_shell_could_be_given_is_refused(command: str) -> None:
    with pytest.raises(Invalid):
        checked_command(command, "startCommand")


def test_a_blank_command_is_none() -> None:
    assert checked_command(" \n", "command") is None
    assert checked_command(None, "command") is None
    assert checked_command(" sleep 1 ", "command") == "sleep 1"


def test_two_mounts_cannot_have_one_target() -> None:
    with pytest.raises(BadMount):
        checked_mounts([Mount(source="a", target="/d"), Mount(source="b", target="/d/")], CAPABLE, home=HOME)


def test_a_read_only_mount_is_refused_where_it_would_not_hold() -> None:
    incapable = msgspec.structs.replace(CAPABLE, mount_namespace=False)
    with pytest.raises(MountRefused):
        checked_mounts([Mount(source="a", target="/data/a")], incapable, home=HOME)
    assert checked_mounts([Mount(source="a", target="/homes/7/b", writable=True)], incapable, home=HOME)
    with pytest.raises(MountRefused):
        checked_mounts([Mount(source="a", target="/data/a", writable=True)], incapable, home=HOME)


@given(st.text(), st.text())
def test_whatever_is_asked_a_clean_mount_or_a_refusal_comes_of_it(source: str, target: str) -> None:
    try:
        (mount,) = checked_mounts([Mount(source=source, target=target)], CAPABLE, home=HOME)
    except Invalid:
        return
    assert not mount.source.startswith("/")
    assert ".." not in mount.source.split("/")
    assert mount.target.startswith("/")
    assert ".." not in mount.target.split("/")


def test_what_belongs_to_the_system_is_the_same_where_it_is_asked_for_and_where_it_is_mounted() -> None:
    """The keeper, which imports nothing of ours, has a list of its own."""
    assert {str(place) for place in SYSTEM} == {*FORBIDDEN}
