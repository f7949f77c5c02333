"""`script/bench lanes`: how long planning a fleet takes: 10,000 lanes over 200 repositories, one look at each.

Planning computes and waits for nothing: the bound is on its processor time, and on the least of some rounds, so that
what else runs does not count.
"""

import os
import platform
from collections import Counter
from datetime import UTC, datetime
from time import perf_counter, process_time

from lanes.contracts import Baseline, Desired, Directory, GithubRunner, Grant, Listing, Observed, Service
from lanes.names import required_labels, unit_name
from lanes.plan.assemble import plan_lane
from lanes.plan.scene import Fleet, HostFacts

REPOSITORIES, LANES_EACH, HOSTS = 200, 50, 40
ROUNDS = 5
SECONDS_AT_MOST = 2.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = "/srv/runners"
READY = Baseline(checks={"service_user": True, "docker_isolation": True, "toolchain": True, "disk": True}, reasons={})


def main() -> int:
    """Measure, print, and return 1 if the bound is broken."""
    print(f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}")
    wanted = [lane(number) for number in range(REPOSITORIES * LANES_EACH)]
    listings = listings_of(wanted)
    looks = [look(number, desired, listings[desired.scope]) for number, desired in enumerate(wanted)]
    hosts, grants = hosts_of(wanted), grants_of(wanted)
    busy, passed = [], []
    for _ in range(ROUNDS):
        started, clock = process_time(), perf_counter()
        answers = planned(Fleet(hosts, grants, wanted), wanted, looks)
        busy.append(process_time() - started)
        passed.append(perf_counter() - clock)
    seconds = min(busy)
    print(", ".join(f"{number} {kind}" for kind, number in sorted(answers.items())))
    print(
        f"{len(wanted)} lanes over {REPOSITORIES} repositories planned: {seconds:.2f} s of processor (at most "
        f"{SECONDS_AT_MOST:g}), {min(passed):.2f} s by the clock (the least of {ROUNDS})"
    )
    return int(seconds > SECONDS_AT_MOST)


def planned(fleet: Fleet, wanted: list[Desired], looks: list[Observed]) -> Counter[str]:
    """A whole plan of each lane, one after the other, and how many there are of each kind."""
    answers: Counter[str] = Counter()
    for desired, seen in zip(wanted, looks, strict=True):
        plan = plan_lane(fleet.scene(desired, seen))
        answers["blocked" if plan.blockers else plan.kind if plan.steps else "nothing to do"] += 1
    return answers


def lane(number: int) -> Desired:
    """The lanes of a repository are spread over the hosts, and each has a user of its own."""
    host, name = f"host-{number % HOSTS}", f"lane-{number}"
    return Desired(
        scope=f"acme/product-{number // LANES_EACH}",
        host_name=host,
        lane_name=name,
        registration_root=ROOT,
        service_user=f"u{number}",
        systemd_unit_name=unit_name(name),
        labels=(*required_labels(host), f"product-{number // LANES_EACH}"),
        runner_version_policy="update",
        managed=True,
        agent_id=number,
    )


def listings_of(wanted: list[Desired]) -> dict[str, Listing]:
    """One listing a repository; every tenth lane is not registered, and every tenth of the others has a wrong label."""
    runners: dict[str, list[GithubRunner]] = {}
    for number, desired in enumerate(wanted):
        of_scope = runners.setdefault(desired.scope, [])
        if number % 10:
            of_scope.append(
                GithubRunner(
                    id=number,
                    name=desired.lane_name,
                    os="Linux",
                    online=number % 10 != 2,
                    busy=number % 3 == 0,
                    labels=(*(desired.labels[:-1] if number % 10 == 1 else desired.labels), "Linux", "X64"),
                    version="2.337.0",
                )
            )
    return {
        scope: Listing(
            scope=scope,
            runners=tuple(found),
            total_count=len(found),
            complete=True,
            why_incomplete="",
            request_ids=("A1",),
            seen_at=NOW,
        )
        for scope, found in runners.items()
    }


def look(number: int, desired: Desired, listing: Listing) -> Observed:
    """What is not registered is not there at all; every tenth of the others could not be read."""
    there = number % 10 != 0
    place = desired.directory
    directory = Directory(
        path=place,
        exists=there,
        problem="",
        owner=desired.service_user if there else "",
        configured=there,
        agent_id=number if there else None,
        agent_name=desired.lane_name,
        github_url=f"https://github.com/{desired.scope}",
    )
    service = Service(
        unit=desired.systemd_unit_name,
        exists=there,
        ours=there,
        enabled=there,
        active_state="active" if there else "inactive",
        sub_state="running" if there else "dead",
        process_user=desired.service_user if there else "",
        working_directory=place,
        exec_start=f"{place}/run.sh",
        workers=0,
    )
    return Observed(
        lane_name=desired.lane_name,
        listing=listing,
        directory=directory,
        service=None if number % 10 == 3 else service,
        baseline=READY,
        condition="none",
        unmeasured={},
        seen_at=NOW,
    )


def hosts_of(wanted: list[Desired]) -> list[HostFacts]:
    users: dict[str, list[str]] = {}
    for desired in wanted:
        users.setdefault(desired.host_name, []).append(desired.service_user)
    return [
        HostFacts(
            name=name,
            identity=name,
            through="this machine",
            approved=True,
            lanes_enabled=True,
            runner_roots=(ROOT,),
            service_users=frozenset(own),
        )
        for name, own in users.items()
    ]


def grants_of(wanted: list[Desired]) -> list[Grant]:
    """As many lanes as there are."""
    counted = Counter((desired.host_name, desired.scope) for desired in wanted)
    return [Grant(host_name=host, scope=scope, max_lanes=most) for (host, scope), most in counted.items()]
