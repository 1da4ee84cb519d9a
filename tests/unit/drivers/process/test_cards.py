"""What is known of an accelerator as a thing: by NVML, by the kernel, and by what it was before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pynvml
import pytest

from trivium.drivers.runtimes.process import nvml, pci
from trivium.drivers.runtimes.process.nvml import Told
from trivium.resources.nodes.ports import CardFound


def test_what_nvml_tells_is_read() -> None:
    place: Any = pynvml.nvmlPciInfo_t()
    place.busId = b"00000000:C1:00.0"
    place.pciDeviceId = 0x233510DE
    place.pciSubSystemId = 0x18BE10DE
    told = Told(
        name=b"NVIDIA H200\0",
        memory=1 << 37,
        uuid="GPU-6d5c",
        serial=b"1654923\0",
        bus_id=place.busId,
        device=place.pciDeviceId,
        subsystem=place.pciSubSystemId,
        power=699_600,
    )
    found = nvml.accelerator(3, told)
    assert (found.index, found.kind, found.model, found.memory) == (3, "gpu", "NVIDIA H200", 1 << 37)
    assert found.card == CardFound(
        unit="GPU-6d5c",
        serial="1654923",
        pci_address="0000:c1:00.0",
        vendor="NVIDIA",
        vendor_id="10de",
        device_id="2335",
        subvendor_id="10de",
        subdevice_id="18be",
        power=700,
        driver_loaded=True,
    )


def test_what_nvml_does_not_tell_is_not_known() -> None:
    found = nvml.accelerator(0, Told(name="", memory=0, serial=b"\0", device=0))
    assert found.model == "NVIDIA"
    assert found.card == CardFound(vendor="NVIDIA", driver_loaded=True)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("00000000:C1:00.0", "0000:c1:00.0"),
        ("0000:c1:00.7", "0000:c1:00.7"),
        (" 00010000:0A:1f.0\n", "10000:0a:1f.0"),
        ("c1:00.0", None),
        ("NA", None),
        ("../../etc", None),
    ],
)
def test_addresses_are_written_as_the_kernel_does(written: str, canonical: str | None) -> None:
    assert pci.canonical(written) == canonical


def device(top: Path, **files: str) -> CardFound:
    """A card at an address of which the kernel has these files."""
    place = top / "0000:c1:00.0"
    place.mkdir()
    for name, content in files.items():
        (place / name).write_text(content + "\n", "ascii")
    return CardFound(pci_address="0000:c1:00.0")


def test_the_kernel_completes_what_is_known(tmp_path: Path) -> None:
    card = device(tmp_path, vendor="0x19e5", device="0xd802", subsystem_vendor="0x0200", **{"class": "0x120000"})
    found = pci.completed(card, tmp_path)
    assert (found.vendor_id, found.device_id, found.subvendor_id, found.subdevice_id) == ("19e5", "d802", "0200", None)
    assert (found.pci_class, found.driver_loaded) == (0x1200, False)
    (tmp_path / "0000:c1:00.0" / "driver").mkdir()
    assert pci.completed(card, tmp_path).driver_loaded


def test_what_a_driver_told_stays_and_nonsense_is_nothing(tmp_path: Path) -> None:
    device(tmp_path, vendor="0x10de", device="what", **{"class": ""})
    told = CardFound(pci_address="0000:c1:00.0", vendor_id="19e5", driver_loaded=True)
    assert pci.completed(told, tmp_path) == told


def test_a_card_that_is_not_on_the_bus_stays_as_it_is(tmp_path: Path) -> None:
    for card in (CardFound(), CardFound(pci_address="0000:c1:00.0")):
        assert pci.completed(card, tmp_path) == card
