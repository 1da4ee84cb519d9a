"""Accelerators of this machine: declared by the configuration, or found through the vendors' own means."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable

from msgspec import structs

from trivium.drivers.runtimes.process import nvml, pci
from trivium.resources.nodes.ports import AcceleratorFound, CardFound

DCU = CardFound(vendor="Hygon", driver_loaded=True)  # it is the driver that tells
KINDS = ("gpu", "dcu", "npu", "mlu")
MIB = 1 << 20
WITHIN = 10.0  # seconds for a vendor's tool
NPU_LINE = re.compile(r"^\|\s*(\d+)\s+(\S+)\s*\|\s*(\S+)\s*\|")
NPU_CHIP_LINE = re.compile(r"^\|\s*\d+(?:\s+\d+)?\s*\|\s*([0-9A-Fa-f:.]+)\s*\|(.*)\|\s*$")
USAGE = re.compile(r"\d+\s*/\s*(\d+)")
DCU_LINE = re.compile(r"(?:HCU|DCU|GPU)\[(\d+)\]\s*:\s*(.+?)\s*:\s*(.+)$", re.IGNORECASE)


def find(declared: str) -> tuple[AcceleratorFound, ...]:
    """The accelerators that are declared, else those that are found. ValueError when the declaration cannot be read."""
    if declared:
        return parse(declared)
    return tuple(_completed((*nvml.find(), *_npu(), *_dcu())))


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
    """Ascend processors from the table that `npu-smi info` prints: two kinds of lines, of a processor and its chips.

    `| <npu> <name> | <health> | ...`, then `| <chip> | <address> | ... <memory> <high-bandwidth memory>`, used / total.
    Of a processor with several chips the first one tells the address, and all of them the memory.
    """
    found: dict[int, AcceleratorFound] = {}
    last = None
    for line in text.splitlines():
        head, chip = NPU_LINE.match(line), NPU_CHIP_LINE.match(line)
        if head is not None and not head[2].isdigit():
            last = int(head[1])
            card = CardFound(vendor="Huawei", health=head[3], driver_loaded=True)  # it is the driver that tells
            model = f"Ascend {head[2]}"
            found[last] = AcceleratorFound(index=last, kind="npu", model=model, memory=0, declared=False, card=card)
        elif chip is not None and last is not None:
            found[last] = _with_chip(found[last], chip[1], chip[2])
    return tuple(found[index] for index in sorted(found))


def _with_chip(one: AcceleratorFound, address: str, usages: str) -> AcceleratorFound:
    memory = max((int(total) for total in USAGE.findall(usages)), default=0)  # the other sort has none, or less
    card = structs.replace(one.card, pci_address=one.card.pci_address or pci.canonical(address))
    return structs.replace(one, memory=one.memory + memory * MIB, card=card)


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
        AcceleratorFound(index=index, kind="dcu", model=model, memory=memory.get(index, 0), declared=False, card=DCU)
        for index, model in sorted(models.items())
    )


def _completed(found: Iterable[AcceleratorFound]) -> Iterable[AcceleratorFound]:
    """The accelerators with what the kernel knows of them besides."""
    return (structs.replace(one, card=pci.completed(one.card)) for one in found)


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
