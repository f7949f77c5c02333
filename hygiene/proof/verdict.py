"""Did it stay warm? Decided by counts alone; milliseconds are on record, and told as a ratio. Pure.

What was not measured was not proven: that is neither yes nor no.
"""

from collections.abc import Iterator, Sequence

from hygiene.proof.contracts import Build, CleanUp, Measurement, Outcome, Redeployment, Verdict
from launchplane.problems import Problem

Found = tuple[Outcome, str]
WORST_FIRST: tuple[Outcome, ...] = ("fails", "not_proven", "holds")


def judge(
    before: Measurement,
    after: Measurement,
    *,
    clean_ups: Sequence[CleanUp] = (),
    redeployment: Redeployment | None = None,
) -> Verdict:
    """Hold `after` against `before`. Raises Problem `not_comparable` for another engine or image."""
    if (before.engine_id, before.image) != (after.engine_id, after.image):
        raise Problem("not_comparable", "The two were measured on different engines, or with different images.")
    found = [*_pulls(before, after), *_builds(before.build, after.build), *_changes(clean_ups)]
    if redeployment is not None:
        found += _redeployed(redeployment)
    outcomes = {outcome for outcome, _ in found}
    return Verdict(
        outcome=next(one for one in WORST_FIRST if one in outcomes),
        reasons=tuple(sentence for _, sentence in found),
        pull_percent=_percent(before.warm.duration_ms, after.warm.duration_ms),
        build_percent=_percent(
            before.build.duration_ms if before.build else None, after.build.duration_ms if after.build else None
        ),
    )


def _pulls(before: Measurement, after: Measurement) -> Iterator[Found]:
    if after.cold is not None:
        yield "fails", f"{after.image} was gone after the clean-up: it had to be pulled anew."
    for when, side in (("before", before), ("after", after)):
        loaded = side.warm.layers_loaded
        if loaded is None:
            yield "not_proven", f"The layers of the warm pull {when} the clean-up could not be counted."
        elif side.warm.image_id != before.warm.image_id:
            yield "not_proven", f"The registry has another image under {side.image} by now: the pulls do not compare."
        elif loaded:
            yield (
                "fails" if side is after else "not_proven",
                f"The warm pull {when} the clean-up loaded {_layers(loaded)}.",
            )
        else:
            yield "holds", f"The warm pull {when} the clean-up loaded no layer."


def _builds(before: Build | None, after: Build | None) -> Iterator[Found]:
    if before is None and after is None:
        return
    if before is None or after is None or before.steps_run is None or after.steps_run is None:
        yield "not_proven", "The steps of a build could not be counted on both sides of the clean-up."
    elif before.steps_run:
        yield "not_proven", f"The builder was not warm: {_steps(before.steps_run)} ran before the clean-up already."
    elif after.steps_run:
        yield "fails", f"The build had to run {_steps(after.steps_run)} again that the cache knew before the clean-up."
    else:
        yield "holds", f"The build ran no step before or after the clean-up; {after.steps_cached} came from the cache."


def _changes(clean_ups: Sequence[CleanUp]) -> Iterator[Found]:
    """A clean-up that was not carried out proves nothing about what one does."""
    for one in clean_ups:
        if one.status != "completed":
            yield "not_proven", f"{one.kind} did not complete: {one.sentence}"
    if clean_ups and not any(one.items_done for one in clean_ups):
        yield "not_proven", "The clean-ups removed nothing, so nothing was at stake."


def _redeployed(seen: Redeployment) -> Iterator[Found]:
    if not seen.image_kept:
        yield "fails", "The image went with the service that was removed."
    elif not seen.runs_again:
        yield "fails", "The service did not run again after it had been removed."
    elif seen.layers_loaded:
        yield "fails", f"The service was deployed again by loading {_layers(seen.layers_loaded)}."
    else:
        yield "holds", "The service was removed, its image stayed, and it runs again without loading a layer."


def _percent(before_ms: int | None, after_ms: int | None) -> int | None:
    return None if after_ms is None or not before_ms else round(after_ms * 100 / before_ms)


def _layers(count: int) -> str:
    return f"{count} layer{'' if count == 1 else 's'}"


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"
