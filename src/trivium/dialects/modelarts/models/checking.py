"""What may stand in the body of a new model, beside what its shape says."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import msgspec

from trivium.base import json
from trivium.base.caller import Caller
from trivium.base.errors import Invalid, Missing
from trivium.dialects.modelarts.errors import BadConfig, BadLocation, NotOneOf
from trivium.dialects.modelarts.models.shapes import CreateModelBody, DependencyBody
from trivium.dialects.modelarts.spelling import Text, one_of
from trivium.dialects.reading import OutOfBounds
from trivium.resources.datasets import BadPlace, Buckets

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
VERSION: Final = re.compile(r"(0|[1-9]\d?)([.:])(0|[1-9]\d?)\2(0|[1-9]\d?)", re.ASCII)
VERSION_FIELD: Final = "model_version"
LONGEST_DESCRIPTION: Final = 100
BARRED: Final = frozenset("&!'\"<>=")
INSTALL_TYPES: Final = ("real-time", "edge", "batch")
AUTO: Final = "auto"
PIP: Final = "pip"
RESTRAINTS: Final = ("EXACT", "ATLEAST", "ATMOST")
MOST_DOCUMENTS: Final = 3
REMOTE: Final = re.compile(r"(obs|s3|https?)://.*", re.IGNORECASE | re.DOTALL)
WEB: Final = re.compile(r"https?://\S+", re.IGNORECASE)


def checked(body: CreateModelBody) -> None:
    """Raise what is wrong with a body, by the name of its field: `Missing` or `Invalid`."""
    if not NAME.fullmatch(body.model_name):
        raise OutOfBounds("model_name", "of 1 to 64 letters, digits, - and _")
    if not (body.source_location or "").strip():
        raise Missing("source_location")
    if len(body.description or "") > LONGEST_DESCRIPTION or BARRED & set(body.description or ""):
        raise OutOfBounds("description", f"of at most {LONGEST_DESCRIPTION} characters, without & ! ' \" < > and =")
    if body.source_type and body.source_type != AUTO:
        raise NotOneOf("source_type", words=AUTO)
    _each_of("install_type", body.install_type or (), INSTALL_TYPES)
    _json("model_metrics", body.model_metrics, Invalid)
    _json("initial_config", body.initial_config, BadConfig)
    for place, dependency in enumerate(body.dependencies or ()):
        _dependency(f"dependencies[{place}]", dependency)
    _documents(body)


def version(text: Text) -> str | None:
    """A version with dots, of which some clients make colons; None where none is told. `OutOfBounds`."""
    given = (text or "").strip()
    if not given:
        return None
    found = VERSION.fullmatch(given)
    if found is None:
        raise OutOfBounds(VERSION_FIELD, "three numbers of one or two digits, none beginning with 0, like 1.0.0")
    return f"{found[1]}.{found[3]}.{found[4]}"


def needed_version(text: str) -> str:
    """The same where one must be told. `Missing`, `OutOfBounds`."""
    found = version(text)
    if found is None:
        raise Missing(VERSION_FIELD)
    return found


def location(caller: Caller, text: str, *, buckets: Buckets) -> str:
    """A place on disk, where buckets are looked for, too. `BadLocation` for a place in none that is here."""
    if not REMOTE.fullmatch(text):
        return text
    try:
        return buckets.path(caller, text, field="source_location")
    except BadPlace as error:
        message = "is in no bucket that is here; name one, or a directory or file of a store of models"
        raise BadLocation("source_location", message) from error


def _each_of(field: str, given: Collection[str], words: Collection[str]) -> None:
    for place, word in enumerate(given):
        if word not in words:
            raise NotOneOf(f"{field}[{place}]", words=", ".join(words))


def _json(field: str, text: Text, error: type[Invalid]) -> None:
    if not text:
        return
    try:
        read = json.decode(text)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise error(field, "must be a JSON object") from fault
    if not isinstance(read, dict):
        raise error(field, "must be a JSON object")


def _dependency(at: str, dependency: DependencyBody) -> None:
    if one_of(dependency.installer, f"{at}.installer", (PIP,)) is None:
        raise Missing(f"{at}.installer")
    if not dependency.packages:
        raise Missing(f"{at}.packages")
    for place, package in enumerate(dependency.packages):
        where = f"{at}.packages[{place}]"
        if not package.package_name.strip():
            raise Missing(f"{where}.package_name")
        if package.restraint and package.restraint not in RESTRAINTS:
            raise NotOneOf(f"{where}.restraint", words=", ".join(RESTRAINTS))


def _documents(body: CreateModelBody) -> None:
    documents = body.model_docs or ()
    if len(documents) > MOST_DOCUMENTS:
        raise OutOfBounds("model_docs", f"at most {MOST_DOCUMENTS} documents")
    for place, document in enumerate(documents):
        if not document.doc_name.strip():
            raise Missing(f"model_docs[{place}].doc_name")
        if not WEB.fullmatch(document.doc_url):
            raise OutOfBounds(f"model_docs[{place}].doc_url", "an address of http or https")
