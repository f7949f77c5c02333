"""Who holds a volume by a folder or a template: nobody can name it, and it is in use all the same."""

import pytest

from hygiene.contracts import Class, Kind, Mount, Service
from hygiene.undo import LONGEST_LABEL, MOST_LABELS, of_volume
from tests.factories import a_container, a_volume, an_image, an_inventory
from tests.hygiene.judging import policy, verdict

FOLDER = "/var/lib/docker/volumes/data"


def of_a_service(source: str) -> Service:
    return Service(id="s", name="db", stack=None, image="db:1", wanted=0, running=0, volumes=(source,))


@pytest.mark.req("X1")
@pytest.mark.parametrize(
    ("source", "used"),
    [
        (f"{FOLDER}/_data", True),
        (f"{FOLDER}/_data/tables/", True),
        (f"/{FOLDER}", True),
        ("/var/lib/docker/volumes", False),
        ("/", False),
        ("/var/lib/docker/volumes/data2/_data", False),
        ("/srv/data", False),
    ],
)
@pytest.mark.parametrize("by", ["container", "service"])
def test_whoever_mounts_a_volumes_folder_or_one_in_it_uses_it(source: str, used: bool, by: str) -> None:
    mounts = [Mount(kind="bind", source=source, destination="/data")]
    host = an_inventory(containers=[a_container("db", an_image(), mounts=mounts)], volumes=[a_volume("data")])
    if by == "service":
        host = an_inventory(volumes=[a_volume("data")]).model_copy(update={"services": (of_a_service(source),)})

    found = verdict(host, Kind.VOLUME, "data", policy())

    assert found.cls == (Class.IN_USE if used else Class.KEPT)


@pytest.mark.req("X1")
def test_while_a_service_names_its_volume_by_a_template_no_volume_is_known_to_be_unused() -> None:
    service = of_a_service("{{.Service.Name}}-{{.Task.Slot}}")
    host = an_inventory(volumes=[a_volume("db-1")]).model_copy(update={"services": (service,)})

    found = verdict(host, Kind.VOLUME, "db-1", policy())

    assert (found.cls, found.rule) == (Class.UNKNOWN, "volume.template")
    assert "service db" in found.reason


def test_labels_are_kept_up_to_a_number_and_a_length_and_what_was_cut_is_said() -> None:
    many = {f"label-{number:05}": "x" * 70_000 for number in range(5_000)}

    kept, few = of_volume(a_volume("data", labels=many)).data, of_volume(a_volume("data", labels={"a": "b"})).data

    assert isinstance(kept["labels"], dict) and len(kept["labels"]) == MOST_LABELS
    assert {len(str(value)) for value in kept["labels"].values()} == {LONGEST_LABEL}
    assert str(kept["labels_cut"]).startswith("64 of 5000 labels are kept")
    assert (few["labels"], "labels_cut" in few) == ({"a": "b"}, False)
