"""What can be done to a lane: each verb with the call that it needs, as whom, why, and how to get back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verb = Literal[
    "stop",
    "disable",
    "remove-unit",
    "unconfigure-here",
    "remove-registration",
    "fetch",
    "ask-token",
    "ask-remove-token",
    "configure",
    "unconfigure",
    "set-labels",
    "install-unit",
    "daemon-reload",
    "enable-now",
    "restart",
]
# M60: token, config.sh, helper
REGISTER: tuple[Verb, ...] = ("fetch", "ask-token", "configure")
SUPERVISE: tuple[Verb, ...] = ("install-unit", "daemon-reload", "enable-now")
UNSUPERVISE: tuple[Verb, ...] = ("stop", "disable", "remove-unit", "daemon-reload")
# each of these ends what the runner does, or takes from it what it needs to end it well
INTERRUPTING: frozenset[Verb] = frozenset({"stop", "restart", "unconfigure", "unconfigure-here", "remove-registration"})
# GitHub refuses these while it counts a job on the runner
UNREGISTERING: frozenset[Verb] = frozenset({"unconfigure", "remove-registration"})


@dataclass(frozen=True, slots=True)
class Way:
    """How a verb is done: the call that it needs, as whom, and in sentences why it is done and how to get back."""

    call: str
    user: Literal["root", "service user", "GitHub"]
    why: str
    back: str
    reversible: Literal["yes", "no"] = "yes"


PLAN_AGAIN = "Plan the lane again: what is missing is made again."
WAYS: Mapping[Verb, Way] = {
    "stop": Way("launchplane-unit stop", "root", "Nothing may run while this changes.", "Enable and start the unit."),
    "disable": Way("launchplane-unit disable", "root", "It must not start again by itself.", "Enable the unit."),
    "remove-unit": Way("launchplane-unit remove-unit", "root", "The lane needs no unit any more.", PLAN_AGAIN),
    "unconfigure-here": Way(
        "launchplane-runner unconfigure",
        "service user",
        "GitHub has no such registration any more.",
        "Plan the lane again: it is registered under a new id.",
        "no",
    ),
    "remove-registration": Way(
        "github delete-runner",
        "GitHub",
        "The registration is ours, and no directory belongs to it.",
        "Plan the lane again: it is registered under a new id.",
        "no",
    ),
    "fetch": Way(
        "launchplane-runner fetch",
        "service user",
        "GitHub's runner brings config.sh and run.sh.",
        "Its files do nothing by themselves.",
    ),
    "ask-token": Way(
        "github registration-token",
        "GitHub",
        "config.sh registers with it, once; nobody else sees it.",
        "It ends by itself within the hour.",
    ),
    "ask-remove-token": Way(
        "github remove-token",
        "GitHub",
        "config.sh takes the registration back with it; nobody else sees it.",
        "It ends by itself within the hour.",
    ),
    "configure": Way(
        "launchplane-runner configure",
        "service user",
        "The lane is not registered.",
        "Remove the lane: its registration is taken back.",
    ),
    "unconfigure": Way(
        "launchplane-runner unconfigure",
        "service user",
        "The registration is ours and not wanted any more.",
        "Plan the lane again: it is registered under a new id.",
        "no",
    ),
    "set-labels": Way("github set-labels", "GitHub", "Its labels are not those of its record.", "Set the old ones."),
    "install-unit": Way(
        "launchplane-unit install-or-update-unit", "root", "Its unit is not as it must be.", "Remove the unit."
    ),
    "daemon-reload": Way("launchplane-unit daemon-reload", "root", "systemd must read its units.", "Nothing to do."),
    "enable-now": Way("launchplane-unit enable-now", "root", "It must run, now and from every boot on.", "Stop it."),
    "restart": Way("launchplane-unit restart", "root", "It must start anew.", "Nothing to do: it runs again."),
}
