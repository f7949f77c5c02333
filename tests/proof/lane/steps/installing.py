"""The host and the lane as people set them up: commands at a shell, and forms in the browser."""

import json

from tests.fakes.runner.package import package
from tests.proof.lane.place import HOST, LABELS, LANE, MANAGED, ROOT, SCOPE, THEIR_UNIT, USER, Place
from tests.proof.lane.record import Evidence, require


def installed(place: Place) -> Evidence:
    """M58: `hosts install --apply` over an administrator's ssh, and then the host is added by its key's fingerprint."""
    admin = f"{place.host.user}@{place.host.address}"
    shown = place.shell.plain("hosts", "install", HOST)
    place.keep("install.txt", shown)
    place.shell.json("hosts", "install", HOST, "--admin", admin, "--apply")
    fingerprint = place.host.must(["ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"]).split()[1]
    ssh = ["--connection", "ssh", "--ssh", f"launchplane@{place.host.address}", "--fingerprint", fingerprint]
    added = place.shell.json("hosts", "add", HOST, *ssh)
    engine = place.host.must(["docker", "info", "--format", "{{.ID}}"]).strip()
    require(added["engine_id"] == engine, f"the engine pinned is {added['engine_id']}, the host's is {engine}")
    return {"shown": "install.txt", "fingerprint": fingerprint, "added": added}


def on_record(place: Place) -> Evidence:
    """M10, L3: the host's settings, a grant and the lane, each typed into its page; then the host is told of it."""
    operator = place.operator
    address = f"/admin/hosts/host/{_number(place)}/change/"
    settings = {"approved": "on", "lanes_enabled": "on", "hygiene_enabled": "on", "managed_label": MANAGED}
    operator.send(address, "", runner_roots=ROOT, service_users=USER, **settings)
    grant = {"host": _number(place), "scope": SCOPE, "max_lanes": "1", "reason": "the live proof"}
    operator.send("/admin/lanes/lanegrant/add/", "", **grant)
    lane = {"host": _number(place), "name": LANE, "scope": SCOPE, "registration_root": ROOT, "service_user": USER}
    operator.send("/admin/lanes/lane/add/", "", **lane, labels="\n".join(LABELS), runner_version_policy="fixed")
    _tell_the_host(place)
    place.installed, place.their_start = place.contents(), started(place)
    listed = place.shell.json("lanes", "list")["lanes"]
    require([row["name"] for row in listed] == [LANE], f"the lanes on record are {listed}")
    return {"settings": settings, "grant": grant, "lane": lane, "labels": LABELS}


def _tell_the_host(place: Place) -> None:
    """Its administrator says where GitHub is and which package may be unpacked, installs again, and lets jobs build."""
    path, github = "/etc/launchplane/host.json", f"http://{place.host.gateway}:{place.github.port}"
    told = json.loads(place.host.must(["cat", path])) | {"github": github, "packages": [package().sha256]}
    place.host.must(["install", "-m", "0644", "/dev/stdin", path], stdin=json.dumps(told))
    admin = f"{place.host.user}@{place.host.address}"
    place.shell.json("hosts", "install", HOST, "--admin", admin, "--apply")
    place.host.must(["usermod", "--append", "--groups", "docker", USER])
    place.keep("host.json", place.host.must(["cat", path]))
    checks = place.shell.json("hosts", "check", HOST, ends=(0, 3))["checks"]
    require(checks and all(check["ok"] for check in checks), f"the check says {checks}")


def started(place: Place) -> tuple[str, str]:
    """Somebody else's runner: how often it was started again, and which start this is."""
    return place.show(THEIR_UNIT, "NRestarts"), place.show(THEIR_UNIT, "InvocationID")


def _number(place: Place) -> str:
    """Which row the host has in the admin: read off its own link there."""
    page = place.operator.read("/admin/hosts/host/")
    before, _, _ = page.partition(f'/change/">{HOST}<')
    return before.rsplit("/", 1)[1]
