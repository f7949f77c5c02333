"""A measurement and a proof in sentences, for people. Pure."""

from collections.abc import Iterator

from hygiene.proof.contracts import Budget, Build, CleanUp, Measurement, Proof, Pull, Redeployment
from launchplane.words import human_bytes, human_milliseconds

IN_WORDS = {"holds": "It stayed warm.", "fails": "It did not stay warm.", "not_proven": "Nothing is proven."}


def of_proof(proof: Proof) -> Iterator[str]:
    """Before, the clean-ups, after, and what that comes to."""
    yield "Before the clean-up:"
    yield from of_measurement(proof.before)
    yield from map(_of_clean_up, proof.clean_ups)
    yield "After the clean-up:"
    yield from of_measurement(proof.after)
    if proof.redeployment is not None:
        yield _of_redeployment(proof.redeployment)
    yield from _of_ratios(proof)
    yield f"{IN_WORDS[proof.verdict.outcome]} {' '.join(proof.verdict.reasons)}"


def of_measurement(seen: Measurement) -> Iterator[str]:
    """Each figure, or why there is none."""
    yield _of_pull(seen.cold) if seen.cold else f"  cold pull: not measured. {seen.unmeasured.get('cold', '')}"
    yield _of_pull(seen.warm)
    yield _of_build(seen.build) if seen.build else f"  build: not measured. {seen.unmeasured.get('build', '')}"
    yield _of_budget(seen.budget, seen.unmeasured.get("budget", ""))


def _of_pull(pull: Pull) -> str:
    if pull.layers_loaded is None:
        layers = f"layers not measured ({pull.unmeasured.get('layers_loaded', 'nobody counted')})"
    else:
        layers = f"layers loaded: {pull.layers_loaded}, already there: {pull.layers_already_there}"
    shared = "not measured" if pull.layers_shared is None else pull.layers_shared
    checks = "not measured" if pull.manifest_checks is None else pull.manifest_checks
    took = human_milliseconds(pull.duration_ms)
    return f"  {pull.state} pull: {took}; {layers}, shared with another image: {shared}; manifest checks: {checks}."


def _of_build(build: Build) -> str:
    took = human_milliseconds(build.duration_ms)
    if build.steps_run is None:
        return f"  build: {took}; steps not measured ({build.unmeasured.get('steps_run', 'nobody counted')})."
    return f"  build: {took}; steps run: {build.steps_run}, known from the cache: {build.steps_cached}."


def _of_budget(budget: Budget, why: str) -> str:
    window = f"{budget.limit} in {budget.window_seconds // 3600} h"
    if budget.counted is None:
        return f"  manifest checks: not measured, of {window}. {why}"
    return f"  manifest checks: {budget.counted} of {window}, {budget.left} left."


def _of_clean_up(change: CleanUp) -> str:
    people = f"asked for by {change.requested_by}, approved by {change.approved_by}"
    freed = human_bytes(change.freed_bytes)
    return f"Change {change.change} ({change.kind}, {people}): {change.status}, {freed} freed. {change.sentence}"


def _of_redeployment(seen: Redeployment) -> str:
    kept = "its image stayed" if seen.image_kept else "its image went too"
    again = "runs again" if seen.runs_again else "does not run again"
    counted = f"layers loaded for it: {seen.layers_loaded}, manifest checks: {seen.manifest_checks}"
    return f"A service was removed: {kept}. It {again}; {counted}."


def _of_ratios(proof: Proof) -> Iterator[str]:
    for what, percent in (("pull", proof.verdict.pull_percent), ("build", proof.verdict.build_percent)):
        if percent is not None:
            yield f"The warm {what} took {percent} % of the time it took before."
