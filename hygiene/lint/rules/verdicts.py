"""What one call of an engine does to a host that others share: the code of what is wrong with it, or None. Pure."""

from collections.abc import Callable

from hygiene.lint.rules.calls import Call, has_flag, operands, option_values
from hygiene.lint.rules.listings import is_own_filter
from hygiene.lint.shell.values import Fields
from hygiene.lint.shell.words import HOLE

Lists = Callable[[Fields], bool]  # whether these operands are whatever there is on the host

REMOVES = {"rm", "remove", "rmi"}
PRUNES = {
    "image": "image_prune",
    "images": "image_prune",
    "container": "container_prune",
    "volume": "volume_prune",
    "network": "network_prune",
    "pod": "container_prune",
}
LISTED = {
    "image": "images_listed",
    "container": "containers_listed",
    "volume": "volumes_listed",
    "network": "networks_listed",
}
ALONE = {"rmi": "image", "rm": "container", "stop": "container", "kill": "container"}
DEFAULT_BUILDERS = {"", "default"}
# images that do nothing but remove whatever an engine holds
CLEANERS = ("docker-gc", "docker-cleanup", "docuum", "docker-system-prune", "docker-prune", "docker-image-cleaner")


def verdict(call: Call, *, lists: Lists, builder: str | None) -> str | None:  # noqa: PLR0911  one for each word
    """The code of a finding. `builder` is the one that the environment names; None where a script makes its own."""
    words = call.words
    if not words or has_flag(words, "", "--help"):
        return None
    special = {"buildctl": _buildctl, "buildah": _buildah, "crictl": _crictl, "ctr": _ctr}.get(call.program)
    if special is not None:
        return special(call, lists)
    match words[0]:
        case "system":
            # the label of a system prune does not hold for build cache: moby's builder takes it and ignores it
            return "system_prune" if words[1:2] in (("prune",), ("reset",)) else None
        case "builder":
            return _cache_prune(call, builder) if words[1:2] == ("prune",) else None
        case "buildx":
            return _buildx(call, builder)
        case "run" | "create":
            return "cleaner" if any(is_cleaner(field.text) for field in operands(call.fields[1:])) else None
        case "rmi" | "rm" | "stop" | "kill":
            return _removal(ALONE[words[0]], call.fields[1:], lists)
    if words[0] == HOLE and words[1:2] == ("prune",):
        return None if is_own_filter(words) else "system_prune"
    return _managed(call, lists)


def removes_images(call: Call) -> bool:
    """Whatever removes an image, however narrowed (P16)."""
    words = call.words
    match words[:1]:
        case ("rmi",):
            return not has_flag(words, "", "--help")
        case ("image" | "images" | "i",):
            return words[1:2] in (("rm",), ("remove",), ("prune",), ("delete",))
        case ("system",):
            return words[1:2] in (("prune",), ("reset",))
        case ("compose",):
            return "down" in words and any(word.partition("=")[0] == "--rmi" for word in words)
    return words[0:1] == (HOLE,) and words[1:2] == ("prune",)


def _managed(call: Call, lists: Lists) -> str | None:
    """`docker image|container|volume|network prune|rm|stop|kill`."""
    words = call.words
    if words[0] not in PRUNES or len(words) < 2:
        return None
    if words[1] == "prune":
        return None if is_own_filter(words) else PRUNES[words[0]]
    kind = {"images": "image", "pod": "container"}.get(words[0], words[0])
    if words[1] in (*REMOVES, "stop", "kill"):
        return _removal(kind, call.fields[2:], lists)
    return None


def _removal(kind: str, fields: Fields, lists: Lists) -> str | None:
    """By a list of whatever there is, or by podman's `--all`."""
    if has_flag(tuple(field.text for field in fields), "a", "--all") or lists(tuple(operands(fields))):
        return LISTED[kind]
    return None


def _buildx(call: Call, builder: str | None) -> str | None:
    words = tuple(field.text for field in operands(call.fields[1:]))
    if "prune" in words[:2]:
        return _cache_prune(call, builder)
    if words[:1] in (("rm",), ("remove",)):
        if has_flag(call.words, "", "--all-inactive"):
            return "builders_removed"
        named = words[1:2] or tuple(_builders(call))
        return "builders_removed" if not named and builder in DEFAULT_BUILDERS else None
    return None


def _cache_prune(call: Call, builder: str | None) -> str | None:
    """Fine only for a builder that is named: a label narrows no build cache."""
    named = next(iter(_builders(call)), builder)
    return "build_cache_prune" if named in DEFAULT_BUILDERS else None


def _builders(call: Call) -> list[str]:
    return [*option_values(call.words, "--builder"), *option_values(call.options, "--builder")]


def _buildctl(call: Call, _lists: Lists) -> str | None:
    return "build_cache_prune" if call.words[0] in ("prune", "prune-histories") else None


def _buildah(call: Call, lists: Lists) -> str | None:
    words = call.words
    if words[0] == "prune":
        return "image_prune"
    if words[0] == "rmi":
        broad = has_flag(words, "a", "--all") or has_flag(words, "p", "--prune")
        return "images_listed" if broad or lists(call.fields[1:]) else None
    return "containers_listed" if words[0] == "rm" and has_flag(words, "a", "--all") else None


def _crictl(call: Call, lists: Lists) -> str | None:
    words = call.words
    if words[0] in ("rmi", "rm", "rmp"):
        broad = has_flag(words, "a", "--all") or has_flag(words, "", "--prune") or lists(call.fields[1:])
        return ("images_listed" if words[0] == "rmi" else "containers_listed") if broad else None
    return None


def _ctr(call: Call, lists: Lists) -> str | None:
    words = call.words
    if words[0] in ("images", "image", "i"):
        if words[1:2] == ("prune",):
            return "image_prune"
        if words[1:2] and words[1] in ("rm", "remove", "del", "delete") and lists(call.fields[2:]):
            return "images_listed"
    return "image_prune" if words[:2] == ("content", "prune") else None


def is_cleaner(image: str) -> bool:
    """An image that does nothing but remove what an engine holds."""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    return name.startswith(CLEANERS)
