"""Quotas: administrators set them, and they count what is there."""

from __future__ import annotations

import pytest

from tests.builders import Place
from trivium.base.errors import Forbidden, Invalid
from trivium.resources import events, quotas
from trivium.resources.projects import ProjectNotFound
from trivium.resources.quotas import DEFAULTS, Quota, QuotaExceeded


def test_a_project_begins_with_the_defaults(here: Place) -> None:
    user = here.user("alice")
    found = here.store.read_now(quotas.of_project, user.project)
    assert found == [Quota(name=name, most=DEFAULTS[name], used=0) for name in sorted(DEFAULTS)]
    assert here.store.read_now(quotas.get, user.project, quotas.POOLS) == Quota("pools", 0, 0)


def test_what_is_claimed_is_counted_up_to_what_was_set_and_given_back(here: Place) -> None:
    user = here.user("alice")
    with pytest.raises(QuotaExceeded):
        here.store.write_now(quotas.claim, user, user.project, name=quotas.POOLS)
    assert here.store.write_now(quotas.set_most, here.admin, user.project, name=quotas.POOLS, most=1).most == 1
    here.store.write_now(quotas.claim, user, user.project, name=quotas.POOLS)
    with pytest.raises(QuotaExceeded) as refused:
        here.store.write_now(quotas.claim, user, user.project, name=quotas.POOLS)
    assert refused.value.details == {"name": "pools", "most": 1}
    here.store.write_now(quotas.claim, here.admin, user.project, name=quotas.POOLS)  # may go beyond
    for _ in range(2):
        here.store.write_now(quotas.give_back, user.project, name=quotas.POOLS)
    assert here.store.read_now(quotas.get, user.project, quotas.POOLS) == Quota("pools", 1, 0)
    assert here.store.write_now(quotas.set_most, here.admin, user.project, name=quotas.POOLS, most=None).most == 0
    assert [event.action for event in here.store.read_now(events.latest, "quota")] == ["quota.set", "quota.set"]


def test_only_administrators_set_quotas_and_only_of_what_there_is(here: Place) -> None:
    user = here.user("alice")
    with pytest.raises(Forbidden):
        here.store.write_now(quotas.set_most, user, user.project, name=quotas.POOLS, most=1)
    for name, most in (("unicorns", 1), (quotas.POOLS, -1), (quotas.POOLS, 10**9)):
        with pytest.raises(Invalid):
            here.store.write_now(quotas.set_most, here.admin, user.project, name=name, most=most)
    with pytest.raises(ProjectNotFound):
        here.store.write_now(quotas.set_most, here.admin, 5, name=quotas.POOLS, most=1)
