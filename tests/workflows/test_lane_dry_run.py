"""The manual dry-run of a lane: what its file says, and what its steps do with every answer there can be."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.actions import TokenDoor
from tests.fakes.loopback import Reply, answers
from tests.faults import raw
from tests.workflows.acting import REQUEST_TOKEN, Ran, Runner
from tests.workflows.document import LANE_DRY_RUN, workflow
from tests.workflows.standin import AUDIENCE, CHANGE, StandIn, a_plan

FILE = workflow(LANE_DRY_RUN)
LANE = "website"
UNDER_WAY, IN_FLIGHT = Reply(202, {"status": "planning"}), Reply(409, {"code": "in_flight"})
CHECK, PLAN, TAKE, KEEP = (step["name"] for step in FILE.steps)


def dry_run(runner: Runner, launchplane: StandIn, **inputs: str) -> Ran:
    return runner.run(FILE, variables=launchplane.variables, **({"lane": LANE} | inputs))


# --- what the file says ----------------------------------------------------------------------------------------------


@pytest.mark.req("M72")
def test_it_is_started_by_hand_only() -> None:
    assert set(FILE.triggers) == {"workflow_dispatch"}


@pytest.mark.req("M73")
def test_it_runs_on_the_lane_for_operations() -> None:
    assert FILE.job["runs-on"] == ["self-hosted", "launchplane-ops"]


@pytest.mark.req("M74")
def test_a_dry_run_is_what_one_gets_without_a_word() -> None:
    mode = FILE.inputs["mode"]
    assert (mode["default"], mode["options"]) == ("dry-run", ["dry-run", "apply"])
    assert [name for name, told in FILE.inputs.items() if "default" not in told and told["required"]] == ["lane"]


@pytest.mark.req("M76")
def test_it_has_room_for_the_phrase_and_the_key_that_applying_would_take() -> None:
    assert {"phrase", "idempotency_key"} <= set(FILE.inputs)


# --- what is taken ---------------------------------------------------------------------------------------------------


@pytest.mark.req("M77", "M78")
@pytest.mark.parametrize("status", ["planned", "blocked"])
def test_planned_and_blocked_are_taken_and_kept(runner: Runner, launchplane: StandIn, status: str) -> None:
    launchplane.says(Reply(201, a_plan(status=status)))

    ran = dry_run(runner, launchplane)

    assert ran.succeeded, ran.log
    assert ran.summary.startswith(f"### lane.create of `{LANE}`: {status}\n\nNothing was changed.\n")
    assert f"({launchplane.url}/changes/{CHANGE}/)" in ran.summary
    assert ran.artifact_name == "lane-dry-run-90001-1"
    assert json.loads(ran.artifact["answer.json"]) == a_plan(status=status)
    assert set(ran.artifact) == {"asked.json", "request.json", "answer.json"}


@pytest.mark.req("M78", "M79")
@pytest.mark.parametrize(
    "status",
    ["completed", "awaiting_approval", "approved", "applying", "in_doubt", "failed", "closed", "Planned", "", None, []],
)
def test_no_other_status_is_taken(runner: Runner, launchplane: StandIn, status: Any) -> None:
    launchplane.says(Reply(201, a_plan(status=status)))

    ran = dry_run(runner, launchplane)

    assert not ran.succeeded
    assert ran.steps == [CHECK, PLAN, TAKE, KEEP]
    assert "This is neither, so it was no dry-run." in ran.log
    assert ran.summary == ""
    assert "answer.json" in ran.artifact


@pytest.mark.req("M78")
@pytest.mark.parametrize(
    ("different", "said"),
    [
        ({"started_at": "2026-11-01T12:00:00Z"}, "Something was begun or approved."),
        ({"approvals": [{"approver": "somebody"}]}, "Something was begun or approved."),
        ({"subject": "another"}, "This is the plan of something else."),
        ({"kind": "lane.remove"}, "This is the plan of something else."),
        ({"kind": "hygiene.aged"}, "This is the plan of something else."),
        ({"kind": None}, "This is the plan of something else."),
        ({"id": "../../elsewhere"}, "The plan has no name."),
    ],
    ids=repr,
)
def test_a_plan_that_is_not_what_was_asked_for_is_not_taken(
    runner: Runner, launchplane: StandIn, different: dict[str, Any], said: str
) -> None:
    launchplane.says(Reply(201, a_plan(**different)))

    ran = dry_run(runner, launchplane)

    assert not ran.succeeded
    assert said in ran.log


@pytest.mark.parametrize("missing", ["status", "started_at", "approvals", "subject", "kind", "id"])
def test_a_plan_that_leaves_something_out_is_not_taken(runner: Runner, launchplane: StandIn, missing: str) -> None:
    launchplane.says(Reply(201, {name: value for name, value in a_plan().items() if name != missing}))

    assert not dry_run(runner, launchplane).succeeded


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'"planned"'])
def test_an_answer_that_is_no_plan_is_not_taken(runner: Runner, launchplane: StandIn, body: bytes) -> None:
    launchplane.says(Reply(201, body))

    assert not dry_run(runner, launchplane).succeeded


@pytest.mark.parametrize("operation", ["restart", "remove"])
def test_a_restart_or_a_removal_is_planned_where_that_is_asked_for(
    runner: Runner, launchplane: StandIn, operation: str
) -> None:
    launchplane.says(Reply(201, a_plan(kind=f"lane.{operation}")))

    assert dry_run(runner, launchplane, operation=operation).succeeded
    assert not dry_run(runner, launchplane).succeeded


def test_what_stands_in_the_way_is_named_by_its_codes(runner: Runner, launchplane: StandIn) -> None:
    blockers = [{"code": "grant_missing", "summary": "::error::from a host"}, {"code": "##[add-mask]planned"}]
    launchplane.says(Reply(201, a_plan(status="blocked", blockers=blockers)))

    ran = dry_run(runner, launchplane)

    assert ran.succeeded
    assert "- blocked by `grant_missing`\n- blocked by `something that has no name`\n" in ran.summary
    assert "from a host" not in ran.summary + ran.log
    assert "add-mask" not in ran.summary + ran.log


# --- applying --------------------------------------------------------------------------------------------------------


@pytest.mark.req("M75")
@pytest.mark.parametrize(
    "given", [{}, {"phrase": "create website"}, {"phrase": "create website", "idempotency_key": "k-1"}], ids=len
)
def test_applying_is_refused_with_the_way_to_the_browser(
    runner: Runner, launchplane: StandIn, door: TokenDoor, given: dict[str, str]
) -> None:
    launchplane.says(Reply(201, a_plan(status="completed")))

    ran = dry_run(runner, launchplane, mode="apply", **given)

    assert not ran.succeeded
    assert ran.steps == [CHECK, KEEP]
    assert f"Have it approved in the browser: {launchplane.url}/lanes/{LANE}/" in ran.log
    assert json.loads(ran.artifact["asked.json"])["mode"] == "apply"
    assert (launchplane.requests, door.given) == ([], [])


@pytest.mark.req("M76")
def test_who_wants_to_apply_is_told_what_it_would_take(runner: Runner, launchplane: StandIn) -> None:
    told = "To apply would take the phrase that the plan asks for, and an idempotency key."
    both = {"phrase": "create website", "idempotency_key": "k-1"}

    assert told in dry_run(runner, launchplane, mode="apply", phrase="create website").log
    assert told in dry_run(runner, launchplane, mode="apply", idempotency_key="k-1").log
    assert told not in dry_run(runner, launchplane, mode="apply", **both).log


@pytest.mark.req("M75")
@pytest.mark.parametrize("mode", ["", "Apply", "dry-run\n", "dry_run", '", "mode": "dry-run'])
def test_a_mode_that_is_no_dry_run_is_refused(runner: Runner, launchplane: StandIn, door: TokenDoor, mode: str) -> None:
    ran = dry_run(runner, launchplane, mode=mode)

    assert not ran.succeeded
    assert (launchplane.requests, door.given) == ([], [])


# --- what is asked ---------------------------------------------------------------------------------------------------


BAD_NAMES = [
    "",
    "../x",
    "a..b",
    "Website",
    "-x",
    "x" * 65,
    "web site",
    "$(id)",
    "`id`",
    "x;id",
    'x", "y": "z',
    "x\n",
    "ä",
]


@pytest.mark.parametrize("lane", BAD_NAMES)
def test_what_is_no_name_of_a_lane_is_refused_before_anything_is_asked(
    runner: Runner, launchplane: StandIn, door: TokenDoor, lane: str
) -> None:
    ran = dry_run(runner, launchplane, lane=lane)

    assert not ran.succeeded
    assert "This is no name of a lane." in ran.log
    assert (launchplane.requests, door.given) == ([], [])


def test_an_operation_that_is_none_is_refused(runner: Runner, launchplane: StandIn) -> None:
    assert "none of plan, restart and remove" in dry_run(runner, launchplane, operation="create").log


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"LAUNCHPLANE_AUDIENCE": AUDIENCE},
        *(
            {"LAUNCHPLANE_AUDIENCE": AUDIENCE, "LAUNCHPLANE_URL": address}
            for address in (
                "http://launchplane.example.org",
                "http://127.0.0.1.example.org",
                "http://127.0.0.1:80@example.org",
                "file:///etc/passwd",
                "https://launchplane.example.org?x=",
                "https://user@launchplane.example.org",
            )
        ),
    ],
    ids=repr,
)
def test_an_address_that_a_token_may_not_go_to_is_refused(
    runner: Runner, door: TokenDoor, variables: dict[str, str]
) -> None:
    ran = runner.run(FILE, variables=variables, lane=LANE)

    assert not ran.succeeded
    assert "variable LAUNCHPLANE_" in ran.log
    assert door.given == []


def test_the_audience_is_the_address_unless_a_variable_says_another(
    runner: Runner, launchplane: StandIn, door: TokenDoor
) -> None:
    launchplane.says(Reply(201, a_plan()))

    runner.run(FILE, variables={"LAUNCHPLANE_URL": f"{launchplane.url}"}, lane=LANE)
    dry_run(runner, launchplane)

    assert [launchplane.url.encode().hex() in token for token in door.given] == [True, False]


def test_a_request_is_told_apart_by_run_and_attempt(runner: Runner, launchplane: StandIn) -> None:
    launchplane.says(Reply(201, a_plan()))

    for attempt in ("1", "1", "2"):
        dry_run(replace(runner, attempt=attempt), launchplane)

    keys = [request.headers["idempotency-key"] for request in launchplane.requests]
    assert keys == ["github-4711-90001-1", "github-4711-90001-1", "github-4711-90001-2"]


def test_it_asks_again_with_the_same_key_until_a_worker_has_planned(
    runner: Runner, launchplane: StandIn, door: TokenDoor
) -> None:
    launchplane.says(UNDER_WAY, IN_FLIGHT, IN_FLIGHT, Reply(201, a_plan()))

    ran = dry_run(runner, launchplane)

    assert ran.succeeded, ran.log
    assert len(set(door.given)) == len(launchplane.requests) == 4
    assert len({(request.body, request.headers["idempotency-key"]) for request in launchplane.requests}) == 1


def test_it_does_not_ask_for_ever(runner: Runner, launchplane: StandIn) -> None:
    launchplane.says(UNDER_WAY, IN_FLIGHT)

    ran = dry_run(runner, launchplane)

    assert not ran.succeeded
    assert "Launchplane did not plan it: HTTP 409 in_flight" in ran.log
    assert len(launchplane.requests) == 20


def test_another_conflict_is_not_waited_for(runner: Runner, launchplane: StandIn) -> None:
    launchplane.says(Reply(409, {"code": "another_action"}), Reply(201, a_plan()))

    ran = dry_run(runner, launchplane)

    assert "HTTP 409 another_action" in ran.log
    assert len(launchplane.requests) == 1


@pytest.mark.parametrize("code", ["##[group]", "a\n::warning::b", "x" * 65, 7, None, ["no"]])
def test_a_code_that_is_none_is_not_said(runner: Runner, launchplane: StandIn, code: Any) -> None:
    launchplane.says(Reply(422, {"code": code}))

    assert "Launchplane did not plan it: HTTP 422 \n" in dry_run(runner, launchplane).log


# --- the token -------------------------------------------------------------------------------------------------------


def test_the_token_is_for_launchplane_and_goes_nowhere_else(
    runner: Runner, launchplane: StandIn, door: TokenDoor
) -> None:
    launchplane.says(Reply(201, a_plan()))

    ran = dry_run(runner, launchplane)

    (token,), (request,) = door.given, launchplane.requests
    assert AUDIENCE.encode().hex() in token
    assert request.headers["authorization"] == f"Bearer {token}"
    assert ran.masks == [token]
    left = [path.read_bytes() for path in (runner.home / "temp").rglob("*") if path.is_file()]
    assert not any(token in where for where in (ran.log, ran.summary, ran.argv, ran.environment))
    assert not any(token.encode() in content for content in [*ran.artifact.values(), *left])
    assert "curl" in ran.argv
    assert REQUEST_TOKEN not in ran.argv + ran.log


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_a_refusal_is_a_failure_and_is_kept(runner: Runner, launchplane: StandIn, door: TokenDoor, status: int) -> None:
    problem = {"type": "about:blank", "status": status, "code": "no", "detail": "words of a host", "title": "No"}
    launchplane.says(Reply(status, problem))

    ran = dry_run(runner, launchplane)

    assert not ran.succeeded
    assert ran.steps == [CHECK, PLAN, KEEP]
    assert f"Launchplane did not plan it: HTTP {status} no\n" in ran.log
    assert "words of a host" not in ran.log
    assert json.loads(ran.artifact["answer.json"]) == problem
    assert door.given[0] not in ran.log


@pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 308])
def test_what_is_no_answer_of_ours_is_a_failure_and_leads_nowhere(
    runner: Runner, launchplane: StandIn, status: int
) -> None:
    launchplane.says(Reply(status, a_plan(), {"Location": f"{launchplane.url}/elsewhere"}), Reply(201, a_plan()))

    ran = dry_run(runner, launchplane)

    assert not ran.succeeded
    assert f"HTTP {status} " in ran.log
    assert len(launchplane.requests) == 1


def test_a_launchplane_that_is_not_there_is_a_failure(runner: Runner) -> None:
    with StandIn() as gone:
        pass

    ran = dry_run(runner, gone)

    assert not ran.succeeded
    assert "HTTP 000" in ran.log
    assert set(ran.artifact) == {"asked.json", "request.json"}


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 201 X\r\nContent-Length: 900\r\n\r\n{", b"no HTTP\r\n\r\n"])
def test_an_answer_that_is_cut_is_a_failure(runner: Runner, launchplane: StandIn, answer: bytes) -> None:
    launchplane.fault("POST .*", raw(answer))

    ran = dry_run(runner, launchplane)

    assert not ran.succeeded
    assert ran.steps == [CHECK, PLAN, KEEP]


def test_an_answer_without_end_is_a_failure(runner: Runner, launchplane: StandIn) -> None:
    launchplane.says(Reply(201, b" " * 10_000_001))

    assert not dry_run(runner, launchplane).succeeded


def test_a_job_that_may_not_say_who_it_is_is_told_so(runner: Runner, launchplane: StandIn) -> None:
    ran = dry_run(replace(runner, door=""), launchplane)

    assert not ran.succeeded
    assert 'The job needs the permission "id-token: write".' in ran.log
    assert launchplane.requests == []


@pytest.mark.parametrize(
    "reply",
    [
        answers(500, {"value": "x.y.z"}),
        answers(200, {"value": 'x"\nurl = "http://127.0.0.1/'}),
        answers(200, {"value": ""}),
        answers(200, {}),
        answers(200, []),
    ],
)
def test_what_is_no_token_is_sent_nowhere(runner: Runner, launchplane: StandIn, door: TokenDoor, reply: Any) -> None:
    door.fault("GET .*", reply)

    assert not dry_run(runner, launchplane).succeeded
    assert launchplane.requests == []


def test_settings_of_curl_on_the_machine_are_not_read(runner: Runner, launchplane: StandIn, door: TokenDoor) -> None:
    (runner.home / ".curlrc").write_text("verbose\nlocation\n")
    launchplane.says(Reply(201, a_plan()))

    ran = dry_run(runner, launchplane)

    assert ran.succeeded
    assert door.given[0] not in ran.log
