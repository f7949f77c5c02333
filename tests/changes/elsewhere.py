"""What another process does with the engine: `python -m tests.changes.elsewhere prepare FOLDER | show ID | …`.

Each prints one JSON document. With LAUNCHPLANE_DATABASE_URL it may be another database than the tests' own.
"""

import json
import sys
from pathlib import Path

import django


def prepare(folder: str) -> object:
    """An approved change of a new host with three files, by its id."""
    from tests.changes.ways import a_folder_host, approved
    from tests.factories import a_person

    host = a_folder_host(Path(folder))
    return str(approved(host, a_person(), a_person("approver", group="Approvers")).pk)


def show(change_id: str) -> object:
    """Status and outcomes."""
    from launchplane.changes.requests import find_change
    from tests.changes.ways import outcomes

    change = find_change(change_id)
    return [change.status, outcomes(change)]


def recover(change_id: str) -> object:
    """The same, after a recovery."""
    from launchplane.changes.recover import recover

    recover()
    return show(change_id)


def apply(change_id: str) -> object:
    """The same, after a worker's task."""
    from launchplane.changes.apply import apply_queued

    apply_queued(change_id)
    return show(change_id)


def routine(host_id: str) -> object:
    """What the schedule of the routine says."""
    from launchplane.changes.kinds import kind_named
    from launchplane.changes.routine import run_routine
    from launchplane.hosts.models import Host
    from tests.changes import toy

    kind = kind_named(toy.ROUTINE)
    assert kind is not None
    return run_routine(kind, Host.objects.get(pk=host_id))


def main(name: str, argument: str) -> None:
    django.setup()
    from tests.changes import toy

    toy.register_toys()
    do = {"prepare": prepare, "show": show, "recover": recover, "apply": apply, "routine": routine}[name]
    print(json.dumps(do(argument)))


if __name__ == "__main__":
    main(*sys.argv[1:])
