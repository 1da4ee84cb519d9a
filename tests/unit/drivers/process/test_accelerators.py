"""Accelerators, declared and told by the vendors' tools."""

from __future__ import annotations

import pytest

from trivium.drivers.runtimes.process import accelerators

NPU = """
+------------------------------------------------------------------------------------------------+
| npu-smi 23.0.0                   Version: 23.0.0                                               |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     910B3               | OK            | 93.6        40                0    / 0             |
| 0                         | 0000:C1:00.0  | 0           0    / 0          3162 / 65536         |
+===========================+===============+====================================================+
| 1     910B3               | OK            | 90.1        39                0    / 0             |
| 0                         | 0000:C2:00.0  | 0           0    / 0          3162 / 65536         |
+===========================+===============+====================================================+
"""
DCU = """
HCU[0]          : Card Series:           Z100
HCU[0]          : vram Total Memory (MiB): 32752
HCU[1]          : Card Series:           Z100
HCU[1]          : vram Total Memory (MiB): 32752
"""


def test_declared_accelerators_are_numbered_by_kind() -> None:
    found = accelerators.parse("dcu:2, gpu:1")
    assert [(one.kind, one.index, one.model, one.declared) for one in found] == [
        ("dcu", 0, "DCU", True),
        ("dcu", 1, "DCU", True),
        ("gpu", 0, "GPU", True),
    ]


@pytest.mark.parametrize("text", ["dcu", "dcu:", "dcu:x", "tpu:2", "dcu:-1", "dcu:1,,gpu:1"])
def test_a_declaration_that_makes_no_sense_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="kind:count"):
        accelerators.parse(text)


def test_ascend_processors_are_read_from_npu_smi() -> None:
    found = accelerators.read_npu_smi(NPU)
    assert [(one.index, one.kind, one.model, one.memory) for one in found] == [
        (0, "npu", "Ascend 910B3", 65536 << 20),
        (1, "npu", "Ascend 910B3", 65536 << 20),
    ]
    assert [(one.card.pci_address, one.card.health, one.card.vendor) for one in found] == [
        ("0000:c1:00.0", "OK", "Huawei"),
        ("0000:c2:00.0", "OK", "Huawei"),
    ]
    assert accelerators.read_npu_smi("nothing of the kind") == ()


def test_dcus_are_read_from_hy_smi() -> None:
    found = accelerators.read_hy_smi(DCU)
    assert [(one.index, one.model, one.memory) for one in found] == [(0, "Z100", 32752 << 20), (1, "Z100", 32752 << 20)]
    assert accelerators.read_hy_smi("") == ()
