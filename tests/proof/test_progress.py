"""What an engine says while it pulls and builds, as recorded, and what must not be taken for it."""

from typing import Any

import pytest

from hygiene.proof.progress import build_steps, pull_error, pulled_layers, shared_layers

COLD: list[dict[str, Any]] = [
    {"status": "Pulling from proof/b", "id": "1"},
    {"status": "Already exists", "progressDetail": {}, "id": "1cd897f0a64d"},
    {"status": "Already exists", "progressDetail": {}, "id": "f493bd2a8626"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "e6720f3d2e50"},
    {"status": "Downloading", "progressDetail": {"current": 21, "total": 2097923}, "id": "e6720f3d2e50"},
    {"status": "Verifying Checksum", "progressDetail": {}, "id": "e6720f3d2e50"},
    {"status": "Download complete", "progressDetail": {}, "id": "e6720f3d2e50"},
    {"status": "Pull complete", "progressDetail": {}, "id": "e6720f3d2e50"},
    {"status": "Digest: sha256:4b3cc5daabacb6860ae5a0e0a6b1e4d4a8b46f05bfdd6b65dfabe5e461f63614"},
    {"status": "Status: Downloaded newer image for 127.0.0.1:5977/proof/b:1"},
]
WARM: list[dict[str, Any]] = [
    {"status": "Pulling from proof/a", "id": "1"},
    {"status": "Digest: sha256:a32fe589db83ac48d029e5bb6576a21086b3b87b94c2e91663d13d04cdfea242"},
    {"status": "Status: Image is up to date for 127.0.0.1:5977/proof/a:1"},
]
BUILT = """#1 [internal] load build definition from Dockerfile
#1 sha256:58cfbbeb439000056ef8b01bed7c23acc1fe659c3ddc24b5ad8f0973e7af524b
#1 DONE 0.0s

#3 [internal] load metadata for 127.0.0.1:5977/proof/a:1
#3 DONE 0.0s

#4 [1/3] FROM 127.0.0.1:5977/proof/a:1
#4 DONE 0.0s

#6 [2/3] COPY busybox /opt/busybox
#6 CACHED

#7 [3/3] RUN ["/opt/busybox","dd","if=/dev/urandom","of=/compiled","bs=1M","count=3"]
#7 0.102 #6 CACHED
#7 0.102 #7 CACHED
#7 DONE 0.1s

#8 exporting to image
#8 DONE 0.0s
"""


@pytest.mark.req("P24")
def test_a_cold_pull_tells_loaded_layers_from_those_that_were_there() -> None:
    assert pulled_layers(COLD, 3) == (1, 2)


@pytest.mark.req("P22")
def test_an_image_that_is_up_to_date_loaded_nothing() -> None:
    assert pulled_layers(WARM, 3) == (0, 3)


@pytest.mark.parametrize("in_image", [2, 4])
def test_layers_that_do_not_add_up_are_not_counted(in_image: int) -> None:
    assert pulled_layers(COLD, in_image) is None


def test_a_pull_that_says_nothing_is_not_counted() -> None:
    assert pulled_layers([], 3) is None


def test_an_error_in_the_middle_of_a_pull_is_seen() -> None:
    messages = [*COLD[:4], {"errorDetail": {"message": "toomanyrequests"}, "error": "toomanyrequests"}]

    assert pull_error(messages) == "toomanyrequests"
    assert pull_error(COLD) is None


def test_steps_that_ran_are_told_from_cached_ones_whatever_they_print() -> None:
    assert build_steps(BUILT) == (1, 1)


def test_steps_of_named_stages_count_too() -> None:
    assert build_steps("#5 [build 2/4] RUN make\n#5 CACHED\n#9 [stage-1 3/3] COPY --from=build / /\n#9 DONE 1.2s") == (
        1,
        1,
    )


def test_output_without_any_step_is_not_counted() -> None:
    assert build_steps("Sending build context to Docker daemon  2.048kB\nStep 1/3 : FROM scratch\n") is None


@pytest.mark.req("P24")
@pytest.mark.parametrize(
    ("others", "shared"),
    [
        ([], 0),
        ([("base", "other")], 1),
        ([("base", "other"), ("base", "runtime", "x")], 2),
        ([("runtime", "base")], 0),
        ([("base", "runtime", "app", "more")], 3),
    ],
)
def test_a_layer_is_shared_only_on_top_of_the_same_ones(others: list[tuple[str, ...]], shared: int) -> None:
    assert shared_layers(("base", "runtime", "app"), others) == shared
