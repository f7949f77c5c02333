"""What a step asks of a program is exactly what that program takes, and is waited for longer than it takes."""

from typing import get_args

import pytest

from lanes.acts import requests
from lanes.plan.verbs import WAYS, Verb
from onhost import door, lane_call, package, registration, runner, systemd, unit
from tests.lanes.scenes import LABELS, OURS, wanted

VERBS: tuple[Verb, ...] = get_args(Verb)
ON_THE_HOST = [verb for verb in VERBS if WAYS[verb].user != "GitHub"]
PROGRAMS = {unit.PROGRAM: unit.VERBS, runner.PROGRAM: runner.VERBS}
# what the door to a host adds by itself
ADDED = {"version", "host", "dry_run", "session", "fencing_token"}


@pytest.mark.req("M51", "M52", "M54")
@pytest.mark.parametrize("verb", ON_THE_HOST)
def test_a_step_sends_the_fields_of_its_verb_and_no_other(verb: Verb) -> None:
    asking = requests.asking(verb, wanted(), size_bytes=1, sha256="0" * 64)
    taken = PROGRAMS[asking.program][str(asking.request["verb"])]
    assert set(asking.request) | ADDED == door.COMMON | door.CHANGING | lane_call.FIELDS | taken.fields
    assert f"{asking.program} {asking.request['verb']}" == WAYS[verb].call


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ON_THE_HOST])
def test_what_is_githubs_to_do_is_asked_of_no_host(verb: Verb) -> None:
    with pytest.raises(KeyError):
        requests.seconds_for(verb)


def test_looking_takes_no_fencing_token_and_no_session() -> None:
    asking = requests.observing(wanted())
    assert set(asking.request) | {"version", "host", "dry_run"} == door.COMMON | lane_call.FIELDS
    assert runner.VERBS[str(asking.request["verb"])].changes is False


@pytest.mark.req("M29", "M67")
def test_a_registration_is_asked_for_as_the_record_says() -> None:
    asked = requests.asking("configure", wanted(runner_version_policy="fixed")).request
    assert (asked["labels"], asked["update"], asked["user"]) == (LABELS, False, "lane-cm-website")


@pytest.mark.req("L6")
@pytest.mark.parametrize(("verb", "local"), [("unconfigure", False), ("unconfigure-here", True)])
def test_a_registration_is_taken_back_by_the_id_on_record(verb: Verb, local: bool) -> None:
    asked = requests.asking(verb, wanted()).request
    assert (asked["agent_id"], asked["local"]) == (OURS, local)


def test_nobody_gives_up_before_the_program_does() -> None:
    of_systemd: tuple[Verb, ...] = ("stop", "restart", "enable-now", "disable")
    of_config_sh: tuple[Verb, ...] = ("configure", "unconfigure", "unconfigure-here")
    for verb in of_systemd:
        assert requests.seconds_for(verb) > systemd.STOP_SECONDS
    for verb in of_config_sh:
        assert requests.seconds_for(verb) > registration.SECONDS
    assert requests.seconds_for("fetch", size_bytes=package.MOST_BYTES) > package.MOST_BYTES / 10**6
