"""What a launch runs, and the environment it runs in."""

from __future__ import annotations

import os
import pwd
import shutil
from typing import NamedTuple

from trivium.drivers.runtimes.process.keeper.launches.spec import Failed, Paths, Spec
from trivium.drivers.runtimes.process.keeper.startup.layer import Interpreter

VISIBLE = {
    "gpu": "CUDA_VISIBLE_DEVICES",
    "dcu": "HIP_VISIBLE_DEVICES",
    "npu": "ASCEND_RT_VISIBLE_DEVICES",
    "mlu": "MLU_VISIBLE_DEVICES",
}
SOCKET_NAME = 107  # bytes that the name of a unix socket may have
KERNEL_SOCKET = len("/jupyter/kernel-01234567-89ab-cdef-0123-456789abcdef-ipc-5")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Program(NamedTuple):
    """What to run, and how."""

    path: str
    argv: tuple[str, ...]
    environment: dict[str, str]


def environment(spec: Spec, paths: Paths, interpreter: Interpreter) -> dict[str, str]:
    """The whole environment of a notebook; nothing of the server's own is in it."""
    places = [paths.venv, *reversed(spec.layers), interpreter.data]
    scripts = [*(f"{place}/bin" for place in places[:-1]), interpreter.scripts]
    name = _user_name(spec)
    return {
        "PATH": ":".join([*scripts, SYSTEM_PATH]),
        "HOME": paths.home,
        "USER": name,
        "LOGNAME": name,
        "SHELL": "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh",
        "LANG": "C.UTF-8",
        "VIRTUAL_ENV": paths.venv,
        "TRIVIUM_PYTHON": f"{paths.venv}/bin/python",
        "TRIVIUM_NOTEBOOK": str(spec.launch),
        "JUPYTER_PATH": ":".join(f"{place}/share/jupyter" for place in places),
        "JUPYTER_CONFIG_PATH": ":".join(f"{place}/etc/jupyter" for place in places),
        "JUPYTERLAB_DIR": _lab_directory(places),
        "JUPYTER_RUNTIME_DIR": f"{paths.own}/jupyter",
        **dict(spec.environment),
        **_devices(spec),
    }


def program(spec: Spec, paths: Paths, *, port: int, environment: dict[str, str]) -> Program:
    """What the launch runs: JupyterLab, or the image's own command; `Failed` when its program is not there."""
    if not spec.command:
        return _jupyterlab(spec, paths, environment)
    filled = {"{port}": str(port), "{socket}": paths.socket, "{base_url}": spec.base_url}
    argv = tuple(_fill(word, filled) for word in spec.command)
    path = shutil.which(argv[0], path=environment["PATH"])
    if path is None:
        raise Failed("environment_gone", f"The image's program {argv[0]} is not there.")
    return Program(path, argv, {**environment, "TRIVIUM_TOKEN": spec.token})


def _jupyterlab(spec: Spec, paths: Paths, environment: dict[str, str]) -> Program:
    python = f"{paths.venv}/bin/python"
    options = {
        "ServerApp.sock": paths.socket,
        "ServerApp.sock_mode": "0600",
        "ServerApp.base_url": spec.base_url,
        "ServerApp.root_dir": paths.home,
        "ServerApp.preferred_dir": paths.home,
        "ServerApp.open_browser": "False",
        "ServerApp.port_retries": "0",
        "ServerApp.quit_button": "False",
        "ServerApp.terminals_enabled": "True",
        "ServerApp.allow_remote_access": "True",
        "ServerApp.trust_xheaders": "True",
        "ServerApp.allow_root": "True",
        "LabApp.news_url": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "KernelManager.transport": transport(paths),
    }
    argv = (python, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items() if value))
    return Program(python, argv, {**environment, "JUPYTER_TOKEN": spec.token})


def transport(paths: Paths) -> str:
    """How a notebook's server talks with its kernels: over sockets in its own directory, where their names fit.

    Any user of the machine could connect to a kernel's ports, and read what it prints without having its key.
    """
    return "ipc" if len(os.fsencode(paths.own)) + KERNEL_SOCKET <= SOCKET_NAME else "tcp"


def _devices(spec: Spec) -> dict[str, str]:
    """What tells the vendors' libraries which accelerators they may see: those assigned, else none."""
    shown = dict.fromkeys(VISIBLE.values(), "")
    if spec.devices is None:
        return {**shown, "ROCR_VISIBLE_DEVICES": ""}
    kind, indexes = spec.devices
    shown[VISIBLE.get(kind, "CUDA_VISIBLE_DEVICES")] = ",".join(str(index) for index in indexes)
    order = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}  # the order in which they were found
    # ROCr filters before HIP does, and would renumber what HIP is told; it is silent only for HIP's own devices.
    return shown | order if kind == "dcu" else {**shown, **order, "ROCR_VISIBLE_DEVICES": ""}


def _lab_directory(places: list[str]) -> str:
    candidates = [f"{place}/share/jupyter/lab" for place in places]
    return next((one for one in candidates if os.path.isdir(f"{one}/static")), candidates[-1])


def _user_name(spec: Spec) -> str:
    # In a room of its own the user may have mounted another /etc, whose libraries the look-up would load into us.
    if spec.uid is not None:
        return f"user{spec.user}"
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user{spec.user}"


def _fill(word: str, filled: dict[str, str]) -> str:
    for name, value in filled.items():
        word = word.replace(name, value)
    return word
