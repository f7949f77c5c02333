"""The report of a host by the clock: what its file says, and what its steps do with every answer there can be."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hygiene.contracts.sent import SentHygiene
from tests.fakes.actions import TokenDoor
from tests.fakes.loopback import Reply
from tests.workflows.acting import REQUEST_TOKEN, Ran, Runner
from tests.workflows.document import HYGIENE_REPORT, workflow
from tests.workflows.standin import AUDIENCE, StandIn

FILE = workflow(HYGIENE_REPORT)
CHECK, READ, WRITE, SEND, SAY, KEEP = (step["name"] for step in FILE.steps)
HOST, KEY = "chris-testing", "github-4711-90001-1"
NEVER = {"type": "about:blank", "title": "Not found", "status": 404, "code": "never_observed", "detail": "never"}
FREE = 331_590_270_976


def a_report(*, old: timedelta = timedelta(minutes=3), **different: Any) -> dict[str, Any]:
    """As much of a report as matters here."""
    line = {"count": 3, "active": 1, "size_bytes": 9, "reclaimable_bytes": 6}
    return {
        "host": HOST,
        "observed_at": (datetime.now(UTC) - old).isoformat().replace("+00:00", "Z"),
        "status": "healthy",
        "free_disk_bytes": FREE,
        "disk_total_bytes": 512 * 10**9,
        "disk_used_percent": 36,
        "docker_reclaimable_bytes": 148_520_000_000,
        "docker_summary": {"images": line, "containers": line, "volumes": line, "build_cache": line},
        "joint_reclaim_bytes": 1000,
        "warm_builders": [{"name": "warm", "node": "warm0", "container": "c", "volume": "warm_state", "state": "warm"}],
        "findings": [],
        "unmeasured": {},
    } | different


def a_receipt(**different: Any) -> dict[str, Any]:
    said = {"key": KEY, "host": HOST, "action": "report", "mode": "dry_run", "status": "planned"}
    return said | {"receipt": {"seq": 17, "hash": "ab" * 32}} | different


def report(runner: Runner, launchplane: StandIn, answer: Reply | None = None, **receipt: Any) -> Ran:
    """A run by hand, where Launchplane gives this report and this receipt."""
    launchplane.says(answer or Reply(200, a_report()), Reply(201, a_receipt(**receipt)))
    return runner.run(FILE, variables=launchplane.variables, host=HOST)


def handed_in(launchplane: StandIn) -> SentHygiene:
    """The evidence that came, held against the contract that Launchplane holds it against."""
    return SentHygiene.model_validate_json(launchplane.requests[-1].body, strict=True)


# --- what the file says ----------------------------------------------------------------------------------------------


@pytest.mark.req("M7")
def test_it_needs_no_lane() -> None:
    assert FILE.job["runs-on"] == "ubuntu-24.04"


def test_the_clock_or_a_person_starts_it() -> None:
    assert set(FILE.triggers) == {"schedule", "workflow_dispatch"}


def test_by_the_clock_it_does_nothing_where_no_host_is_named(runner: Runner, launchplane: StandIn) -> None:
    ran = runner.run(FILE, variables=launchplane.variables, event="schedule")

    assert (ran.succeeded, ran.steps) == (True, [])


def test_by_the_clock_it_is_about_the_host_that_the_variable_names(runner: Runner, launchplane: StandIn) -> None:
    launchplane.says(Reply(200, a_report(host="ci-2")), Reply(201, a_receipt(host="ci-2")))

    ran = runner.run(FILE, variables=launchplane.variables | {"LAUNCHPLANE_HOST": "ci-2"}, event="schedule")

    assert ran.succeeded, ran.log
    assert launchplane.requests[0].path == "/v1/hosts/ci-2/report"


# --- what is handed in -----------------------------------------------------------------------------------------------


@pytest.mark.req("H51")
def test_what_the_report_says_is_handed_in_as_evidence(runner: Runner, launchplane: StandIn) -> None:
    ran = report(runner, launchplane)

    assert ran.succeeded, ran.log
    sent = handed_in(launchplane)
    assert (sent.key, sent.host, sent.action, sent.mode, sent.status) == (KEY, HOST, "report", "dry_run", "planned")
    assert sent.pre_state is not None
    assert sent.pre_state.free_disk_bytes == FREE
    assert sent.pre_state.builder_volumes is not None
    assert [volume.name for volume in sent.pre_state.builder_volumes] == ["warm_state"]
    assert (sent.predicted_bytes, sent.post_state, sent.actual_bytes) == (1000, None, None)
    assert sent.notes == {"report": "healthy", "findings": "none", "run": "acme/shop, run 90001"}
    assert [(request.method, request.path) for request in launchplane.requests] == [
        ("GET", f"/v1/hosts/{HOST}/report"),
        ("POST", "/v1/evidence/runner-host-hygiene/audits"),
    ]
    assert launchplane.requests[1].headers["idempotency-key"] == KEY


def test_the_page_of_the_run_says_what_was_measured_and_where_it_is_on_record(
    runner: Runner, launchplane: StandIn
) -> None:
    ran = report(runner, launchplane)

    assert ran.summary.startswith(f"### `{HOST}`: planned\n\n- free_disk_bytes: 331,590,270,976\n")
    assert ran.summary.endswith(f"Findings: none. On record as 17, `{'ab' * 32}`.\n")
    assert ran.artifact_name == "hygiene-report-90001-1"
    assert set(ran.artifact) == {"asked.json", "report.json", "evidence.json", "receipt.json"}


def test_a_second_attempt_is_another_look(runner: Runner, launchplane: StandIn) -> None:
    key = "github-4711-90001-2"
    report(replace(runner, attempt="2"), launchplane, key=key)

    assert handed_in(launchplane).key == launchplane.requests[1].headers["idempotency-key"] == key


def test_what_was_not_measured_is_unknown_with_its_reason(runner: Runner, launchplane: StandIn) -> None:
    summary = a_report()["docker_summary"] | {"volumes": None}
    unmeasured = {"docker_summary.volumes": "the engine did not say", "joint_reclaim_bytes": "no layers"}
    unknown = a_report(
        free_disk_bytes=None,
        docker_reclaimable_bytes=None,
        docker_summary=summary,
        joint_reclaim_bytes=None,
        unmeasured=unmeasured,
    )

    ran = report(runner, launchplane, Reply(200, unknown))

    assert ran.succeeded, ran.log
    sent = handed_in(launchplane)
    assert sent.pre_state is not None
    assert sent.pre_state.free_disk_bytes is None
    assert sent.pre_state.unmeasured["docker_summary"] == "the engine did not say"
    assert sent.pre_state.unmeasured["free_disk_bytes"] == "The report does not say why."
    assert (sent.predicted_bytes, sent.unmeasured) == (None, {"predicted_bytes": "no layers"})
    assert "- free_disk_bytes: not measured\n" in ran.summary


def test_findings_are_a_warning_and_no_failure(runner: Runner, launchplane: StandIn) -> None:
    findings = [
        {"code": code, "summary": "::error::of a host", "next_step": ""} for code in ("one", "##[two]", "three")
    ]

    ran = report(runner, launchplane, Reply(200, a_report(status="attention", findings=findings)))

    assert ran.succeeded
    assert "::warning title=Attention::" in ran.log
    assert "Findings: one, three." in ran.summary
    assert "of a host" not in ran.log + ran.summary
    assert "two" not in ran.log + ran.summary


def test_a_report_of_long_ago_is_handed_in_as_skipped_and_is_a_failure(runner: Runner, launchplane: StandIn) -> None:
    old = Reply(200, a_report(old=timedelta(minutes=61)))

    ran = report(runner, launchplane, old, status="skipped")

    assert not ran.succeeded
    assert "The host is not being looked at." in ran.log
    sent = handed_in(launchplane)
    assert sent.status == "skipped"
    assert re.fullmatch(r"The last report is \d+ minutes old\.", sent.reason)
    assert sent.pre_state is not None


def test_a_host_that_nobody_looked_at_is_handed_in_as_skipped_and_is_a_failure(
    runner: Runner, launchplane: StandIn
) -> None:
    ran = report(runner, launchplane, Reply(404, NEVER), status="skipped")

    assert not ran.succeeded
    assert ran.steps == [CHECK, READ, WRITE, SEND, SAY, KEEP]
    sent = handed_in(launchplane)
    assert (sent.status, sent.reason, sent.pre_state) == ("skipped", "Nobody has looked at this host yet.", None)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404, NEVER | {"code": "no_such_host"}),
        Reply(404, {}),
        Reply(200, a_report(host="another")),
        Reply(200, {}),
        Reply(200, []),
        Reply(200, b"{"),
        Reply(200, {"host": HOST}),
        Reply(200, a_report(observed_at="yesterday")),
        Reply(200, a_report(observed_at="2026-11-22T00:00:00")),
    ],
)
def test_nothing_is_handed_in_where_there_is_no_report_of_that_host(
    runner: Runner, launchplane: StandIn, answer: Reply
) -> None:
    ran = report(runner, launchplane, answer)

    assert not ran.succeeded
    assert ran.steps == [CHECK, READ, WRITE, KEEP]
    assert len(launchplane.requests) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 429, 500, 503])
def test_a_report_that_is_refused_is_a_failure(runner: Runner, launchplane: StandIn, status: int) -> None:
    ran = report(runner, launchplane, Reply(status, {"detail": "words of a host"}))

    assert not ran.succeeded
    assert ran.steps == [CHECK, READ, KEEP]
    assert f"Launchplane did not give the report: HTTP {status} \n" in ran.log
    assert "words of a host" not in ran.log


@pytest.mark.req("H51")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 503])
def test_evidence_that_is_refused_is_a_failure(runner: Runner, launchplane: StandIn, status: int) -> None:
    launchplane.says(Reply(200, a_report()), Reply(status, {"code": "no", "detail": "words of a host"}))

    ran = runner.run(FILE, variables=launchplane.variables, host=HOST)

    assert not ran.succeeded
    assert ran.steps == [CHECK, READ, WRITE, SEND, KEEP]
    assert f"Launchplane did not take the evidence: HTTP {status} no\n" in ran.log
    assert "words of a host" not in ran.log
    assert json.loads(ran.artifact["receipt.json"])["code"] == "no"


@pytest.mark.parametrize("status", [200, 202, 204, 302])
def test_what_is_no_receipt_is_a_failure(runner: Runner, launchplane: StandIn, status: int) -> None:
    launchplane.says(Reply(200, a_report()), Reply(status, a_receipt()))

    assert f"HTTP {status}." in runner.run(FILE, variables=launchplane.variables, host=HOST).log


@pytest.mark.parametrize(
    "different",
    [
        {"key": "another"},
        {"status": "completed"},
        {"host": "another"},
        {"mode": "apply"},
        {"receipt": {}},
        {"receipt": {"seq": True, "hash": "ab" * 32}},
        {"receipt": {"seq": 17, "hash": "AB" * 32}},
    ],
    ids=repr,
)
def test_a_receipt_for_something_else_is_not_taken(
    runner: Runner, launchplane: StandIn, different: dict[str, Any]
) -> None:
    ran = report(runner, launchplane, **different)

    assert not ran.succeeded
    assert "::error title=Not accepted::" in ran.log


def test_a_launchplane_that_is_not_there_is_a_failure(runner: Runner) -> None:
    with StandIn() as gone:
        pass

    ran = runner.run(FILE, variables=gone.variables, host=HOST)

    assert not ran.succeeded
    assert "HTTP 000" in ran.log


@pytest.mark.parametrize("host", ["", "../x", "a..b", "Chris", "x\n", "$(id)", 'x", "y": "z'])
def test_what_is_no_name_of_a_host_is_refused_before_anything_is_asked(
    runner: Runner, launchplane: StandIn, door: TokenDoor, host: str
) -> None:
    ran = runner.run(FILE, variables=launchplane.variables, host=host)

    assert "This is no name of a host." in ran.log
    assert (launchplane.requests, door.given) == ([], [])


def test_each_request_has_a_token_of_its_own_that_goes_nowhere_else(
    runner: Runner, launchplane: StandIn, door: TokenDoor
) -> None:
    ran = report(runner, launchplane)

    assert len(set(door.given)) == 2
    assert [request.headers["authorization"] for request in launchplane.requests] == [f"Bearer {t}" for t in door.given]
    assert ran.masks == door.given
    assert all(AUDIENCE.encode().hex() in token for token in door.given)
    left = [path.read_bytes().decode() for path in (runner.home / "temp").rglob("*") if path.is_file()]
    for token in (*door.given, REQUEST_TOKEN):
        assert not any(token in where for where in (ran.log, ran.summary, ran.argv, *left))
    assert not any(token in ran.environment for token in door.given)


def test_a_job_that_may_not_say_who_it_is_is_told_so(runner: Runner, launchplane: StandIn) -> None:
    ran = report(replace(runner, door=""), launchplane)

    assert 'The job needs the permission "id-token: write".' in ran.log
    assert launchplane.requests == []
