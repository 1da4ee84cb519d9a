"""How a parallel run shares the tests among its workers: what shares a server stays together, what is long comes first.

The mark `xdist_group` cannot say that: with pytest 9.2, pytest-xdist 3.8 does not see it, since it writes groups into
ids of tests in a way that no longer counts (pytest-xdist's issue 1386).
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/escapes/",
    "tests/fuzz/",
    "tests/flows/test_scnet_",
    "tests/flows/test_zstack_mcp.py",
    "tests/flows/test_modelarts_sdk.py",
    "tests/crash/test_invariants.py",
    "tests/crash/test_faults.py",
    "tests/wire/scnet/test_cases.py",
    "tests/contract/store/test_query_plans.py",
    "tests/contract/resources/test_catalogue_plans.py",
    "tests/contract/resources/test_node_lists.py",
    "tests/contract/resources/test_project_models.py",
    "tests/contract/proxy/test_jupyter.py",
    "tests/contract/runtime/test_warm_kernels.py",
)
"""Beginnings of the ids of tests that share a server, a warm parent or a stage: one worker has them all."""

LONG = (
    "tests/escapes/",
    "tests/wire/scnet/test_cases.py",
    "tests/crash/test_crashes.py",
    "tests/crash/test_points.py",
    "tests/crash/test_outages.py",
    "tests/crash/",
    "tests/flows/",
    "tests/fuzz/",
    "tests/contract/runtime/",
)
"""Beginnings of the ids of those that take long, the longest first: at the end no worker waits for another's."""


class Scheduling(LoadScopeScheduling):
    """Gives workers single tests, and whole groups of those that belong together, in the order of their collection."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for group in TOGETHER if nodeid.startswith(group)), nodeid)


def rank(nodeid: str) -> int:
    """Where a test comes among all others: less is earlier."""
    return next((place for place, long in enumerate(LONG) if nodeid.startswith(long)), len(LONG))
