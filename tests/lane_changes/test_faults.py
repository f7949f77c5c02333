"""What goes wrong at GitHub or in config.sh: nothing is registered twice, and it is said how to go on."""

from datetime import timedelta

import pytest

from launchplane.changes.models import Change
from tests.fakes.loopback import answers
from tests.faults import Behaviour, cut_off, raw
from tests.lane_changes import ways
from tests.lane_changes.place import Place, with_config_sh
from tests.lane_changes.ways import People

CREATE, ADOPT = "lane.create", "lane.adopt"
LISTING = r"GET /repos/.*/actions/runners\?.*"
ASK = r"POST .*/registration-token"
BAD_ANSWERS: dict[str, Behaviour] = {
    "403": answers(403, {"message": "Resource not accessible by integration"}),
    "404": answers(404, {"message": "Not Found"}),
    "422": answers(422, {"message": "Validation Failed"}),
    "500": answers(500),
    "a secondary limit": answers(403, {"message": "You have exceeded a secondary rate limit"}, retry_after="60"),
    "cut off": cut_off({"token": "A" * 29}, after_bytes=10),
    "down": raw(b""),
}
REGISTERS_ONCE = ["POST /registration-token", "POST /_runner/register"]


def patient(place: Place, seconds: int) -> None:
    """The host waits so long for config.sh."""
    path = place.room.path("/usr/local/lib/launchplane/onhost/registration.py")
    text = path.read_text()
    assert "\nSECONDS = 180\n" in text
    path.write_text(text.replace("\nSECONDS = 180\n", f"\nSECONDS = {seconds}\n"))


@pytest.mark.req("L8", "M61")
@pytest.mark.parametrize("behaviour", BAD_ANSWERS.values(), ids=list(BAD_ANSWERS))
def test_without_a_token_nothing_is_registered_and_nothing_goes_on(
    place: Place, people: People, behaviour: Behaviour
) -> None:
    place.github.fault(ASK, behaviour)
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.FAILED
    assert ways.outcomes(change)["ask-token"] == "failed"
    assert ways.outcomes(change)["configure"] == "skipped"
    assert ways.evidence(change, "ask-token")["code"].startswith("github_")
    assert (place.namesakes(), place.orders(), place.agent_id()) == ([], [], None)


@pytest.mark.req("L8", "M68")
@pytest.mark.parametrize("behaviour", BAD_ANSWERS.values(), ids=list(BAD_ANSWERS))
def test_a_listing_that_does_not_come_puts_it_off(place: Place, people: People, behaviour: Behaviour) -> None:
    change = ways.applied(CREATE, place, people, meanwhile=lambda: place.github.fault(LISTING, behaviour))
    assert change.status == Change.Status.APPROVED
    assert change.sentence.startswith("Nothing was done yet. fresh: Listing: ")
    assert ways.last_record(change)["nothing_changed"] is True
    assert place.posts() == []


@pytest.mark.req("M20")
def test_half_a_page_proves_no_absence(place: Place, people: People) -> None:
    half = answers(200, {"total_count": 2, "runners": []})
    change = ways.applied(CREATE, place, people, meanwhile=lambda: place.github.fault(LISTING, half))
    assert change.status == Change.Status.APPROVED
    assert "not complete" in change.sentence


@pytest.mark.req("M61")
def test_a_token_that_expired_meanwhile_is_not_asked_for_again_in_silence(place: Place, people: People) -> None:
    place.github.ahead = timedelta(minutes=-58)
    change = ways.applied(CREATE, place, people)
    assert (change.status, ways.outcomes(change)["configure"]) == (Change.Status.FAILED, "failed")
    assert "expired" in ways.detail(change, "configure")
    assert place.posts() == ["POST /registration-token"]
    place.github.ahead = timedelta()
    assert ways.applied(CREATE, place, people).status == Change.Status.COMPLETED
    assert place.posts() == ["POST /registration-token", *REGISTERS_ONCE]


@pytest.mark.req("L8")
def test_a_config_sh_that_fails_leaves_nothing_and_the_next_plan_starts_anew(place: Place, people: People) -> None:
    place.github.offer(with_config_sh('echo "token $ACTIONS_RUNNER_INPUT_TOKEN is bad"; exit 1'))
    change = ways.applied(CREATE, place, people)
    assert (change.status, ways.outcomes(change)["configure"]) == (Change.Status.FAILED, "failed")
    assert ways.evidence(change, "configure")["output"] == "token [token] is bad\n"
    assert "Nothing is registered" in ways.detail(change, "configure")
    after = ways.last_record(change)["after"]
    assert after["facts"]["go_on"][0].startswith("Plan it again: lane.create would do fetch, ask-token")
    assert (place.namesakes(), place.agent_id(), place.orders()) == ([], None, [])


@pytest.mark.req("L8", "X11", "M70")
@pytest.mark.parametrize("how", ['real "$@"; exit 3', 'real "$@"; exec sleep 1000'], ids=["half done", "hangs"])
def test_a_half_made_registration_is_adopted_and_never_made_twice(place: Place, people: People, how: str) -> None:
    patient(place, 3)
    place.github.offer(with_config_sh(how))
    change = ways.applied(CREATE, place, people)
    assert (change.status, ways.outcomes(change)["configure"]) == (Change.Status.FAILED, "failed")
    assert place.agent_id() == place.runner().id
    assert place.orders() == []
    assert ways.last_record(change)["after"]["facts"]["go_on"][0].startswith("Plan it again: lane.adopt would do")
    assert ways.applied(ADOPT, place, people).status == Change.Status.COMPLETED
    assert place.posts() == REGISTERS_ONCE


@pytest.mark.req("L8")
def test_a_config_sh_that_hangs_before_anything_is_ended(place: Place, people: People) -> None:
    patient(place, 1)
    place.github.offer(with_config_sh("exec sleep 1000"))
    change = ways.applied(CREATE, place, people)
    assert (change.status, ways.outcomes(change)["configure"]) == (Change.Status.FAILED, "failed")
    assert (place.namesakes(), place.agent_id()) == ([], None)


@pytest.mark.req("X11")
def test_a_config_sh_that_says_yes_and_does_nothing_is_not_believed(place: Place, people: People) -> None:
    place.github.offer(with_config_sh("exit 0"))
    change = ways.applied(CREATE, place, people)
    assert (change.status, place.agent_id()) == (Change.Status.FAILED, None)


@pytest.mark.req("X11", "L13")
def test_a_runner_file_that_names_somebody_elses_runner_is_not_believed(place: Place, people: People) -> None:
    other = place.github.add_runner(place.lane.scope, "another-lane")
    lie = f'real "$@"; sed -i "s/\\"agentId\\": [0-9]*/\\"agentId\\": {other.id}/" .runner'
    place.github.offer(with_config_sh(lie))
    change = ways.applied(CREATE, place, people)
    assert (change.status, place.agent_id(), place.orders()) == (Change.Status.FAILED, None, [])
    assert other.id in place.github.runners


@pytest.mark.req("L8")
def test_github_being_down_right_after_config_sh_leaves_it_in_doubt_and_then_on_record(
    place: Place, people: People
) -> None:
    """Until GitHub can be asked, nobody says that it was not registered."""
    down = place.github.fault(LISTING, raw(b""), times=0)
    place.github.meanwhile(r"POST /_runner/register", lambda: setattr(down, "times", None))
    change = ways.applied(CREATE, place, people)
    assert (change.status, place.agent_id()) == (Change.Status.IN_DOUBT, None)
    change = ways.recovered(change)
    assert (change.status, place.agent_id()) == (Change.Status.IN_DOUBT, None)
    down.times = 0
    change = ways.recovered(change)
    assert (change.status, ways.outcomes(change)["configure"]) == (Change.Status.FAILED, "done")
    assert place.agent_id() == place.runner().id
    assert ways.applied(ADOPT, place, people).status == Change.Status.COMPLETED
    assert place.posts() == REGISTERS_ONCE


@pytest.mark.req("M64")
def test_an_active_unit_whose_lane_stays_offline_fails(place: Place, people: People) -> None:
    place.github.shows = "offline"
    change = ways.applied(CREATE, place, people)
    assert (change.status, set(ways.outcomes(change).values())) == (Change.Status.FAILED, {"done"})
    assert "lane online (GitHub shows it offline)" in change.sentence
    assert place.agent_id() == place.runner().id
    assert ways.last_record(change)["after"]["facts"]["go_on"][0].startswith("Plan it again: lane.reconcile")


@pytest.mark.req("M65")
def test_a_lane_that_shows_online_without_its_unit_fails(place: Place, people: People) -> None:
    place.room.manager(ignored=["start"])
    place.github.shows = "online"
    change = ways.applied(CREATE, place, people)
    assert (change.status, ways.outcomes(change)["enable-now"]) == (Change.Status.FAILED, "failed")
    assert "service active" in change.sentence


@pytest.mark.req("M67")
def test_a_process_of_another_user_fails(place: Place, people: People) -> None:
    place.processes_of("lane-other")
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.FAILED
    assert "Its process does not run as lane-cm" in change.sentence


@pytest.mark.req("M67")
def test_a_label_that_is_missing_at_github_fails_and_the_next_plan_sets_it(place: Place, people: People) -> None:
    place.github.offer(with_config_sh('real "${@/,cm-website/}"'))
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.FAILED
    assert "labels correct (Missing: cm-website" in change.sentence
    assert ways.applied("lane.reconcile", place, people).status == Change.Status.COMPLETED
    assert place.posts()[-1] == f"PUT /{place.runner().id}/labels"
    assert "cm-website" in place.runner().labels


@pytest.mark.req("M66")
def test_a_baseline_that_is_not_ready_fails(place: Place, people: People) -> None:
    place.room.path("srv/runners/homes/lane-cm/.docker").symlink_to("/root/.docker")
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.FAILED
    assert "baseline ready (Not as it must be: docker_isolation)" in change.sentence


@pytest.mark.req("L8")
def test_a_unit_that_cannot_be_started_says_how_to_go_on(place: Place, people: People) -> None:
    place.room.manager(failing=["start"])
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.FAILED
    assert "as a test wishes" in ways.detail(change, "enable-now")
    place.room.manager(failing=[])
    go_on = ways.last_record(change)["after"]["facts"]["go_on"]
    assert go_on[0].startswith("Plan it again: lane.reconcile would do enable-now")
    assert "Remove the lane" in go_on[1]
    assert ways.applied("lane.reconcile", place, people).status == Change.Status.COMPLETED
    assert place.posts() == REGISTERS_ONCE
