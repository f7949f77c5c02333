"""Steps about the registration: a token, config.sh, and which runner is ours from then on. Nothing is ever replaced."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from lanes.acts import requests, waiting
from lanes.acts.agreeing import Registered, Removed, registered, removed
from lanes.acts.at_hand import LaneAtHand
from lanes.acts.outcomes import PLAN_AGAIN, done, failed, of_answer, said, unknown
from lanes.contracts import GithubRunner
from lanes.github.errors import GithubUnreachable
from lanes.github.tokens import OneTimeToken
from lanes.names import same
from lanes.plan.verbs import Verb
from launchplane.changes.contracts import Json, StepOutcome
from launchplane.hosts.errors import AnswerLost
from launchplane.problems import Problem, Refused, Waits

# config.sh needs some time with it
LEFT: Final = timedelta(minutes=requests.OF_CONFIG_SH // 60)


def ask_token(at: LaneAtHand) -> StepOutcome:
    """A token that registers, once nobody has the lane's name (M61)."""
    if (taken := _taken(at)) is not None:
        return taken
    return _asked(at.hold_token(at.github.registration_token(at.desired.scope)))


def ask_remove_token(at: LaneAtHand) -> StepOutcome:
    """A token that takes a registration back."""
    return _asked(at.hold_token(at.github.remove_token(at.desired.scope)))


def configure(at: LaneAtHand) -> StepOutcome:
    """config.sh on the host, and then whose registration that is, by both who know it."""
    if (taken := _taken(at)) is not None:
        return taken
    return _after_configure(at, _with_token(at, "configure"))


def unconfigure(at: LaneAtHand) -> StepOutcome:
    """config.sh takes the registration back, once GitHub shows no job on it."""
    if (why := still_works(at)) is not None:
        return failed(why)
    return after_removal(at, _with_token(at, "unconfigure"))


def unconfigure_here(at: LaneAtHand) -> StepOutcome:
    """The host forgets a registration that GitHub does not have."""
    listing = _listing(at)
    if any(runner.id == at.desired.agent_id for runner in listing):
        return said("raced", f"GitHub lists runner {at.desired.agent_id} after all: it is not forgotten here.")
    return after_removal(at, at.host.take("unconfigure-here", at.desired))


def remove_registration(at: LaneAtHand) -> StepOutcome:
    """GitHub deletes the runner of our own record, and no other (L6)."""
    ours = at.desired.agent_id
    if ours is None:
        raise Refused("runner_not_ours", "No runner is on record as ours: none is deleted.")
    if (why := still_works(at)) is not None:
        return failed(why)
    try:
        deleted = at.github.delete_runner(at.desired.scope, ours, our_id=ours)
    except GithubUnreachable as problem:
        return unknown(problem.sentence, {"code": problem.code})
    try:
        left = [runner for runner in _listing(at) if runner.id == ours]
    except Problem as problem:
        return unknown(f"GitHub deleted runner {ours}, and could not be listed since: {problem.sentence}")
    if left:
        return failed(f"GitHub said that runner {ours} is gone, and lists it. {PLAN_AGAIN}")
    at.record_agent(None)
    how = "deleted" if deleted.was_there else "had been gone"
    return done(f"Runner {ours} of {at.desired.scope}: {how}.", {"request_id": deleted.request_id})


def recorded(at: LaneAtHand, seen: Registered) -> dict[str, Json]:
    """Put what is proven on record at once, so that nothing registers it a second time."""
    if seen.agent_id is not None and seen.agent_id != at.desired.agent_id:
        at.record_agent(seen.agent_id)
    return {"agent_id": seen.agent_id, "agreement": seen.why}


def after_removal(at: LaneAtHand, outcome: StepOutcome) -> StepOutcome:
    """What both places say once a registration was to be taken back; our record follows when it is gone in both."""
    if outcome.outcome == "unknown":
        return outcome

    def is_over(seen: Removed) -> bool:
        return seen.gone is True or outcome.outcome != "done"

    seen = waiting.until(lambda: removed(at.desired, at.observe()), is_over, waiting.LISTED)
    if seen.gone:
        at.record_agent(None)
        return outcome
    if outcome.outcome != "done":
        return outcome
    detail = f"It is not known to be gone everywhere. {seen.why} {PLAN_AGAIN}"
    return failed(detail, outcome.evidence) if seen.gone is False else unknown(detail, outcome.evidence)


def still_works(at: LaneAtHand) -> str | None:
    """Why the registration may not be taken back yet; GitHub shows a listener that has ended for a minute more."""
    ours = at.desired.agent_id
    if ours is None:
        return "No runner is on record as ours."

    def look() -> GithubRunner | None:
        return at.github.runner(at.desired.scope, ours).runner

    seen = waiting.until(look, lambda runner: runner is None or not (runner.online or runner.busy), waiting.OFFLINE)
    if seen is None or not (seen.online or seen.busy):
        return None
    what = "busy" if seen.busy else "online"
    return f"GitHub still shows runner {ours} {what}: its registration is kept. {PLAN_AGAIN}"


def _taken(at: LaneAtHand) -> StepOutcome | None:
    """Somebody was faster: a runner of that name has appeared. It is not ours, and nothing replaces it."""
    found = [runner for runner in _listing(at) if same(runner.name, at.desired.lane_name)]
    if not found:
        return None
    ids = ", ".join(str(runner.id) for runner in found)
    at.drop_token()
    return said("raced", f"GitHub lists runner {ids} of that name since it was planned. Nothing was registered.")


def _listing(at: LaneAtHand) -> tuple[GithubRunner, ...]:
    """All runners of the scope, now. Raises GithubProblem, and Waits for a listing that proves nothing."""
    listing = at.github.listing(at.desired.scope)
    if not listing.complete:
        raise Waits("listing_incomplete", f"GitHub did not list all runners: {listing.why_incomplete}")
    return listing.runners


def _asked(token: OneTimeToken) -> StepOutcome:
    until = token.expires_at
    evidence: dict[str, Json] = {"request_id": token.request_id, "expires_at": until.isoformat()}
    return done(f"A token until {until:%H:%M} UTC, held in memory for the next step alone.", evidence)


def _with_token(at: LaneAtHand, verb: Verb) -> StepOutcome:
    """One run of config.sh, with the token as payload. Whatever becomes of it, the token is dropped then."""
    try:
        token = at.token()
        if token.expires_at - LEFT < timezone.now():
            return failed("The token has expired meanwhile. Plan the lane again: that asks for a new one.")
        asking = requests.asking(verb, at.desired)
        return of_answer(at.host.ask(asking, payload=token.reveal().encode() + b"\n"))
    except AnswerLost as lost:
        return unknown(lost.sentence, {"code": lost.code})
    finally:
        at.drop_token()


def _after_configure(at: LaneAtHand, outcome: StepOutcome) -> StepOutcome:
    """Also what a config.sh that failed has registered goes on record: the next plan adopts it, and makes no other."""
    if outcome.outcome == "unknown" or "registration" not in outcome.evidence:
        return outcome
    seen = waiting.until(lambda: registered(at.desired, at.observe()), lambda now: not now.may_change, waiting.LISTED)
    evidence = {**outcome.evidence, **recorded(at, seen)}
    if outcome.outcome == "done" and seen.agent_id is not None:
        return done(f"Registered as runner {seen.agent_id} of {at.desired.scope}.", evidence)
    detail = f"{outcome.detail} {seen.why}"
    return unknown(detail, evidence) if seen.may_change else failed(detail, evidence)
