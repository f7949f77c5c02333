"""What evidence from outside must say, and what it cannot: a plan without a result, an end with one or a reason."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from audits.sent import Sent
from hygiene.contracts.sent import SentHygiene
from lanes.sent import SentLane
from launchplane.api.examples import HOST_STATE, HYGIENE, LANE, LANE_STATE
from tests.api.sending import completed, skipped

DONE: dict[str, Any] = {"status": "completed", "mode": "apply", "pre_state": LANE_STATE, "post_state": LANE_STATE}


def wrong(contract: type[Sent], said: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        contract.model_validate_json(json.dumps(said), strict=True)
    return str(refused.value)


def state(**fields: Any) -> dict[str, Any]:
    return HOST_STATE | fields


@pytest.mark.req("H48", "H49")
@pytest.mark.parametrize(
    "said",
    [
        HYGIENE,
        HYGIENE | {"mode": "dry_run"},
        HYGIENE | {"mode": "dry_run", "action": "report"},
        completed(),
        completed(actual_bytes=0),
        completed(status="failed", failures=[{"target": "image sha256:1", "why": "it is in use"}]),
        completed(actual_bytes=None, unmeasured={"actual_bytes": "docker system df timed out"}),
        HYGIENE | {"status": "failed", "reason": "the engine does not answer"},
        HYGIENE | {"predicted_bytes": None, "unmeasured": {"predicted_bytes": "layers were not read"}},
        skipped(predicted_bytes=None),
        skipped(mode="dry_run"),
    ],
)
def test_what_can_have_been_is_taken_and_kept_as_it_was_said(said: dict[str, Any]) -> None:
    sent = SentHygiene.model_validate_json(json.dumps(said), strict=True)

    kept = sent.model_dump(mode="json")
    assert {name: kept[name] for name in said} == said


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (HYGIENE | {"post_state": HOST_STATE}, "post_state"),
        (HYGIENE | {"actual_bytes": 1}, "actual_bytes"),
        (completed(post_state=None, actual_bytes=None), "post_state"),
        (completed(pre_state=None), "pre_state"),
        (completed(mode="dry_run"), "dry run"),
        (completed(status="failed", mode="dry_run"), "post_state"),
        (HYGIENE | {"status": "failed"}, "reason"),
        (skipped(reason=""), "reason"),
        (skipped(post_state=HOST_STATE, actual_bytes=1), "post_state"),
        (HYGIENE | {"action": "report"}, "report changes nothing"),
        (completed(actual_bytes=None), "actual_bytes is null"),
        (HYGIENE | {"predicted_bytes": None}, "predicted_bytes is null"),
        (HYGIENE | {"pre_state": state(free_disk_bytes=None)}, "free_disk_bytes is null"),
        (HYGIENE | {"pre_state": state(docker_summary=None, unmeasured={"disk": "?"})}, "is null"),
        (HYGIENE | {"pre_state": state(unmeasured={})}, "is null"),
        (HYGIENE | {"pre_state": state(free_disk_bytes=-1)}, "greater than or equal to 0"),
        (HYGIENE | {"pre_state": state(free_disk_bytes="1")}, "valid integer"),
        (HYGIENE | {"pre_state": state(free_disk_bytes=True)}, "valid integer"),
        (HYGIENE | {"pre_state": state(disk_used_percent=101)}, "100"),
        (HYGIENE | {"occurred_at": "2026-13-08T10:30:00Z"}, "month"),
        (HYGIENE | {"occurred_at": "2026-01-08T10:30:00+01:00"}, "pattern"),
        (HYGIENE | {"occurred_at": "0000-01-08T10:30:00Z"}, "year"),
        (HYGIENE | {"occurred_at": 1_767_868_200}, "valid string"),
        (HYGIENE | {"schema_version": 2}, "schema_version"),
        (HYGIENE | {"schema_version": "1"}, "schema_version"),
        (HYGIENE | {"action": "prune"}, "action"),
        (HYGIENE | {"token": "x"}, "not permitted"),
        (HYGIENE | {"notes": {"a": 1}}, "valid string"),
        (HYGIENE | {"notes": {str(number): "x" for number in range(21)}}, "20"),
        (HYGIENE | {"reason": "x" * 601}, "600"),
        ({name: value for name, value in HYGIENE.items() if name != "predicted_bytes"}, "predicted_bytes"),
    ],
)
def test_what_cannot_have_been_is_refused(said: dict[str, Any], why: str) -> None:
    assert why in wrong(SentHygiene, said)


@pytest.mark.parametrize(
    "key",
    ["", "a/b", "../a", "a..b", ".a", "a b", "a\n", "\n", "a\x00", "ä", "x" * 201, "-a", "a..", "%2e%2e"],
)
def test_a_key_is_one_name_wherever_it_ends_up(key: str) -> None:
    assert "key" in wrong(SentHygiene, HYGIENE | {"key": key})


@pytest.mark.req("M37")
@pytest.mark.parametrize(
    "said",
    [
        LANE,
        LANE | DONE,
        LANE | {"action": "remove", "desired_state": None},
        LANE | {"status": "failed", "reason": "nothing_changed: GitHub did not answer"},
    ],
)
def test_a_lane_s_evidence_is_kept_as_it_was_said(said: dict[str, Any]) -> None:
    kept = SentLane.model_validate_json(json.dumps(said), strict=True).model_dump(mode="json")

    assert {name: kept[name] for name in said} == said


def desired(**fields: Any) -> dict[str, Any]:
    return {"desired_state": LANE["desired_state"] | fields}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (LANE | {"status": "skipped", "reason": "x"}, "status"),
        (LANE | DONE | {"mode": "dry_run"}, "dry run"),
        (LANE | {"desired_state": None}, "desired_state"),
        (LANE | desired(lane_name="other"), "another lane"),
        (LANE | desired(host_name="other"), "another lane"),
        (LANE | desired(repository="acme/other"), "another lane"),
        (LANE | desired(systemd_unit_name="ssh.service"), "another lane"),
        (LANE | desired(managed=False), "managed"),
        (LANE | desired(service_user="root; rm"), "service_user"),
        (LANE | {"repository": "acme/../website"}, "repository"),
        (LANE | {"pre_state": LANE_STATE | {"online": None}}, "online is null"),
        (LANE | {"pre_state": LANE_STATE | {"online": 1}}, "boolean"),
        (LANE | {"provider_evidence": {"x" * 101: 1}}, "100"),
        (LANE | {"provider_evidence": []}, "provider_evidence"),
    ],
)
def test_what_no_lane_can_have_been_is_refused(said: dict[str, Any], why: str) -> None:
    assert why in wrong(SentLane, said)
