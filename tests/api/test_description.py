"""The published description (OpenAPI): whole, with examples that are as it says, and the same for everybody."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from audits import chain
from audits.contracts import Record
from launchplane.api.app import api
from launchplane.api.openapi import ANSWERS
from launchplane.problem_documents import KNOWN
from tests.api.reading import problem, read

SCHEMA = api.get_openapi_schema()


def operations() -> Iterator[dict[str, Any]]:
    return (operation for path in SCHEMA["paths"].values() for operation in path.values())


def named(operation: dict[str, Any]) -> str:
    return str(operation["operationId"])


EVERY = pytest.mark.parametrize("operation", list(operations()), ids=named)


def conforms(schema: dict[str, Any], example: Any) -> None:
    jsonschema_rs.validate(schema | {"components": SCHEMA["components"]}, example)


def test_what_is_published_is_what_is_described(client: Client) -> None:
    assert read(client, "/v1/openapi.json") == json.loads(json.dumps(SCHEMA))


def test_ids_of_operations_are_those_that_programs_were_made_from() -> None:
    assert [named(operation) for operation in operations()] == [
        "get_hosts",
        "get_hosts_by_name",
        "get_hosts_by_name_report",
        "get_hosts_by_name_inventory",
        "get_lanes",
        "get_lanes_by_name",
        "get_lanes_by_name_readiness",
        "get_changes",
        "post_changes",
        "get_changes_by_id",
        "post_evidence_runner_host_hygiene_audits",
        "get_evidence_runner_host_hygiene_audits",
        "post_evidence_runner_lane_maintainer_audits",
        "get_evidence_runner_lane_maintainer_audits",
        "get_evidence_runner_host_hygiene_audits_by_key",
        "get_evidence_runner_host_hygiene_history",
        "get_evidence_runner_lane_maintainer_audits_by_key",
        "get_evidence_runner_lane_maintainer_history",
        "get_evidence_head",
        "get_evidence_export",
    ]


@EVERY
def test_each_operation_is_behind_a_bearer_or_a_session(operation: dict[str, Any]) -> None:
    assert [list(needed) for needed in operation["security"]] == [["Bearer"], ["ReadingSession"]]
    assert set(SCHEMA["components"]["securitySchemes"]) == {"Bearer", "ReadingSession"}


@EVERY
def test_each_error_is_a_problem_document_with_an_example(operation: dict[str, Any]) -> None:
    errors = {int(status): answer for status, answer in operation["responses"].items() if int(status) >= 400}

    assert set(errors) >= {400, 401, 403, 406, 422, 503}
    for status, answer in errors.items():
        (media,) = answer["content"].values()
        assert list(answer["content"]) == ["application/problem+json"]
        assert media["example"]["code"] == KNOWN[status][1]
        conforms(media["schema"], media["example"])


@EVERY
def test_each_answer_in_json_has_an_example_that_is_one(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if int(status) < 300 and "application/json" in answer.get("content", {}):
            media = answer["content"]["application/json"]
            conforms(media["schema"], media["example"])


@EVERY
def test_each_body_has_examples_that_are_ones(operation: dict[str, Any]) -> None:
    if "requestBody" in operation:
        media = operation["requestBody"]["content"]["application/json"]
        for example in media["examples"].values():
            conforms(media["schema"], example["value"])
        assert media["examples"]


@EVERY
def test_each_operation_says_what_it_is_for(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["tags"][0] in [tag["name"] for tag in SCHEMA["tags"]]
    assert all(parameter["description"] for parameter in operation["parameters"])


def test_no_example_is_left_over() -> None:
    operation_ids = {named(operation) for operation in operations()}

    assert {file.name.partition(".")[0] for file in ANSWERS.iterdir()} <= operation_ids


def test_the_records_of_the_examples_can_be_verified() -> None:
    for file in ANSWERS.glob("get_evidence_*_audits.200.json"):
        record = Record.model_validate(json.loads(file.read_text())["audits"][0]["record"])
        assert chain.record_hash(record) == record.hash
        assert chain.sha256(record.payload) == record.payload_hash


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["stauts=planned", "limit=1&limit=2", "x=%00", "x=" + "y" * 5000], ids=str)
def test_a_parameter_that_there_is_not_is_refused(session: Client, query: str) -> None:
    answer = session.get(f"/v1/changes?{query}")

    assert problem(answer) == (422, "invalid")
    assert len(answer.content) < 1000
