"""One measurement of an engine: a cold pull if that can be had, a warm pull, and a build if one is given.

It pulls and builds, which adds. It removes nothing, so it never makes anything cold.
"""

from datetime import UTC, datetime

from hygiene.proof.access_log import AccessLog
from hygiene.proof.build import BuildAsked, build
from hygiene.proof.contracts import MANIFEST_CHECKS, MANIFEST_SECONDS, Budget, Measurement, Pull
from hygiene.proof.engine import Present, ProofEngine
from hygiene.proof.progress import pulled_layers, shared_layers
from launchplane.problems import Problem

NOT_COLD = "It was there already: nothing here removes an image to make it cold."
NO_LOG = "Nobody counted: no access log of the registry was given."


def measure(
    engine: ProofEngine, image: str, *, log: AccessLog | None = None, built: BuildAsked | None = None
) -> Measurement:
    """Pull `image` until it is warm, and build. Raises what a pull, a build or the log raises."""
    cold = None if engine.image(image) is not None else pull(engine, image, log=log)
    warm = pull(engine, image, log=log)
    unmeasured = {} if cold is not None else {"cold": NOT_COLD}
    if built is None:
        unmeasured["build"] = "No build was given."
    if log is None:
        unmeasured["budget"] = NO_LOG
    return Measurement(
        engine_id=engine.engine_id,
        image=image,
        at=datetime.now(UTC),
        cold=cold,
        warm=warm,
        build=None if built is None else build(engine.url, built),
        budget=_budget(log),
        unmeasured=unmeasured,
    )


def pull(engine: ProofEngine, image: str, *, log: AccessLog | None = None) -> Pull:
    """One pull, within the registry's budget of manifest checks if its log is given."""
    if log is not None:
        log.require_left(datetime.now(UTC))
    checks = _checks(log)
    was_there = engine.image(image) is not None
    pulled = engine.pull(image)
    now = engine.image(image)
    if now is None:
        raise Problem("not_pulled", f"The engine said it had pulled {image}, and it is not there.")
    layers = pulled_layers(pulled.messages, len(now.layers))
    shared = _shared(engine, now)
    counted = _checks(log)
    return Pull(
        image=image,
        image_id=now.id,
        state="warm" if was_there else "cold",
        duration_ms=pulled.duration_ms,
        layers_loaded=layers.loaded if layers else None,
        layers_already_there=layers.already_there if layers else None,
        layers_shared=shared,
        manifest_checks=None if counted is None or checks is None else counted - checks,
        unmeasured=_unmeasured(layers=layers is None, shared=shared is None, checks=counted is None),
    )


def _unmeasured(*, layers: bool, shared: bool, checks: bool) -> dict[str, str]:
    """Why each figure is missing, where it is."""
    reasons = {
        "layers_loaded": ("What the engine said of layers does not add up to those of the image.", layers),
        "layers_already_there": ("What the engine said of layers does not add up to those of the image.", layers),
        "layers_shared": ("There are too many images to ask for the layers of each.", shared),
        "manifest_checks": (NO_LOG, checks),
    }
    return {field: why for field, (why, missing) in reasons.items() if missing}


def _shared(engine: ProofEngine, image: Present) -> int | None:
    others = engine.layers_of_others(image)
    return None if others is None else shared_layers(image.layers, others)


def _checks(log: AccessLog | None) -> int | None:
    return None if log is None else sum(one.is_manifest_check for one in log.asked())


def _budget(log: AccessLog | None) -> Budget:
    if log is None:
        return Budget(limit=MANIFEST_CHECKS, window_seconds=MANIFEST_SECONDS, counted=None, left=None)
    return log.budget(datetime.now(UTC))
