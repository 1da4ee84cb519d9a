"""Answers of the proxy's own: a small page for people, JSON for programs."""

from __future__ import annotations

from html import escape
from http import HTTPStatus

import msgspec

from trivium.base.text import Language, say
from trivium.server.proxy.problems import Moved, Problem

_RETRY = "3"  # seconds until a notebook that is not there yet is worth another look
_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:15vh auto;padding:0 1em}h1{font-size:1.3em}"
_SAFETY = (
    b"Cache-Control: no-store\r\n"
    b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
)


def problem_answer(problem: Problem, values: dict[bytes, bytes], *, method: str, closing: bool) -> bytes:
    """A whole answer, head and body, in the form and language that the request's fields prefer."""
    language = _language(values.get(b"accept-language", b""))
    sentence = say(problem.code, language, **problem.details)
    status = HTTPStatus(problem.status)
    if prefers_json(values.get(b"accept", b"")):
        kind = b"application/json"
        body = msgspec.json.encode({"code": problem.code, "message": sentence, **_plain(problem.details)})
    else:
        kind = b"text/html; charset=utf-8"
        body = _page(status, sentence, language).encode()
    extra = b""
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        extra = b"Retry-After: %b\r\n" % _RETRY.encode()
    elif status is HTTPStatus.UNAUTHORIZED:
        extra = b"WWW-Authenticate: Bearer\r\n"
    head = b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nVary: Accept, Accept-Language\r\n" % (
        status,
        status.phrase.encode(),
        kind,
        len(body),
    )
    return head + extra + _SAFETY + _connection(closing=closing) + (b"" if method == "HEAD" else body)


def moved_answer(moved: Moved, *, closing: bool) -> bytes:
    """A redirect, with the cookie that it hands over."""
    status = HTTPStatus(moved.status)
    cookie = b"" if moved.cookie is None else b"Set-Cookie: %b\r\n" % moved.cookie.encode("ascii")
    return (
        b"HTTP/1.1 %d %b\r\nLocation: %b\r\nContent-Length: 0\r\n" % (status, status.phrase.encode(), moved.location)
        + cookie
        + _SAFETY
        + _connection(closing=closing)
    )


def prefers_json(accept: bytes) -> bool:
    """Whether an `Accept` field ranks JSON above a page."""
    return _weight(accept, b"application/json") > _weight(accept, b"text/html")


def wants_page(accept: bytes) -> bool:
    """Whether an `Accept` field is that of a browser that goes somewhere."""
    return b"text/html" in accept.lower()


def _weight(accept: bytes, kind: bytes) -> float:
    best = 0.0
    for member in accept.lower().split(b","):
        name, _, parameters = member.strip().partition(b";")
        if name.strip() == kind:
            best = max(best, _quality(parameters))
    return best


def _quality(parameters: bytes) -> float:
    for parameter in parameters.split(b";"):
        key, _, value = parameter.strip().partition(b"=")
        if key == b"q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _language(accept: bytes) -> Language:
    return Language.ZH if accept.strip().lower().startswith(b"zh") else Language.EN


def _page(status: HTTPStatus, sentence: str, language: Language) -> str:
    waiting = status is HTTPStatus.SERVICE_UNAVAILABLE
    refresh = f'<meta http-equiv="refresh" content="{_RETRY}">' if waiting else ""
    return (
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">{refresh}'
        f"<title>Trivium</title><style>{_STYLE}</style></head>"
        f"<body><h1>{status.value}</h1><p>{escape(sentence)}</p></body></html>\n"
    )


def _plain(details: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in details.items() if name not in {"code", "message"}}


def _connection(*, closing: bool) -> bytes:
    return b"Connection: close\r\n\r\n" if closing else b"\r\n"
