"""Which lanes a host is to have: asked of whoever keeps their records, since hosts know of no lanes by themselves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from launchplane.hosts.models import Host


@dataclass(frozen=True, slots=True)
class LaneThere:
    """One lane as host.json names it. `root` holds its folder, which has its name; `scope` is whose jobs it takes."""

    name: str
    user: str
    root: str
    scope: str

    @property
    def home(self) -> str:
        """Its user's home, beside every lane's folder."""
        return f"{self.root}/homes/{self.user}"

    @property
    def unit(self) -> str:
        """Its systemd unit (M13)."""
        return f"launchplane-runner@{self.name}.service"


Read = Callable[[Host], Iterable[LaneThere]]
_reads: list[Read] = []


def register(read: Read) -> None:
    """Have `read` asked for the lanes of a host, whenever that is installed or checked."""
    if read not in _reads:
        _reads.append(read)


def lanes_on(host: Host | None) -> tuple[LaneThere, ...]:
    """Every lane of `host`, by name; none of a host that is not added yet."""
    if host is None:
        return ()
    return tuple(sorted((lane for read in _reads for lane in read(host)), key=lambda lane: lane.name))
