"""Who uses an image or a volume: containers, and services that may have no container here. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from hygiene.contracts import Image, Inventory
from hygiene.folders import Folders
from onhost.engine.image_names import local_names

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Users:
    """Names of users: of images by image id and by reference, of volumes by name; and who may use any volume."""

    by_image_id: dict[str, list[str]]
    by_image_ref: dict[str, list[str]]
    by_volume: dict[str, list[str]]
    by_template: list[str]

    def image_users(self, image: Image) -> list[str]:
        """Containers of this image, and services that name one of its tags or digests."""
        found = list(self.by_image_id.get(image.id, ()))
        if self.by_image_ref:
            for ref in (*image.tags, *image.digests):
                found += self.by_image_ref.get(ref, ())
        return list(dict.fromkeys(found))

    def volume_users(self, name: str) -> list[str]:
        """Containers and services that mount this volume, by its name or by a folder in it, of it or above it."""
        return self.by_volume.get(name, [])

    def of_image(self, image: Image) -> str:
        """The users of an image in words; empty if there are none."""
        return in_words(self.image_users(image))

    def of_volume(self, name: str) -> str:
        """The users of a volume in words; empty if there are none."""
        return in_words(self.volume_users(name))


def find_users(inventory: Inventory) -> Users:
    """Look through the containers and services of an inventory once."""
    users, folders = Users({}, {}, {}, []), Folders(inventory.volumes)
    for container in inventory.containers:
        words = called(container.name or container.id[:12], None if container.alive else container.state)
        users.by_image_id.setdefault(container.image_id, []).append(words)
        held = map(folders.held, container.mounts)
        _add(users.by_volume, chain.from_iterable(held), words)
    for service in inventory.services or ():
        words = f"service {service.name}"
        _add(users.by_image_ref, local_names(service.image), words)
        _add(users.by_volume, chain.from_iterable(map(folders.reached, service.volumes)), words)
        if any(map(folders.meant, service.volumes)):
            users.by_template.append(words)
    return users


def called(name: str, stopped_as: str | None) -> str:
    """A container as a user: its name, and the state of one that does not run."""
    return f"container {name}" if stopped_as is None else f"container {name} ({stopped_as})"


def in_words(names: list[str]) -> str:
    """The first three, and how many more."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _add(among: dict[str, list[str]], keys: Iterable[str], words: str) -> None:
    for key in dict.fromkeys(keys):
        among.setdefault(key, []).append(words)
