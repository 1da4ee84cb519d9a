"""Tries to gain rights: by programs that raise them, by namespaces, by what is mounted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.escapes.world import Inside, Stage
from trivium.drivers.runtimes.process.keeper.startup.namespaces import MOST_TERMINALS


def test_a_program_that_raises_rights_raises_none(stage: Stage, alice: Inside) -> None:
    raising = stage.site.python / "bin" / "raising"
    outside = subprocess.run(
        ["setpriv", f"--reuid={alice.uid}", "--clear-groups", str(raising), "-u"], capture_output=True, check=True
    )
    assert outside.stdout.strip() == b"0"  # it does raise whoever is not kept from it
    assert alice.says("raising -u") == str(alice.uid)


def test_no_capability_group_or_core_dump_is_left(alice: Inside) -> None:
    status = dict(line.split(":\t", 1) for line in alice.says("cat /proc/$PPID/status").splitlines())
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Groups"].strip() == ""
    assert status["Uid"].split() == [str(alice.uid)] * 4
    assert status["Gid"].split() == [str(alice.uid)] * 4
    assert alice.says("ulimit -c; ulimit -Hc; umask").split() == ["0", "0", "0077"]


def test_keys_of_whoever_started_the_server_are_not_possessed(alice: Inside) -> None:
    if not os.path.exists("/proc/keys"):  # noqa: PTH110 - no path of ours
        pytest.skip("this kernel has no key rings")
    owners = {line.split()[5] for line in alice.says("cat /proc/keys").splitlines()}
    assert owners <= {str(alice.uid)}


def test_a_user_namespace_uncovers_nothing(stage: Stage, alice: Inside) -> None:
    """One who is root in a user namespace of their own may mount, and not take away what was mounted before."""
    if alice.run("unshare -Urm true").code != 0:
        pytest.skip("no user namespaces for users on this machine")
    cover = "mount -t tmpfs none /mnt && touch /mnt/x && umount /mnt"
    assert alice.run(f"unshare -Urm bash -c '{cover}'").code == 0  # the tools work there
    for place in ("/proc", "/tmp", "/dev/shm", str(stage.data)):
        done = alice.run(f"unshare -Urm bash -c 'umount -l {place} || umount {place}'")
        assert done.code != 0, place
    image = stage.site.python
    for again in (f"mount -o remount,rw,bind {image}", f"mount --bind {image} /mnt && mount -o remount,rw,bind /mnt"):
        done = alice.run(f"unshare -Urm bash -c '{again} && touch {image}/escaped /mnt/escaped'")
        assert done.code != 0
    assert not (image / "escaped").exists()
    shown = alice.says(
        f"unshare -Urm bash -c 'mount -t proc proc /mnt; ls -d /mnt/[0-9]* {stage.data}/root.key' || true"
    )
    assert "/mnt/" not in shown
    seen = alice.says("unshare -Urmpf --mount-proc ps -e -o pid=").split()
    assert seen == ["1"]  # those of the new namespace, and no others


def test_the_image_cannot_be_written_to(stage: Stage, alice: Inside) -> None:
    for place in (stage.site.python, stage.site.python / "bin"):
        done = alice.run(f"touch {place}/escaped || mv {place}/agent.py {place}/x")
        assert done.code != 0
        assert "Read-only file system" in done.err
    assert alice.run("touch $VIRTUAL_ENV/bin/own").code == 0  # its own layer it can


def test_devices_of_the_machine_cannot_be_opened(alice: Inside) -> None:
    done = alice.run("for one in /dev/mem /dev/kmem /dev/port /dev/[hsv]d[a-z] /dev/kmsg; do head -c1 $one; done")
    assert done.out == ""
    assert alice.run("mknod ~/disk b 8 0").code != 0
    assert alice.run("head -c1 /dev/zero").code == 0


def test_all_terminals_of_one_notebook_leave_others_theirs(alice: Inside) -> None:
    program = """
import os
held = []
try:
    while len(held) < 5000:
        held.append(os.openpty())
except OSError:
    print(len(held))
"""
    assert 0 < int(alice.python(program).out) <= MOST_TERMINALS
    machine = int(Path("/proc/sys/kernel/pty/nr").read_text())
    for descriptor in os.openpty():
        os.close(descriptor)
    assert machine < int(Path("/proc/sys/kernel/pty/max").read_text())
    names = alice.says("ls /dev/pts").split()
    assert set(names) <= {"ptmx"}  # none of others' shows
