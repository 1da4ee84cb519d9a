"""`trivium api fields`: what ZStack's queries may ask, in a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from trivium.server.admin.api import api


def told(*arguments: str) -> list[dict[str, Any]]:
    """What the command prints."""
    done = CliRunner().invoke(api, ["fields", *arguments, "--output", "json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_fields_and_relations_of_a_resource_are_listed() -> None:
    of_models = told("Model")
    assert {"name": "size", "what": "field", "type": "Long"} in of_models
    assert {"name": "__userTag__", "what": "field", "type": "String"} in of_models
    assert {"name": "modelService.", "what": "relation", "type": "ModelService"} in of_models
    assert told("QueryModel") == of_models


@pytest.mark.parametrize("path", ["modelService.modelCenter", "modelService.modelCenter."])
def test_what_is_at_the_end_of_a_path_is_listed_as_conditions_name_it(path: str) -> None:
    assert {"name": "modelService.modelCenter.status", "what": "field", "type": "String"} in told("Model", path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("VmInstance",), "there is none of that name; there are Account,"),
        (("Model", "vmNics"), "have no expanded query[vmNics]"),
        (("Model", ".".join(["modelCenter.model"] * 4)), "goes across more than 6"),
    ],
)
def test_what_there_is_none_of_is_refused(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(api, ["fields", *arguments])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
