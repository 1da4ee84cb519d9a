"""The kernel calls that the standard library does not have: prctl, namespaces, mounts, key rings."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
MNT_DETACH = 2
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_MM = 35
PR_SET_MM_MAP = 14
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
NO_FILE = 0xFFFFFFFF
CAPABILITIES = 64  # as many as the kernel's sets can hold
NS_GET_USERNS = 0xB701
KEYCTL_JOIN_SESSION_KEYRING = 1
KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "loongarch64": 219}
KCMP_FILES = 2
KCMP = {"x86_64": 312, "aarch64": 272, "riscv64": 272, "loongarch64": 272}

# What of a process's memory stays as it is, and where /proc/<pid>/stat has it after the name
MEMORY = {"start_code": 23, "end_code": 24, "start_stack": 25, "start_data": 42, "end_data": 43, "start_brk": 44}

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.sbrk.restype = ctypes.c_uint64
_STATVFS_FLAGS = (
    (os.ST_NOSUID, MS_NOSUID),
    (os.ST_NODEV, MS_NODEV),
    (os.ST_NOEXEC, MS_NOEXEC),
    (os.ST_RDONLY, MS_RDONLY),
)


def become_subreaper() -> None:
    """Let orphaned descendants be given to this process instead of to init."""
    _check(_LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def die_with_parent() -> None:
    """Let this process be killed when the one that started it ends. Its own children do not inherit that."""
    _check(_LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl")


def allow_to_be_seen() -> None:
    """Let this process's user see it in /proc and trace it, as after executing a program: its uid was changed."""
    _check(_LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")


class _MemoryMap(ctypes.Structure):
    """Linux's `struct prctl_mm_map`, with its names."""

    _fields_ = (
        ("start_code", ctypes.c_uint64),
        ("end_code", ctypes.c_uint64),
        ("start_data", ctypes.c_uint64),
        ("end_data", ctypes.c_uint64),
        ("start_brk", ctypes.c_uint64),
        ("brk", ctypes.c_uint64),
        ("start_stack", ctypes.c_uint64),
        ("arg_start", ctypes.c_uint64),
        ("arg_end", ctypes.c_uint64),
        ("env_start", ctypes.c_uint64),
        ("env_end", ctypes.c_uint64),
        ("auxv", ctypes.c_void_p),
        ("auxv_size", ctypes.c_uint32),
        ("exe_fd", ctypes.c_uint32),
    )


def move_arguments(start: int, size: int, environment: int) -> bool:
    """Have /proc read this process's arguments from that address on, and its environment from where these end.

    False where the kernel was built without that; nothing has changed then.
    """
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    told = _MemoryMap(exe_fd=NO_FILE, brk=_LIBC.sbrk(0), **{name: int(fields[at]) for name, at in MEMORY.items()})
    told.arg_start = start
    told.arg_end = told.env_start = start + size
    told.env_end = start + size + environment
    length, nothing = ctypes.c_ulong(ctypes.sizeof(told)), ctypes.c_ulong(0)
    return _LIBC.prctl(PR_SET_MM, PR_SET_MM_MAP, ctypes.byref(told), length, nothing) == 0


def refuse_new_privileges() -> None:
    """From here on no program of this process or its children gains privileges by set-uid bits."""
    _check(_LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def give_up_capabilities() -> None:
    """No program of this process or its children has a capability by file or by inheritance from here on.

    What this process has now, root's rights among them, ends when it changes its uid. Nothing happens where it may not
    say so, for then it has none to give up.
    """
    nothing = ctypes.c_ulong(0)
    _LIBC.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(PR_CAP_AMBIENT_CLEAR_ALL), nothing, nothing, nothing)
    for capability in range(CAPABILITIES):
        if _LIBC.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), nothing, nothing, nothing) != 0:
            return


def leave_session_keyring() -> None:
    """A session key ring of this process's own: in the one of whoever started us lie keys of theirs.

    Nothing happens where the kernel has no key rings, or where a filter keeps everybody from them.
    """
    number = KEYCTL.get(os.uname().machine)
    if number is not None:
        _LIBC.syscall(ctypes.c_long(number), ctypes.c_long(KEYCTL_JOIN_SESSION_KEYRING), None)


def share_descriptors(one: int, other: int) -> bool:
    """Whether two threads have the same table of descriptors; False also where the kernel does not tell."""
    number, nothing = KCMP.get(os.uname().machine), ctypes.c_ulong(0)
    return number is not None and _LIBC.syscall(ctypes.c_long(number), one, other, KCMP_FILES, nothing, nothing) == 0


def unshare_mounts() -> None:
    """A mount namespace of this process's own, in which nothing that is mounted shows outside."""
    _check(_LIBC.unshare(CLONE_NEWNS), "unshare")
    _mount(None, "/", None, MS_REC | MS_PRIVATE)


def unshare_ipc() -> None:
    """System V's shared memory, semaphores and queues of this process's own: they end with it and its children.

    Nothing happens where the kernel was built without.
    """
    if _LIBC.unshare(CLONE_NEWIPC) != 0 and ctypes.get_errno() != errno.EINVAL:
        _check(-1, "unshare")


def enter(descriptor: int) -> None:
    """Move to the namespace behind an open `/proc/<pid>/ns/…`."""
    _check(_LIBC.setns(descriptor, 0), "setns")


def is_of_own_users(descriptor: int) -> bool:
    """Whether the namespace behind an open `/proc/<pid>/ns/…` belongs to the user namespace of this process.

    One that a process made in a user namespace of its own, in which it may mount what it likes, does not.
    """
    owner = fcntl.ioctl(descriptor, NS_GET_USERNS)
    try:
        return os.path.samestat(os.fstat(owner), os.stat("/proc/self/ns/user"))
    finally:
        os.close(owner)


def mount_tmpfs(target: str, *, size: str = "1m", mode: int = 0o755) -> None:
    """An empty directory in memory over `target`, root's own; as it stands, everybody may cross it."""
    _mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode:o},size={size}")


def mount_proc(target: str) -> None:
    """A `/proc` in which processes that one may not look into do not show.

    OSError before Linux 5.8, where that would hold for the whole machine: only since then is it known by this word.
    """
    _mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible")


def mount_terminals(target: str, most: int) -> None:
    """Pseudo-terminals of this namespace's own, as many as that; `/dev/ptmx` beside it opens these."""
    _mount("devpts", target, "devpts", MS_NOSUID | MS_NOEXEC, f"newinstance,ptmxmode=0666,mode=0620,max={most}")


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
    _check(_LIBC.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def move_root(target: str) -> None:
    """Make what is mounted at `target` the root directory of this namespace."""
    os.chdir(target)
    _mount(target, "/", None, MS_MOVE)
    os.chroot(".")
    os.chdir("/")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:  # noqa: PLR0917 - as mount(2) has them
    arguments = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    data = None if options is None else options.encode()
    _check(_LIBC.mount(*arguments, ctypes.c_ulong(flags), data), f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
