"""What the kernel says of a device on the PCI bus, below `/sys/bus/pci/devices`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from msgspec import structs

from trivium.resources.nodes.ports import CardFound

DEVICES: Final = Path("/sys/bus/pci/devices")
ADDRESS: Final = re.compile(r"(?P<domain>[0-9a-f]{4,8}):(?P<place>[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", re.IGNORECASE)
NUMBER: Final = re.compile(r"0x([0-9a-f]{4,6})")


def canonical(address: str) -> str | None:
    """The address as the kernel writes it; drivers write longer domains, and capital letters. None for no address."""
    found = ADDRESS.fullmatch(address.strip())
    return None if found is None else f"{int(found['domain'], 16):04x}:{found['place'].lower()}"


def completed(card: CardFound, devices: Path = DEVICES) -> CardFound:
    """The card with what the kernel knows of it besides; the same where it is not on the bus here."""
    if card.pci_address is None:
        return card
    place = devices / card.pci_address
    if not place.is_dir():
        return card
    code = _number(place / "class")
    return structs.replace(
        card,
        pci_class=None if code is None else int(code[:4], 16),  # class and subclass, without the interface
        vendor_id=card.vendor_id or _number(place / "vendor"),
        device_id=card.device_id or _number(place / "device"),
        subvendor_id=card.subvendor_id or _number(place / "subsystem_vendor"),
        subdevice_id=card.subdevice_id or _number(place / "subsystem_device"),
        driver_loaded=(place / "driver").exists() if card.driver_loaded is None else card.driver_loaded,
    )


def _number(file: Path) -> str | None:
    """The hexadecimal digits in the file; None where there is none, or something else in it."""
    try:
        found = NUMBER.fullmatch(file.read_text("ascii").strip())
    except (OSError, ValueError):
        return None
    return None if found is None else found[1]
