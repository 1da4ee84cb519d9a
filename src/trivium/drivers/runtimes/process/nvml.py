"""NVIDIA's devices by NVML, where that and its Python binding are installed."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
from collections.abc import Callable
from typing import Any, Final, TypeVar

from trivium.base.values import Value
from trivium.drivers.runtimes.process import pci
from trivium.resources.nodes.ports import AcceleratorFound, CardFound

LIBRARY: Final = "libnvidia-ml.so.1"  # the driver brings it
VENDOR: Final = "NVIDIA"
MILLI: Final = 1000
T = TypeVar("T")


class Told(Value, frozen=True, kw_only=True):
    """What NVML tells of one device; None for what this device or this driver does not tell."""

    name: str | bytes
    memory: int  # bytes
    uuid: str | bytes | None = None
    serial: str | bytes | None = None
    bus_id: str | bytes | None = None
    device: int | None = None  # the device's id above the vendor's, 16 bits each
    subsystem: int | None = None  # the same of the board
    power: int | None = None  # milliwatts


def find() -> tuple[AcceleratorFound, ...]:
    """The devices that NVML finds; none where it is not there or does not answer."""
    try:
        ctypes.CDLL(LIBRARY)  # where there is none, the binding is large and of no use
        pynvml: Any = importlib.import_module("pynvml")  # an optional dependency, without types
    except (OSError, ImportError):
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return tuple(accelerator(index, _told(pynvml, handle)) for index, handle in enumerate(handles))
    except pynvml.NVMLError:
        return ()
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def accelerator(index: int, told: Told) -> AcceleratorFound:
    """The accelerator that NVML tells of."""
    device_id, vendor_id = _ids(told.device)
    subdevice_id, subvendor_id = _ids(told.subsystem)
    bus_id = _text(told.bus_id)
    card = CardFound(
        unit=_text(told.uuid),
        serial=_text(told.serial),
        pci_address=None if bus_id is None else pci.canonical(bus_id),
        vendor=VENDOR,
        vendor_id=vendor_id,
        device_id=device_id,
        subvendor_id=subvendor_id,
        subdevice_id=subdevice_id,
        power=None if told.power is None else round(told.power / MILLI),
        driver_loaded=True,  # it is the driver that tells
    )
    return AcceleratorFound(
        index=index, kind="gpu", model=_text(told.name) or VENDOR, memory=told.memory, declared=False, card=card
    )


def _told(pynvml: Any, handle: object) -> Told:  # noqa: ANN401 - an optional dependency, without types
    """What is told of the device behind the handle. Raises when what every device has is not told."""

    def optional(ask: Callable[[object], T]) -> T | None:
        try:
            return ask(handle)
        except pynvml.NVMLError:
            return None

    place = optional(pynvml.nvmlDeviceGetPciInfo)
    return Told(
        name=pynvml.nvmlDeviceGetName(handle),
        memory=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
        uuid=optional(pynvml.nvmlDeviceGetUUID),
        serial=optional(pynvml.nvmlDeviceGetSerial),
        bus_id=None if place is None else place.busId,
        device=None if place is None else place.pciDeviceId,
        subsystem=None if place is None else place.pciSubSystemId,
        power=optional(pynvml.nvmlDeviceGetPowerManagementLimit),
    )


def _ids(both: int | None) -> tuple[str | None, str | None]:
    """The two ids in one number, the upper one first. No device has 0 for one."""
    if not both:
        return None, None
    return f"{both >> 16 & 0xFFFF:04x}", f"{both & 0xFFFF:04x}"


def _text(told: str | bytes | None) -> str | None:
    """The text; None where there is none in it."""
    if told is None:
        return None
    text = told.decode(errors="replace") if isinstance(told, bytes) else told
    return text.replace("\0", "").strip() or None
