"""The whole proof, through the engine of changes, on a real engine with a real registry."""

import json
from pathlib import Path

import docker
import pytest
from pytest_django import Settings

from hygiene.proof import sentences
from hygiene.proof.access_log import AccessLog
from hygiene.proof.contracts import Proof
from hygiene.proof.engine import ProofEngine
from hygiene.proof.measure import measure
from hygiene.proof.verdict import judge
from launchplane.changes.models import Change
from launchplane.sandbox.dockerd import PrivateEngine
from tests.hygiene_changes.ways import BUILD_CACHE
from tests.proof.__main__ import run
from tests.proof.sequence import a_host_to_clean, clean
from tests.proof.things import a_superseded_build, an_image_in, something_to_build
from tests.registry import Registry

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture(autouse=True)
def quickly(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.req("H19")
@pytest.mark.req("H33")
@pytest.mark.req("P21")
@pytest.mark.req("P22")
@pytest.mark.req("P23")
@pytest.mark.req("P26")
def test_pull_build_and_service_stay_warm_through_approved_clean_ups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `script/proof warm` does it, but for the database."""
    assert run(tmp_path, as_json=True) == 0

    proof = Proof.model_validate_json(capsys.readouterr().out)
    assert proof.verdict.outcome == "holds", proof.verdict.reasons
    assert proof.before.cold is not None
    assert proof.before.cold.layers_loaded == 1
    assert [one.status for one in proof.clean_ups] == ["completed", "completed"]
    assert all(one.items_done and one.requested_by != one.approved_by for one in proof.clean_ups)
    assert proof.redeployment is not None
    assert (proof.redeployment.image_kept, proof.redeployment.layers_loaded) == (True, 0)
    assert proof.after.budget.counted is not None
    assert proof.after.budget.left == 200 - proof.after.budget.counted
    assert list(sentences.of_proof(proof))[-1].startswith("It stayed warm.")


@pytest.mark.req("H33")
def test_a_clean_up_that_takes_the_builders_cache_is_found_out(
    client: docker.DockerClient, proof_engine: PrivateEngine, registry: Registry, log: AccessLog, tmp_path: Path
) -> None:
    """The image of the build is gone, so nothing but the budget holds its cache; and the budget holds nothing."""
    image = an_image_in(registry, client, "cold-build")
    engine, built = ProofEngine(proof_engine.url), something_to_build(tmp_path, image)
    measure(engine, image, log=log, built=built)
    before = measure(engine, image, log=log, built=built)
    host = a_host_to_clean(proof_engine, image)
    for found in client.images.list(filters={"dangling": False}):
        if image not in found.tags:
            client.images.remove(found.id)

    clean_ups = clean(host, BUILD_CACHE)
    after = measure(engine, image, log=log, built=built)

    verdict = judge(before, after, clean_ups=clean_ups)
    assert verdict.outcome == "fails"
    assert "The build had to run 2 steps again that the cache knew before the clean-up." in verdict.reasons


@pytest.mark.req("H32")
@pytest.mark.req("H33")
def test_the_image_that_is_proven_is_one_that_every_run_verifies(
    client: docker.DockerClient, proof_engine: PrivateEngine, registry: Registry, tmp_path: Path
) -> None:
    image = an_image_in(registry, client, "required")
    client.images.pull(image)
    a_superseded_build(proof_engine.url, client, something_to_build(tmp_path, image))

    clean(a_host_to_clean(proof_engine, image), BUILD_CACHE)

    warm = json.loads(Change.objects.get().after)["facts"]["warm_images"]
    assert [(one["ref"], one["present"]) for one in warm] == [(image, True)]
