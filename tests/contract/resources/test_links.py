"""Links: who may enter which start of which notebook, for how long, and what ends it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import HOUR, Place
from trivium.base.caller import SYSTEM, Caller
from trivium.base.clock import ManualClock
from trivium.base.keyring import Keyring
from trivium.resources import notebooks, users
from trivium.resources.notebooks import BadGrant, NoSuchNotebook, Notebook, NotRunning, Route, Use, outcomes
from trivium.resources.notebooks.ports import Address, LaunchKey, Observation, Phase
from trivium.resources.users import SessionEnded, SessionKind, UserDisabled
from trivium.store import Write


@pytest.fixture
def alice(here: Place) -> Caller:
    """A user with a session, on a machine with room."""
    here.node()
    caller = here.user("alice")
    session = here.store.write_now(users.open_session, caller, SessionKind.SCNET, lifetime=24 * HOUR)
    return msgspec.structs.replace(caller, session=session.id)


@pytest.fixture
def notebook(here: Place, alice: Caller) -> Notebook:
    """A notebook that runs, as far as the account knows."""
    return _runs(here, here.notebook(alice, here.image()))


def _runs(here: Place, notebook: Notebook) -> Notebook:
    key = LaunchKey(launch=notebook.id, generation=notebook.generation)
    seen = Observation(key=key, phase=Phase.RUNNING, address=Address(port=4711), workload="a" * 64)
    here.store.write_now(outcomes.note_alive, notebook, seen)
    return here.store.read_now(lambda tx: notebooks.get(tx, _owner(notebook), notebook.id))


def _owner(notebook: Notebook) -> Caller:
    return Caller(user=notebook.owner, user_name=notebook.owner_name, project=notebook.project, role=SYSTEM.role)


def _ticket(here: Place, caller: Caller, notebook: int) -> str:
    link = here.store.read_now(notebooks.link, caller, notebook, keyring=here.keyring, site=here.site)
    assert link.active
    assert link.url.startswith(f"{here.site.proxy_url}/nb/{notebook}/lab?")
    return parse_qs(urlsplit(link.url).query)["token"][0]


def _enter(here: Place, notebook: int, grant: str, use: Use = Use.TICKET) -> Route:
    return here.store.read_now(notebooks.open_door, notebook, grant, use=use, keyring=here.keyring)


def _move(here: Place, by: timedelta) -> None:
    assert isinstance(here.clock, ManualClock)
    here.clock.move(by)


def test_a_link_leads_to_the_start_that_runs(here: Place, alice: Caller, notebook: Notebook) -> None:
    route = _enter(here, notebook.id, _ticket(here, alice, notebook.id))
    assert route.address == Address(port=4711)
    assert route.key == LaunchKey(launch=notebook.id, generation=1)
    assert len(route.token) == 64


def test_a_link_fits_the_line_of_a_terminal(here: Place, alice: Caller, notebook: Notebook) -> None:
    link = here.store.read_now(notebooks.link, alice, notebook.id, keyring=here.keyring, site=here.site)
    assert len(link.url) < 80


def test_what_does_not_run_has_no_link(here: Place, alice: Caller) -> None:
    creating = here.notebook(alice, here.image("other:1"))
    link = here.store.read_now(notebooks.link, alice, creating.id, keyring=here.keyring, site=here.site)
    assert link == notebooks.Link(active=False, url="")


def test_a_ticket_is_good_for_an_hour_and_a_pass_for_a_week(here: Place, alice: Caller, notebook: Notebook) -> None:
    ticket = _ticket(here, alice, notebook.id)
    entry = _enter(here, notebook.id, ticket).entry
    kept = notebooks.pass_for(entry, here.keyring, now=here.clock.now())
    _move(here, HOUR)
    assert _enter(here, notebook.id, ticket)
    _move(here, HOUR)
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, ticket)
    assert _enter(here, notebook.id, kept, Use.PASS)
    _move(here, timedelta(days=7))
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, kept, Use.PASS)


def test_neither_serves_as_the_other(here: Place, alice: Caller, notebook: Notebook) -> None:
    ticket = _ticket(here, alice, notebook.id)
    kept = notebooks.pass_for(_enter(here, notebook.id, ticket).entry, here.keyring, now=here.clock.now())
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, ticket, Use.PASS)
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, kept, Use.TICKET)


def test_a_ticket_opens_no_other_notebook_and_no_later_start(here: Place, alice: Caller, notebook: Notebook) -> None:
    ticket = _ticket(here, alice, notebook.id)
    other = _runs(here, here.notebook(alice, here.image("other:1")))
    with pytest.raises(BadGrant):
        _enter(here, other.id, ticket)
    with pytest.raises(BadGrant):
        _enter(here, 1, ticket)
    stopping = here.store.write_now(notebooks.stop, alice, notebook.id)
    with pytest.raises(NotRunning):
        _enter(here, notebook.id, ticket)
    here.store.write_now(outcomes.note_stopped, stopping)
    _runs(here, here.store.write_now(notebooks.start, alice, notebook.id))
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, ticket)
    assert _enter(here, notebook.id, _ticket(here, alice, notebook.id)).entry.generation == 2


def test_it_ends_with_the_session_the_user_and_the_notebook(here: Place, alice: Caller, notebook: Notebook) -> None:
    ticket = _ticket(here, alice, notebook.id)
    entry = _enter(here, notebook.id, ticket).entry
    here.store.write_now(users.disable, here.admin, alice.user, reason="tests")
    with pytest.raises(UserDisabled):
        _enter(here, notebook.id, ticket)
    here.store.write_now(users.enable, here.admin, alice.user)
    here.store.write_now(users.freeze, here.admin, alice.user, reason="tests")
    with pytest.raises(BadGrant):
        here.store.read_now(notebooks.still_open, entry, here.keyring)
    here.store.write_now(users.unfreeze, here.admin, alice.user)
    assert here.store.read_now(notebooks.still_open, entry, here.keyring).entry == entry
    assert alice.session is not None
    session = alice.session

    def end(tx: Write) -> None:
        users.end_session(tx, alice, session)

    here.store.write_now(end)
    with pytest.raises(SessionEnded):
        here.store.read_now(notebooks.still_open, entry, here.keyring)


def test_a_released_notebook_is_not_there(here: Place, alice: Caller, notebook: Notebook) -> None:
    ticket = _ticket(here, alice, notebook.id)
    here.store.write_now(notebooks.release, alice, notebook.id)
    with pytest.raises(NoSuchNotebook):
        _enter(here, notebook.id, ticket)


def test_another_key_file_opens_nothing(here: Place, alice: Caller, notebook: Notebook) -> None:
    ticket = _ticket(here, alice, notebook.id)
    with pytest.raises(BadGrant):
        here.store.read_now(
            notebooks.open_door, notebook.id, ticket, use=Use.TICKET, keyring=Keyring(b"another root key" * 2)
        )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_no_other_text_opens_it(here: Place, alice: Caller, notebook: Notebook, data: st.DataObject) -> None:
    ticket = _ticket(here, alice, notebook.id)
    place = data.draw(st.integers(0, len(ticket) - 1))
    letter = data.draw(st.characters())
    changed = ticket[:place] + letter + ticket[place + 1 :]
    for text in (changed, data.draw(st.text()), ticket[:place], ticket + letter):
        if text != ticket:
            with pytest.raises(BadGrant):
                _enter(here, notebook.id, text)


def test_a_starts_token_opens_it_as_its_owner_while_it_runs(here: Place, alice: Caller, notebook: Notebook) -> None:
    token = str(notebooks.access_token(notebook, here.keyring))
    route = _enter(here, notebook.id, token)
    assert (route.entry.holder, route.entry.of_user) == (alice.user, True)
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, token, Use.PASS)
    here.store.write_now(notebooks.stop, alice, notebook.id)
    with pytest.raises(NotRunning):
        _enter(here, notebook.id, token)


def test_a_token_is_good_for_one_start_of_one_notebook_and_one_spelling(
    here: Place, alice: Caller, notebook: Notebook
) -> None:
    token = str(notebooks.access_token(notebook, here.keyring))
    for wrong in (token.upper(), token.replace("-", ""), str(notebooks.access_token(notebook, Keyring(bytes(32))))):
        with pytest.raises(BadGrant):
            _enter(here, notebook.id, wrong)
    with pytest.raises(BadGrant):
        _enter(here, notebook.id + 1, token)
    here.store.write_now(notebooks.stop, alice, notebook.id)
    here.store.write_now(outcomes.note_stopped, here.store.read_now(notebooks.get, alice, notebook.id))
    again = _runs(here, here.store.write_now(notebooks.start, alice, notebook.id))
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, token)
    assert _enter(here, notebook.id, str(notebooks.access_token(again, here.keyring))).entry.generation == 2


def test_a_token_of_a_disabled_user_opens_nothing(here: Place, alice: Caller, notebook: Notebook) -> None:
    here.store.write_now(users.disable, SYSTEM, alice.user)
    with pytest.raises(BadGrant):
        _enter(here, notebook.id, str(notebooks.access_token(notebook, here.keyring)))
