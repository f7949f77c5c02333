"""Taking one step of a lane's plan: each verb by the one way it has."""

from collections.abc import Callable, Mapping
from typing import Final, get_args

from lanes.acts import labelling, registering
from lanes.acts.at_hand import LaneAtHand
from lanes.acts.fetching import fetch
from lanes.plan.verbs import Verb
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.problems import Problem

_ACTS: Final[Mapping[Verb, Callable[[LaneAtHand], StepOutcome]]] = {
    "fetch": fetch,
    "ask-token": registering.ask_token,
    "ask-remove-token": registering.ask_remove_token,
    "configure": registering.configure,
    "unconfigure": registering.unconfigure,
    "unconfigure-here": registering.unconfigure_here,
    "remove-registration": registering.remove_registration,
}
_VERBS: Final[Mapping[str, Verb]] = {verb: verb for verb in get_args(Verb)}


def verb_of(step: PlannedStep) -> Verb:
    """What is to be done. Raises Problem `unknown_verb` for what is none of ours."""
    if step.verb not in _VERBS:
        raise Problem("unknown_verb", f"{step.verb} is nothing that is done to a lane.")
    return _VERBS[step.verb]


def take(at: LaneAtHand, step: PlannedStep) -> StepOutcome:
    """What became of it. Raises Problem where nothing was begun, or the one asked said no."""
    verb = verb_of(step)
    if verb == "set-labels":
        return labelling.set_labels(at, step)
    act = _ACTS.get(verb)
    return at.host.take(verb, at.desired) if act is None else act(at)
