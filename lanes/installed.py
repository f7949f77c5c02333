"""Which lanes a host's programs are to know: every managed one that is on record."""

from collections.abc import Iterator

from lanes.models import Lane
from launchplane.hosts.install.lanes import LaneThere
from launchplane.hosts.models import Host


def lanes_there(host: Host) -> Iterator[LaneThere]:
    """For whoever installs or checks `host`."""
    for lane in Lane.objects.filter(host=host, managed=True):
        yield LaneThere(lane.name, lane.service_user, lane.registration_root, lane.scope)
