"""Calls of a container engine within a command: behind `sudo`, `timeout`, `ssh HOST`, `xargs`, `docker run …`. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hygiene.lint.shell.values import Field, Fields
from hygiene.lint.shell.words import HOLE

ENGINES = {"docker", "podman", "nerdctl", "docker-compose", "podman-compose", "buildctl", "buildah", "crictl", "ctr"}
# what only shows, tests or looks up its words
TALKS = {
    *(
        "echo",
        "printf",
        "cat",
        ":",
        "::",
        "true",
        "false",
        "test",
        "[",
        "[[",
        "logger",
        "wall",
        "read",
        "which",
        "type",
    ),
    *("grep", "egrep", "fgrep", "rg", "ag", "sed", "awk", "gawk", "mawk", "jq", "yq", "tee", "head", "tail", "sort"),
    *("uniq", "wc", "cut", "tr", "git", "gh", "man", "help", "whatis", "export", "declare", "local", "readonly"),
    *("typeset", "alias", "unset", "hash", "apt", "apt-get", "yum", "dnf", "apk", "pip", "npm", "brew", "write-host"),
    *("write-output", "rem", "set", "dirname", "basename", "ls", "cd", "mkdir", "cp", "mv", "touch", "chmod", "chown"),
}
OBJECTS = {"system", "image", "volume", "builder", "buildx", "container"}
ELSEWHERE = {"-H", "--host", "-c", "--context", "--url", "--connection", "--remote", "-r"}
# the options of the engines' clients, before the first word, that take a value
WITH_VALUE = {
    *("-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey"),
    *("-n", "--namespace", "-a", "--address", "--url", "--connection", "--identity", "--root", "--runroot"),
    *("--storage-driver", "--storage-opt", "--log-driver", "--runtime", "--snapshotter", "--data-root", "--builder"),
    *("-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory", "--ansi"),
    *("--progress", "--addr", "-i", "--image-endpoint", "--runtime-endpoint", "--timeout", "-t", "--parallel"),
}


@dataclass(frozen=True)
class Call:
    """One call of an engine's client. `words` begin with its first word that is no option; `before` wraps the call."""

    program: str
    words: tuple[str, ...]
    fields: Fields
    options: tuple[str, ...]
    before: tuple[str, ...]

    @cached_property
    def elsewhere(self) -> bool:
        """Another engine than this machine's is asked."""
        asked = any(option.partition("=")[0] in ELSEWHERE for option in self.options)
        return asked or any(word.rpartition("/")[2] in ("ssh", "sshpass", "mosh") for word in self.before)

    def after(self, count: int) -> tuple[str, ...]:
        return self.words[count:]


def calls(fields: Fields) -> Iterator[Call]:
    """Every call of an engine that a command with these words makes, the outermost first."""
    if not fields or talks(fields):
        return
    for position, field in enumerate(fields):
        if _is_engine(fields, position):
            program = "docker" if HOLE in field.name else field.name.partition(":")[0]
            options, rest = _after_options(fields[position + 1 :])
            words = tuple(found.text for found in rest)
            if program.endswith("-compose"):
                words, rest, program = ("compose", *words), (field, *rest), program.removesuffix("-compose")
            yield Call(program, words, rest, options, tuple(found.text for found in fields[:position]))


def talks(fields: Fields) -> bool:
    """The command only shows or tests its words."""
    return fields[0].name.lower() in TALKS and not any(field.text in ("-exec", "-execdir") for field in fields)


def _is_engine(fields: Fields, position: int) -> bool:
    field, following = fields[position], [found.text for found in fields[position + 1 : position + 3]]
    if field.name in ENGINES:
        return True
    if field.text == HOLE or (HOLE in field.text and position == 0):
        # whatever it is called: nothing else has such words
        return len(following) == 2 and following[0] in OBJECTS and following[1] == "prune"
    image, _, tag = field.name.partition(":")
    # the image of Docker's own client, which runs its words
    return image == "docker" and bool(tag) and position > 0 and bool(following)


def _after_options(fields: Fields) -> tuple[tuple[str, ...], Fields]:
    """The options before the first other word, and what comes from that on."""
    options, position = list[str](), 0
    while position < len(fields) and fields[position].text.startswith("-"):
        options.append(fields[position].text)
        position += 2 if fields[position].text in WITH_VALUE else 1
    return tuple(options), fields[position:]


def operands(fields: Fields) -> Iterator[Field]:
    """What is no option."""
    return (field for field in fields if not field.text.startswith("-"))


def option_values(words: tuple[str, ...], *names: str) -> Iterator[str]:
    """The values of an option, written `--name value`, `--name=value` or `-n=value`."""
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names and equals:
            yield value
        elif word in names and position + 1 < len(words):
            yield words[position + 1]


def has_flag(words: tuple[str, ...], short: str, *long: str) -> bool:
    """`--all`, `--all=true`, or `-a` alone or among others as in `-fa`."""
    for word in words:
        name, _, value = word.partition("=")
        if name in long and value.lower() not in ("false", "0", "f"):
            return True
        if short and word.startswith("-") and not word.startswith("--") and short in word[1:] and word[1:].isalpha():
            return True
    return False
