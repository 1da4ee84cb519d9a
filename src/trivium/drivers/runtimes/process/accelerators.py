"""Accelerators of this machine: declared by the configuration, or found through the vendors' own means."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import re
import shutil
import subprocess
from typing import Any

from trivium.resources.nodes.ports import AcceleratorFound

KINDS = ("gpu", "dcu", "npu", "mlu")
MIB = 1 << 20
NVML = "libnvidia-ml.so.1"  # the driver brings it
WITHIN = 10.0  # seconds for a vendor's tool
NPU_LINE = re.compile(r"^\|\s*(\d+)\s+(\S+)\s*\|\s*\S+\s*\|")
DCU_LINE = re.compile(r"(?:HCU|DCU|GPU)\[(\d+)\]\s*:\s*(.+?)\s*:\s*(.+)$", re.IGNORECASE)


def find(declared: str) -> tuple[AcceleratorFound, ...]:
    """The accelerators that are declared, else those that are found. ValueError when the declaration cannot be read."""
    if declared:
        return parse(declared)
    return (*_nvidia(), *_npu(), *_dcu())


def parse(declared: str) -> tuple[AcceleratorFound, ...]:
    """Accelerators as written in the configuration: `dcu:8` or `dcu:8,gpu:2`. ValueError says what is wrong."""
    found: list[AcceleratorFound] = []
    for part in declared.split(","):
        kind, _, count = part.strip().partition(":")
        if kind not in KINDS or not count.isdigit():
            raise ValueError(f"accelerators are written as kind:count with a kind of {', '.join(KINDS)}; got {part!r}")
        start = sum(one.kind == kind for one in found)
        found.extend(
            AcceleratorFound(index=index, kind=kind, model=kind.upper(), memory=0, declared=True)
            for index in range(start, start + int(count))
        )
    return tuple(found)


def read_npu_smi(text: str) -> tuple[AcceleratorFound, ...]:
    """Ascend processors from the table that `npu-smi info` prints: lines `| <npu> <name> | <health> | ...`."""
    lines = (NPU_LINE.match(line) for line in text.splitlines())
    found = {int(line[1]): line[2] for line in lines if line is not None and not line[2].isdigit()}
    return tuple(
        AcceleratorFound(index=index, kind="npu", model=f"Ascend {model}", memory=0, declared=False)
        for index, model in sorted(found.items())
    )


def read_hy_smi(text: str) -> tuple[AcceleratorFound, ...]:
    """DCUs from what `hy-smi --showproductname --showmeminfo vram` prints: lines `HCU[0] : name : value`."""
    models: dict[int, str] = {}
    memory: dict[int, int] = {}
    for line in text.splitlines():
        if (words := DCU_LINE.search(line)) is None:
            continue
        index, name, value = int(words[1]), words[2].lower(), words[3]
        models.setdefault(index, "DCU")
        if "card series" in name or "product name" in name:
            models[index] = value
        if "total memory" in name and value.strip().isdigit():
            memory[index] = int(value) * (1 if "(b)" in name else MIB)
    return tuple(
        AcceleratorFound(index=index, kind="dcu", model=model, memory=memory.get(index, 0), declared=False)
        for index, model in sorted(models.items())
    )


def _nvidia() -> tuple[AcceleratorFound, ...]:
    """NVIDIA's devices by NVML, where that and its Python binding are installed."""
    try:
        ctypes.CDLL(NVML)  # where there is none, the binding is large and of no use
        pynvml: Any = importlib.import_module("pynvml")  # an optional dependency, without types
    except (OSError, ImportError):
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return tuple(
            AcceleratorFound(
                index=index,
                kind="gpu",
                model=_text(pynvml.nvmlDeviceGetName(handle)),
                memory=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                declared=False,
            )
            for index, handle in enumerate(handles)
        )
    except pynvml.NVMLError:
        return ()
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _npu() -> tuple[AcceleratorFound, ...]:
    return read_npu_smi(_said("npu-smi", "info"))


def _dcu() -> tuple[AcceleratorFound, ...]:
    return read_hy_smi(_said("hy-smi", "--showproductname", "--showmeminfo", "vram"))


def _said(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run([path, *arguments], capture_output=True, timeout=WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")


def _text(name: str | bytes) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name
