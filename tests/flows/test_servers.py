"""Two servers on one database: both answer everything, one acts for a host, and another takes over when it is gone."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator

import httpx
import pytest
import websocket

from tests.crash.machine import look
from tests.crash.server import Site
from tests.flows.servers import TAKES_OVER, Servers, servers
from tests.huawei import Sdk
from tests.installation import TRIVIUM
from tests.waiting import until

pytestmark = pytest.mark.postgresql


def ends(socket: websocket.WebSocket) -> bool:
    """Whether the other side ends a WebSocket, sooner or later."""
    try:
        while socket.recv():
            pass
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        pass
    finally:
        socket.shutdown()
    return True


@pytest.fixture
def twins(postgres_url: str) -> Iterator[Servers]:
    """Two servers on one data directory; the first acts."""
    with servers(postgres_url, together=True) as made:
        yield made


def test_both_answer_and_the_other_takes_over_when_one_is_killed(twins: Servers) -> None:
    notebook = twins.create(1)
    twins.comes_to(0, notebook, "Running")
    ran = twins.main_of(0, notebook)
    assert twins.main_of(0, notebook, through=1) == ran
    assert twins.main_of(1, notebook) == ran

    assert [one["acts"] for one in twins.sites[1].type("server", "list")] == [True, False]

    twins.sites[0].kill()
    another = twins.create(1)
    twins.comes_to(1, another, "Running", within=TAKES_OVER)
    assert twins.main_of(1, notebook) == ran
    acting = [one for one in twins.sites[1].type("server", "list") if one["acts"]]
    assert [(one["epoch"], one["data"]) for one in acting] == [(2, str(twins.sites[1].data))]


def test_one_that_was_stopped_for_long_has_nothing_to_say_when_it_wakes_up(twins: Servers) -> None:
    notebook = twins.create(0)
    twins.comes_to(1, notebook, "Running")
    ran = twins.main_of(1, notebook)

    twins.sites[0].signal(signal.SIGSTOP)
    another = twins.create(1)
    twins.comes_to(1, another, "Running", within=TAKES_OVER)
    assert twins.main_of(1, notebook) == ran
    twins.sites[0].signal(signal.SIGCONT)
    third = twins.create(0)
    twins.comes_to(0, third, "Running")
    assert twins.main_of(0, notebook) == ran
    until(lambda: len(look(twins.sites[0].data).launches) == 3, what="one launch of each notebook")
    assert [one["acts"] for one in twins.sites[0].type("server", "list")] == [False, True]


def test_a_server_with_another_key_file_is_refused(postgres_url: str) -> None:
    first, second = Site(postgres_url), Site(postgres_url)
    try:
        first.type("user", "list")
        second.data.mkdir()
        (second.data / "root.key").write_text("ab" * 32 + "\n", "ascii")
        assert second.spawn().wait(60) == 1
        second.process = None
        assert "key file" in second.said()
        assert "Traceback" not in second.said()
    finally:
        second.close()
        first.close()


@pytest.fixture
def hosts(postgres_url: str) -> Iterator[Servers]:
    """Two servers on two data directories, which are two hosts of one card each."""
    with servers(postgres_url, together=False, TRIVIUM_NODE__ACCELERATORS="dcu:1") as made:
        yield made


def test_each_server_runs_its_own_host_and_leads_to_the_other(hosts: Servers) -> None:
    both = [hosts.create(0), hosts.create(0)]  # of one card each, so that they do not fit on one host
    for notebook in both:
        hosts.comes_to(1, notebook, "Running")
    everywhere = [(at, through) for at in (0, 1) for through in (0, 1)]
    mains = [{hosts.main_of(at, notebook, through=through) for at, through in everywhere} for notebook in both]
    (first,), (second,) = mains
    where = [{pid in look(site.data).processes for pid, _ in (first, second)} for site in hosts.sites]
    assert where == [{True, False}, {True, False}]

    for notebook in both:
        assert hosts.visitor.visit(hosts.serve(1, notebook))[0] == httpx.codes.OK
        assert hosts.users[1].post("actions/stop", notebookId=notebook).ok
        hosts.comes_to(0, notebook, "Terminated")


def test_a_saved_layer_is_looked_at_where_it_lies(hosts: Servers) -> None:
    both = [hosts.create(0), hosts.create(0)]
    for notebook in both:
        hosts.comes_to(0, notebook, "Running")
        assert hosts.users[0].post("actions/stop", notebookId=notebook, saveEnv="true").ok
        hosts.comes_to(0, notebook, "Terminated")
    key = hosts.sites[0].type("key", "create", "--user", "alice")
    clients = [Sdk(site.url, key) for site in hosts.sites]
    saved = [one.id for one in clients[0].ask("list_image", type="DEDICATED").data]
    assert len(saved) == 2
    for client in clients:
        assert [client.ask("sync_image", image_id=one).status for one in saved] == ["ACTIVE", "ACTIVE"]
    for kept in (hosts.sites[1].data / "saved").iterdir():
        shutil.rmtree(kept)
    told = [[client.ask("sync_image", image_id=one).status for one in saved] for client in clients]
    assert told[0] == told[1]
    assert sorted(told[0]) == ["ACTIVE", "ERROR"]


def test_a_host_that_nobody_acts_on_says_so_and_gets_nothing_new(hosts: Servers) -> None:
    both = [hosts.create(1), hosts.create(1)]
    for notebook in both:
        hosts.comes_to(0, notebook, "Running")
    links = {notebook: hosts.link(0, notebook) for notebook in both}
    theirs = look(hosts.sites[1].data).processes
    (lost,) = [notebook for notebook in both if hosts.main_of(0, notebook)[0] in theirs]

    hosts.sites[1].kill()
    until(lambda: hosts.visitor.visit(links[lost])[0] == httpx.codes.SERVICE_UNAVAILABLE, what="a page that says so")
    until(lambda: hosts.most_free(0) == 0, within=40, what="a node that gives nothing out")
    assert hosts.users[0].post("actions/stop", notebookId=lost).ok

    hosts.sites[1].process = None
    hosts.sites[1].start()
    hosts.comes_to(0, lost, "Terminated")


def test_what_is_withdrawn_at_one_server_is_gone_at_the_other(twins: Servers) -> None:
    notebook = twins.create(0)
    twins.comes_to(0, notebook, "Running")
    link = twins.link(0, notebook, through=1)
    assert twins.visitor.visit(link)[0] == httpx.codes.OK
    assert twins.users[1].get("list").ok
    twins.sites[0].type("user", "disable", "alice")
    assert twins.users[1].get("list").code == "10008"
    assert twins.visitor.visit(link)[0] == httpx.codes.UNAUTHORIZED


def test_a_lost_host_is_forgotten_with_its_notebooks(hosts: Servers) -> None:
    both = [hosts.create(0), hosts.create(0)]
    for notebook in both:
        hosts.comes_to(0, notebook, "Running")
    theirs = look(hosts.sites[1].data).processes
    (lost,) = [notebook for notebook in both if hosts.main_of(0, notebook)[0] in theirs]
    (kept,) = set(both) - {lost}
    host = (hosts.sites[1].data / "host-id").read_text("ascii").strip()
    assert hosts.sites[1].stop() == 0
    hosts.sites[0].type("server", "forget", host, "--lost")
    assert host not in [one["host"] for one in hosts.sites[0].type("server", "list")]
    assert hosts.status(0, kept) == "Running"
    assert hosts.users[0].get("detail", notebookId=lost).code == "10004"


@pytest.fixture
def labs(postgres_url: str) -> Iterator[Servers]:
    """Two hosts whose built-in image has a JupyterLab that runs."""
    with servers(postgres_url, together=False, trivium=TRIVIUM) as made:
        yield made


@pytest.mark.jupyter
def test_a_cell_runs_through_either_until_the_right_to_it_is_withdrawn(labs: Servers) -> None:
    notebook = labs.create(1, imagePath=labs.built_in(), acceleratorType="CPU")
    labs.comes_to(0, notebook, "Running", within=90)
    assert [labs.run_cell(0, notebook, "print(6 * 7)", through=at) for at in (0, 1)] == ["42", "42"]
    sockets = [labs.terminal(0, notebook, through=at) for at in (0, 1)]
    labs.sites[1].type("user", "disable", "alice")
    for socket in sockets:
        assert ends(socket)
