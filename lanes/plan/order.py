"""Which verbs an action is made of, and in which order. Pure."""

from typing import Literal

from lanes.parts import Parts
from lanes.plan.case import Case
from lanes.plan.verbs import REGISTER, SUPERVISE, UNSUPERVISE, Verb


def verbs_for(case: Case) -> tuple[Verb, ...]:
    """What the action does, in order, from what is there. Whether it may is not decided here."""
    if case.shape == "unknown_conflict":
        return ()  # nobody can say what is there
    match case.action:
        case "create":
            return (*REGISTER, *SUPERVISE)
        case "adopt":
            return (*_labels(case), *_newer(case), *SUPERVISE)
        case "reconcile":
            return _reconciling(case)
        case "restart":
            return ("restart",) if unit_is(case, "enabled") else ("restart", "enable-now")
        case "remove":
            return _removing(case.parts)


def _reconciling(case: Case) -> tuple[Verb, ...]:
    """From what is there to what is wanted, with as little as does it."""
    parts = case.parts
    if parts.registration == "none":
        stop: tuple[Verb, ...] = () if parts.unit == "none" else ("stop",)
        clear: tuple[Verb, ...] = ("unconfigure-here",) if parts.folder == "ours" else ()
        return (*stop, *clear, *REGISTER, *SUPERVISE)
    if parts.folder != "ours":
        return ("remove-registration", *REGISTER, *SUPERVISE)
    return (*_labels(case), *_of_service(case))


def _of_service(case: Case) -> tuple[Verb, ...]:
    """What brings the runner's files, its unit and whether it runs to what they must be (M64: offline is not)."""
    newer, active, as_written = _newer(case), case.parts.unit == "active", unit_is(case, "ours")
    runs = active and unit_is(case, "enabled") and not newer
    offline = case.parts.runner is not None and not case.parts.runner.online
    stop: tuple[Verb, ...] = ("stop",) if newer and active else ()
    text: tuple[Verb, ...] = () if as_written else ("install-unit", "daemon-reload")
    start: tuple[Verb, ...] = () if runs else ("enable-now",)
    again: tuple[Verb, ...] = ("restart",) if active and not newer and (offline or not as_written) else ()
    return (*stop, *newer, *text, *start, *again)


def _removing(parts: Parts) -> tuple[Verb, ...]:
    """The unit first: what is left after a failure is then a registration that is provably ours, and offline."""
    unit: tuple[Verb, ...] = () if parts.unit == "none" else UNSUPERVISE
    if parts.folder == "ours":
        here: tuple[Verb, ...] = ("unconfigure-here",)
        return (*unit, *(here if parts.registration == "none" else ("ask-remove-token", "unconfigure")))
    return unit if parts.registration == "none" else (*unit, "remove-registration")


def _labels(case: Case) -> tuple[Verb, ...]:
    return ("set-labels",) if case.parts.labels else ()


def _newer(case: Case) -> tuple[Verb, ...]:
    """A runner whose version GitHub does not serve any more gets a newer one, where its record lets it (X13)."""
    return ("fetch",) if case.observed.condition == "version_deprecated" else ()


def unit_is(case: Case, word: Literal["enabled", "ours"]) -> bool:
    """Whether there is a unit, and it is so."""
    service = case.observed.service
    return service is not None and service.exists and (service.enabled if word == "enabled" else service.ours)
