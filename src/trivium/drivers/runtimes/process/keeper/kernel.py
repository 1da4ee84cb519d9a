"""The kernel calls that the standard library does not have: prctl, mount namespaces, mounts."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS = 0x00020000
MNT_DETACH = 2
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_LIBC = ctypes.CDLL(None, use_errno=True)
_STATVFS_FLAGS = ((os.ST_NOSUID, MS_NOSUID), (os.ST_NODEV, MS_NODEV), (os.ST_NOEXEC, 8), (os.ST_RDONLY, MS_RDONLY))


def become_subreaper() -> None:
    """Let orphaned descendants be given to this process instead of to init."""
    _check(_LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def refuse_new_privileges() -> None:
    """From here on no program of this process or its children gains privileges by set-uid bits."""
    _check(_LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def unshare_mounts() -> None:
    """A mount namespace of this process's own, in which nothing that is mounted shows outside."""
    _check(_LIBC.unshare(CLONE_NEWNS), "unshare")
    _mount(None, "/", None, MS_REC | MS_PRIVATE)


def enter_mounts(descriptor: int) -> None:
    """Move to the mount namespace behind an open `/proc/<pid>/ns/mnt`."""
    _check(_LIBC.setns(descriptor, CLONE_NEWNS), "setns")


def mount_tmpfs(target: str, *, size: str = "1m") -> None:
    """An empty directory in memory over `target`, which everybody may cross and only root may write."""
    _mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, f"mode=0755,size={size}")


def bind(source: str, target: str, *, recursive: bool = True) -> None:
    """Show `source` at `target` too."""
    _mount(source, target, None, MS_BIND | (MS_REC if recursive else 0))


def make_readonly(target: str) -> None:
    """Make a bind mount at `target` read-only; flags that its file system already has are kept."""
    flags = os.statvfs(target).f_flag
    kept = sum(ours for theirs, ours in _STATVFS_FLAGS if flags & theirs)
    _mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def sync_file_system(descriptor: int) -> None:
    """Write everything of the file system behind a descriptor to the disk."""
    _check(_LIBC.syncfs(descriptor), "syncfs")


def unmount(target: str) -> None:
    """Take away what was mounted last at `target`."""
    _check(_LIBC.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def move_root(target: str) -> None:
    """Make what is mounted at `target` the root directory of this namespace."""
    os.chdir(target)
    _mount(target, "/", None, MS_MOVE)
    os.chroot(".")
    os.chdir("/")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:  # noqa: PLR0917 - as mount(2) has them
    arguments = [None if text is None else text.encode() for text in (source, target, kind)]
    data = None if options is None else options.encode()
    _check(_LIBC.mount(*arguments, ctypes.c_ulong(flags), data), f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
