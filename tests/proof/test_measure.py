"""Pulls and builds of a real engine from a real registry, and what is counted of them."""

from pathlib import Path

import docker
import pytest

from hygiene.proof.access_log import AccessLog
from hygiene.proof.build import TAG, build
from hygiene.proof.engine import ProofEngine
from hygiene.proof.measure import measure, pull
from launchplane.hosts.errors import EngineUnavailable
from launchplane.problems import Problem, Waits
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import image_ids
from tests.faults import Behaviour, EngineSocket, hangs, plain_engine, raw, says
from tests.proof.things import LAYERS, an_image_in, something_to_build
from tests.registry import Registry

pytestmark = pytest.mark.engine


def in_a_stream(body: bytes) -> Behaviour:
    """Answers as an engine does that does not know yet what it will say."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return raw(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))


@pytest.mark.req("P21")
@pytest.mark.req("P22")
def test_the_first_pull_is_cold_and_the_second_one_loads_no_layer(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry, log: AccessLog
) -> None:
    image = an_image_in(registry, client, "alone")

    seen = measure(engine, image, log=log)

    assert seen.cold is not None
    assert (seen.cold.state, seen.cold.layers_loaded, seen.cold.layers_already_there) == ("cold", LAYERS, 0)
    assert (seen.warm.state, seen.warm.layers_loaded, seen.warm.layers_already_there) == ("warm", 0, LAYERS)
    assert seen.cold.image_id == seen.warm.image_id == client.images.get(image).id


@pytest.mark.req("P22")
def test_the_registry_itself_saw_no_layer_fetched_by_the_warm_pull(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry, log: AccessLog
) -> None:
    image = an_image_in(registry, client, "alone")
    pull(engine, image)
    before = log.asked()

    warm = pull(engine, image)

    since = log.asked()[len(before) :]
    assert warm.layers_loaded == sum(asked.is_blob for asked in since) == 0


@pytest.mark.req("P21")
def test_an_image_that_was_there_is_never_called_cold_and_never_removed(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry
) -> None:
    image = an_image_in(registry, client, "alone")
    client.images.pull(image)
    before = image_ids(client)

    seen = measure(engine, image)

    assert (seen.cold, seen.warm.state) == (None, "warm")
    assert seen.unmeasured["cold"] == "It was there already: nothing here removes an image to make it cold."
    assert image_ids(client) == before


@pytest.mark.req("P24")
def test_layers_shared_with_another_image_are_counted_apart(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry
) -> None:
    other, image = (an_image_in(registry, client, name) for name in ("other", "image"))
    alone = pull(engine, other)

    cold = pull(engine, image)

    assert (alone.layers_loaded, alone.layers_shared) == (LAYERS, 0)
    assert (cold.layers_loaded, cold.layers_already_there, cold.layers_shared) == (1, LAYERS - 1, LAYERS - 1)


def test_a_tag_that_was_moved_loads_what_is_new_and_is_warm_by_name_only(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry
) -> None:
    image = an_image_in(registry, client, "moved", version="1")
    first = pull(engine, image)
    client.images.remove(image)
    an_image_in(registry, client, "moved", version="2")

    seen = measure(engine, image)

    assert seen.cold is not None
    assert seen.warm.image_id != first.image_id
    assert (seen.warm.layers_loaded, seen.warm.layers_already_there) == (0, LAYERS)


@pytest.mark.req("P26")
def test_manifest_checks_are_counted_by_the_registrys_own_log(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry, log: AccessLog
) -> None:
    image = an_image_in(registry, client, "counted")
    counted = sum(asked.is_manifest_check for asked in log.asked())

    cold, warm = pull(engine, image, log=log), pull(engine, image, log=log)

    assert cold.manifest_checks is not None
    assert warm.manifest_checks is not None
    assert cold.manifest_checks > warm.manifest_checks > 0
    now = sum(asked.is_manifest_check for asked in log.asked())
    assert now - counted == cold.manifest_checks + warm.manifest_checks


@pytest.mark.req("P26")
def test_without_a_log_nobody_claims_to_have_counted(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry
) -> None:
    seen = measure(engine, an_image_in(registry, client, "uncounted"))

    assert (seen.warm.manifest_checks, seen.budget.counted, seen.budget.left) == (None, None, None)
    assert seen.warm.unmeasured["manifest_checks"] == "Nobody counted: no access log of the registry was given."


@pytest.mark.req("P26")
def test_a_pull_that_the_budget_does_not_cover_is_not_begun(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry
) -> None:
    image = an_image_in(registry, client, "too-many")
    pull(engine, image)
    before = AccessLog(registry.log).asked()

    with pytest.raises(Waits, match="Nothing was pulled"):
        pull(engine, image, log=AccessLog(registry.log, limit=1))

    assert AccessLog(registry.log).asked() == before


def test_an_image_that_the_registry_does_not_have_is_a_clear_error(engine: ProofEngine, registry: Registry) -> None:
    with pytest.raises(Problem, match=r"The engine refused the pull of .*nowhere") as raised:
        measure(engine, f"{registry.address}/proof/nowhere:1")

    assert raised.value.code == "engine_refused"


def test_where_no_engine_answers_that_is_said() -> None:
    with pytest.raises(EngineUnavailable, match="There is no socket"):
        ProofEngine("unix:///nowhere/docker.sock")


def test_a_pull_that_ends_in_an_error_is_no_measurement() -> None:
    missing = says({"message": "No such image"}, status=404)
    broken = in_a_stream(b'{"status":"Pulling fs layer","id":"1"}\n{"error":"unexpected EOF"}\n')
    answers = plain_engine() | {"/images/app:1/json": missing, "/images/create": broken}

    with EngineSocket(answers) as door, pytest.raises(Problem, match="unexpected EOF"):
        pull(ProofEngine(door.url), "app:1")


def test_a_pull_that_never_ends_is_given_up() -> None:
    with EngineSocket(plain_engine() | {"/images/create": hangs}) as door:
        engine = ProofEngine(door.url)
        with pytest.raises(Problem, match=r"did not answer for the pull of app:1 within 0\.2 s"):
            engine.pull("app:1", seconds=0.2)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("app", "tag=latest&fromImage=app"),
        ("host:5000/app", "tag=latest&fromImage=host%3A5000%2Fapp"),
        ("host:5000/app:1", "tag=1&fromImage=host%3A5000%2Fapp"),
        ("app@sha256:12", "tag=sha256%3A12&fromImage=app"),
    ],
)
def test_exactly_one_tag_is_asked_for(name: str, query: str) -> None:
    with EngineSocket(plain_engine() | {"/images/create": in_a_stream(b"{}")}) as door:
        ProofEngine(door.url).pull(name)

    assert door.requests[-1].query == query


@pytest.mark.req("H33")
def test_a_build_that_the_builder_knows_runs_no_step(
    client: docker.DockerClient, engine: ProofEngine, registry: Registry, proof_engine: PrivateEngine, tmp_path: Path
) -> None:
    image = an_image_in(registry, client, "base")
    pull(engine, image)
    asked = something_to_build(tmp_path, image)

    first, again = build(proof_engine.url, asked), build(proof_engine.url, asked)

    assert (first.steps_run, first.steps_cached) == (2, 0)
    assert (again.steps_run, again.steps_cached) == (0, 2)
    assert client.images.get(TAG).tags == [TAG]


def test_a_build_that_fails_says_why(proof_engine: PrivateEngine, client: docker.DockerClient, tmp_path: Path) -> None:
    asked = something_to_build(tmp_path, "scratch", "broken")
    (asked.context / "Dockerfile").write_text("FROM scratch\nCOPY missing /\n")

    with pytest.raises(Problem, match="missing") as raised:
        build(proof_engine.url, asked)

    assert raised.value.code == "build_failed"


def test_measuring_sends_nothing_that_could_remove_anything(
    client: docker.DockerClient, proof_engine: PrivateEngine, registry: Registry
) -> None:
    image = an_image_in(registry, client, "watched")

    with EngineSocket(upstream=str(proof_engine.socket)) as recorder:
        measure(ProofEngine(recorder.url), image)

    sent = {(request.method, request.path) for request in recorder.requests if request.method != "GET"}
    assert sent == {("POST", "/images/create")}
