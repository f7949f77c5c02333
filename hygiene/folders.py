"""Which volumes a mount reaches, by name or through a folder, and which it may mean by a template. Pure."""

from collections.abc import Iterable
from itertools import chain

from hygiene.contracts import Mount, Volume
from onhost.engine.volume_paths import TEMPLATE, is_path, own_folder, upwards


class Folders:
    """The folders of an inventory's volumes; a mount costs its own depth, whatever the number of volumes."""

    def __init__(self, volumes: Iterable[Volume]) -> None:
        self._names: list[str] = []
        self._at: dict[str, list[str]] = {}
        for volume in volumes:
            self._names.append(volume.name)
            if is_path(volume.mountpoint):
                self._at.setdefault(own_folder(volume.mountpoint), []).append(volume.name)

    def reached(self, source: str) -> tuple[str, ...]:
        """The volumes that a mount of `source` holds: the one of that name, or the one in whose folder it is."""
        if not is_path(source):
            return (source,)
        return tuple(chain.from_iterable(self._at.get(folder, ()) for folder in upwards(source)))

    def held(self, mount: Mount) -> tuple[str, ...]:
        """The volumes that a container's mount holds."""
        return self.reached(mount.source) if mount.kind != "bind" or is_path(mount.source) else ()

    def meant(self, source: str) -> list[str]:
        """The volumes that a template may come to mean: all of them, as nobody but the engine can fill it in."""
        return self._names if TEMPLATE in source else []
