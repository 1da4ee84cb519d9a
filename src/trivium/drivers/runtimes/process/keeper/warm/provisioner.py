"""The kernel provisioner of a notebook's server: kernels are forked where that comes to the same, else started.

Runs inside the notebook's server, on the image's packages.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from trivium.drivers.runtimes.process.keeper.warm import kernel_server, modules
from trivium.drivers.runtimes.process.keeper.warm.kernel_server import KernelServer

NAME = "trivium-forked"
GROUP = "jupyter_client.kernel_provisioners"
MODULE = "_trivium_provisioning"  # under which it is known in the notebook, which knows no Trivium
KERNEL = ["-m", "ipykernel_launcher", "-f"]
WITHIN = 5.0  # seconds for a fork
PLAIN_ONLY = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_")  # what counts only when a program starts
OPTIONS = {"env", "cwd", "independent", "start_new_session"}  # what a fork can be given


class ForkedProcess:
    """A kernel that was forked, with what `subprocess.Popen` has."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._channel = channel

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        self._listen(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, once it has. Raises `subprocess.TimeoutExpired`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired("kernel", timeout or 0.0)
            self._listen(left)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _listen(self, within: float | None) -> None:
        if self.returncode is not None:
            return
        self._channel.settimeout(within)
        try:
            part = self._channel.recv(64)
        except (BlockingIOError, TimeoutError):
            return
        except OSError:
            part = b""
        # When there is nothing, who would have told has gone, and the kernel goes after it.
        self.returncode = int(part.split()[1]) if part else -signal.SIGKILL
        self._channel.close()


class ForkingProvisioner(LocalProvisioner):
    """Kernels of the image's own Python are forked; all others are programs that are started."""

    server: ClassVar[KernelServer | None] = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:  # noqa: ANN401 - as the one it takes after
        """Start a kernel; connection info comes back."""
        asked = {name: value for name, value in kwargs.items() if value is not None}
        for name in ("extra_arguments", "kernel_id"):
            asked.pop(name, None)
        process = self._fork(cmd, asked)
        if process is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = process
        self.pid = self.pgid = process.pid
        self.cwd = asked.get("cwd", os.getcwd())
        return self.connection_info

    def _fork(self, cmd: list[str], asked: Mapping[str, Any]) -> ForkedProcess | None:
        server = type(self).server
        cwd = os.fspath(asked.get("cwd") or os.getcwd())
        environment = dict(asked.get("env") or os.environ)
        if server is None or not OPTIONS.issuperset(asked) or not _may_be_forked(cmd, environment):
            return None
        if not os.access(cwd, os.X_OK) or modules.is_shadowed(server.names, cwd, server.sites):
            return None
        if not asked.get("independent"):
            environment["JPY_PARENT_PID"] = ""
        try:
            return _ask(server, {"argv": cmd, "cwd": cwd, "environment": environment})
        except (OSError, ValueError, IndexError) as error:
            self.log.warning("A kernel could not be forked, and is started: %s", error)
            return None


def _may_be_forked(cmd: list[str], environment: Mapping[str, str]) -> bool:
    """Whether a fork comes to the same as this command in this environment."""
    if cmd[0] != sys.executable or cmd[1:4] != KERNEL or len(cmd) != len(KERNEL) + 2:
        return False
    names = {name for name in (*environment, *os.environ) if name.startswith(PLAIN_ONLY)}
    return all(environment.get(name) == os.environ.get(name) for name in names)


def _ask(server: KernelServer, note: Mapping[str, Any]) -> ForkedProcess:
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            socket.send_fds(server.control, [kernel_server.ASK], [theirs.fileno()])
        ours.settimeout(WITHIN)
        pid = int(ours.recv(64).split()[1])  # nothing, and IndexError, when nobody forks kernels any more
        ours.sendall(json.dumps(note).encode())
        ours.shutdown(socket.SHUT_WR)
    except BaseException:
        ours.close()
        raise
    return ForkedProcess(pid, ours)


def use(server: KernelServer) -> list[str]:
    """Have Jupyter's server in this process take its kernels from `server`; the options that it needs for that."""
    ForkingProvisioner.server = server
    sys.modules[MODULE] = sys.modules[__name__]
    entry = EntryPoint(NAME, f"{MODULE}:{ForkingProvisioner.__name__}", GROUP)
    KernelProvisionerFactory.provisioners[NAME] = entry
    return [f"--KernelProvisionerFactory.default_provisioner_name={NAME}"]
