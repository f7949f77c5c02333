"""The host and the lane as people set them up: commands at a shell, and forms in the browser."""

from tests.proof.lane.place import HOST, LABELS, LANE, MANAGED, ROOT, SCOPE, THEIR_UNIT, USER, Place
from tests.proof.lane.record import Evidence, require


def installed(place: Place) -> Evidence:
    """M58: `hosts install --apply` over an administrator's ssh; then the host is added, and nothing is missing."""
    raise NotImplementedError


def on_record(place: Place) -> Evidence:
    """M10, L3: the host's settings, a grant and the lane, each typed into its page."""
    operator = place.operator
    address = f"/admin/hosts/host/{_number(place)}/change/"
    settings = {"approved": "on", "lanes_enabled": "on", "hygiene_enabled": "on", "managed_label": MANAGED}
    operator.send(address, "", runner_roots=ROOT, service_users=USER, **settings)
    grant = {"host": _number(place), "scope": SCOPE, "max_lanes": "1", "reason": "the live proof"}
    operator.send("/admin/lanes/lanegrant/add/", "", **grant)
    lane = {"host": _number(place), "name": LANE, "scope": SCOPE, "registration_root": ROOT, "service_user": USER}
    operator.send("/admin/lanes/lane/add/", "", **lane, labels="\n".join(LABELS), runner_version_policy="fixed")
    place.installed = place.contents()
    place.their_start = started(place)
    listed = place.shell.json("lanes", "list")
    require([row["name"] for row in listed] == [LANE], f"the lanes on record are {listed}")
    return {"settings": settings, "grant": grant, "lane": lane, "labels": LABELS}


def started(place: Place) -> tuple[str, str]:
    """Somebody else's runner: how often it was started again, and which start this is."""
    return place.show(THEIR_UNIT, "NRestarts"), place.show(THEIR_UNIT, "InvocationID")


def _number(place: Place) -> str:
    """Which row the host has in the admin: read off its own link there."""
    page = place.operator.read("/admin/hosts/host/")
    before, _, _ = page.partition(f'/change/">{HOST}<')
    return before.rsplit("/", 1)[1]
