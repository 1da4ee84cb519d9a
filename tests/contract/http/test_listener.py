"""The listener over real sockets: what reaches a dialect, and what reaches the client."""

from __future__ import annotations

import re

import pytest

from tests.listening import listening
from tests.tongues import Gate, Tongue, fail, misspell, nothing, operation
from tests.waiting import until_async
from trivium.dialects.operation import Reply, Request

LIMIT = 1000
OPERATIONS = (
    operation("say", "GET", "/t/say"),
    operation("take", "POST", "/t/take"),
    operation("show", "GET", "/t/things/{id}"),
    operation("fail", "GET", "/t/fail"),
    operation("misspell", "GET", "/t/misspell"),
    operation("nothing", "DELETE", "/t/nothing"),
    operation("wait", "GET", "/t/wait"),
)
ACTS = {"fail": fail, "misspell": misspell, "nothing": nothing}


def tongue(**acts: Gate) -> Tongue:
    return Tongue("tongue", OPERATIONS, {**ACTS, **acts}, body_limit=LIMIT)


async def test_a_dialect_sees_the_request_as_it_was_sent() -> None:
    async with listening(tongue()) as listener:
        headers = {"Host": "trivium.test:80", "Token": "secret", "X-Kind": "é"}
        answer = await listener.ask("POST", "/t/take?a=%20b&c", headers, b"{}")
    seen = answer.json
    assert (seen["method"], seen["path"], seen["query"], seen["body"]) == ("POST", "/t/take", "a=%20b&c", "{}")
    assert seen["headers"]["token"] == "secret"
    assert seen["headers"]["x-kind"] == "é"
    assert (seen["peer"], seen["base_url"]) == ("127.0.0.1", "http://trivium.test:80")


async def test_of_a_repeated_header_the_first_counts() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        await client.send(b"GET /t/say HTTP/1.1\r\nHost: a\r\nToken: one\r\ntoken: two\r\n\r\n")
        assert (await client.answer()).json["headers"]["token"] == "one"


@pytest.mark.parametrize("host", ["", "a b", "a/b", "evil\x80", "x" * 300, "[::1", "a:99999999"])
async def test_a_host_that_is_no_name_is_not_passed_on(host: str) -> None:
    async with listening(tongue()) as listener:
        answer = await listener.ask("GET", "/t/say", {"Host": host})
        assert answer.json["base_url"] == listener.url


async def test_every_answer_has_an_id_of_ours_a_length_and_a_date() -> None:
    async with listening(tongue()) as listener:
        answer = await listener.ask("GET", "/t/say", {"X-Request-Id": "f" * 32})
    assert re.fullmatch("[0-9a-f]{32}", answer.json["id"])
    assert answer.header("x-request-id") == answer.json["id"] != "f" * 32
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("content-type") == "application/json"
    assert (answer.header("date") or "").endswith("GMT")
    assert answer.header("server") is None


async def test_head_gives_the_head_of_get_without_its_body() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        answer = await client.ask("HEAD", "/t/say")
        assert int(answer.header("content-length") or 0) > 100
        assert (await client.ask("GET", "/t/say")).status == 200  # nothing was left in between


async def test_an_answer_without_content_has_no_length() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        answer = await client.ask("DELETE", "/t/nothing")
        assert (answer.status, answer.header("content-length"), answer.header("transfer-encoding")) == (204, None, None)
        assert (await client.ask("GET", "/t/say")).status == 200


async def test_a_connection_carries_many_requests_also_when_they_come_at_once() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        await client.send(b"".join(b"GET /t/things/%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(20)))
        ids = [(await client.answer()).json["parameters"]["id"] for _ in range(20)]
        assert ids == [str(number) for number in range(20)]


async def test_an_unknown_path_and_a_wrong_method_are_answered_by_the_dialect() -> None:
    async with listening(tongue()) as listener:
        unknown = await listener.ask("GET", "/t/unknown")
        assert unknown.json == {"code": "no-such-path", "request_id": unknown.header("x-request-id")}
        wrong = await listener.ask("PUT", "/t/say", body=b"x" * 5000)
        assert (wrong.status, wrong.json["allowed"]) == (405, ["GET", "HEAD"])


async def test_a_body_of_just_the_limit_is_taken() -> None:
    async with listening(tongue()) as listener:
        assert (await listener.ask("POST", "/t/take", body=b"x" * LIMIT)).json["size"] == LIMIT


async def test_a_chunked_body_is_put_together() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        await client.send(b"POST /t/take HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await client.send(b"2\r\nde\r\n0\r\n\r\n")
        assert (await client.answer()).json["body"] == "abcde"


async def test_a_body_over_the_limit_is_refused_before_it_is_sent() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        await client.send(b"POST /t/take HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.json["code"], answer.header("connection")) == (413, "too-large", "close")
        client.writer.write_eof()
        assert await client.is_closed()


async def test_a_client_that_sends_far_too_much_still_reads_why_it_is_refused() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        size = 20_000_000
        await client.send(b"POST /t/take HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        assert (await client.answer()).json["code"] == "too-large"
        assert await client.is_closed()


async def test_a_chunked_body_over_the_limit_is_refused_while_it_comes() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        await client.send(b"POST /t/take HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await client.send(b"3e9\r\n" + b"x" * 1001 + b"\r\n")
        assert (await client.answer()).json["code"] == "too-large"
        await client.send(b"0\r\n\r\n")
        assert await client.is_closed()


async def test_a_failure_is_answered_in_the_dialect_and_logged_under_the_request() -> None:
    async with listening(tongue()) as listener:
        answer = await listener.ask("GET", "/t/fail")
        assert (answer.status, answer.json["code"], answer.json["kind"]) == (500, "fault", "ZeroDivisionError")
        errors = [line for line in listener.logged() if line["level"] == "error"]
    assert [line["request"] for line in errors] == [answer.json["request_id"]]
    assert "on purpose" in errors[0]["exception"]


async def test_a_reply_that_http_cannot_carry_is_a_fault() -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        answer = await client.ask("GET", "/t/misspell")
        assert (answer.json["code"], answer.header("set-cookie")) == ("fault", None)
        assert (await client.ask("GET", "/t/say")).status == 200


class Speechless(Tongue):
    """A dialect that fails even to say that it failed."""

    def fault(self, request: Request, error: BaseException) -> Reply:
        raise LookupError(request.id) from error


async def test_a_fault_that_cannot_be_told_is_still_answered_in_json() -> None:
    async with listening(Speechless("speechless", OPERATIONS, ACTS)) as listener:
        answer = await listener.ask("GET", "/t/fail")
    assert (answer.status, answer.json["error"]) == (500, "internal")
    assert answer.json["request_id"] == answer.header("x-request-id")


async def test_a_client_that_hangs_up_is_no_fault() -> None:
    gate = Gate()
    async with listening(tongue(wait=gate)) as listener:
        halfway = await listener.connect()
        await halfway.send(b"POST /t/take HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        halfway.close()
        waiting = await listener.connect()
        await waiting.send(b"GET /t/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await gate.entered.wait()
        waiting.writer.transport.abort()
        gate.open.set()
        assert (await listener.ask("GET", "/t/say")).status == 200
    assert {line["level"] for line in listener.logged()} == {"info"}


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET /t/say HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /t/say HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /t/take HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /t/say?name=名字 HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    ],
)
async def test_what_is_no_http_is_refused_and_the_connection_closed(data: bytes) -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        await client.send(data)
        answer = await client.answer()
        assert (answer.status, answer.json["error"]) == (400, "malformed")
        assert "percent-encoded" in answer.json["message"]
        assert await client.is_closed()


async def test_a_head_that_is_too_long_is_refused_whether_it_comes_at_once_or_in_drips() -> None:
    async with listening(tongue()) as listener:
        whole = await listener.connect()
        await whole.send(b"GET /t/say HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n")
        assert (await whole.answer()).status == 431
        drip = await listener.connect()
        for line in (b"GET /t/say HTTP/1.1\r\nHost: a\r\n", *[b"X-Drip: %s\r\n" % (b"y" * 5000)] * 12):
            await drip.send(line)
        await drip.send(b"X-Last: " + b"y" * 6000)  # the head has no end yet
        assert (await drip.answer()).status == 431


async def test_a_large_body_does_not_count_as_head() -> None:
    async with listening(Tongue("tongue", OPERATIONS, body_limit=1_000_000)) as listener:
        client = await listener.connect()
        for _ in range(2):
            answer = await client.ask("POST", "/t/take", {"User": "1"}, b"x" * 500_000)
            assert answer.json["size"] == 500_000


async def test_the_log_names_each_request_and_none_of_its_secrets() -> None:
    async with listening(tongue()) as listener:
        answer = await listener.ask("GET", "/t/things/hush-path?token=hush-query", {"Token": "hush-header"})
        await until_async(lambda: _logged(listener.logged()), what="a line about the request")
        (line,) = listener.logged()
    assert (line["request"], line["dialect"], line["operation"]) == (answer.json["id"], "tongue", "show")
    assert (line["outcome"], line["status"]) == ("0", 200)
    assert line["ms"] >= 0
    assert "hush" not in str(line)


async def test_probes_that_find_all_well_fill_no_log() -> None:
    async with listening(tongue()) as listener:
        assert (await listener.ask("GET", "/readyz")).status == 200
        await listener.ask("GET", "/nowhere")
        await until_async(lambda: _logged(listener.logged()), what="a line about the request")
        assert [line["status"] for line in listener.logged()] == [404]


async def _logged(lines: list[dict[str, object]]) -> bool:
    return bool(lines)


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", ["Host: a"], 200),
        ("1.1", ["host:a"], 200),
        ("1.1", ["Host:"], 200),
        ("1.1", [], 400),
        ("1.1", ["Host: a", "Host: b"], 400),
        ("1.1", ["Host: a", "HOST: a"], 400),
        ("1.0", [], 200),
        ("1.0", ["Host: a"], 200),
        ("1.0", ["Host: a", "Host: b"], 400),
    ],
)
async def test_a_request_says_once_whom_it_is_for(version: str, hosts: list[str], status: int) -> None:
    async with listening(tongue()) as listener:
        client = await listener.connect()
        await client.send("\r\n".join([f"GET /t/say HTTP/{version}", *hosts, "", ""]).encode())
        answer = await client.answer()
        assert answer.status == status
        if status == 400:
            assert answer.json["error"] == "malformed"
            assert "Host" in answer.json["message"]
            assert await client.is_closed()
