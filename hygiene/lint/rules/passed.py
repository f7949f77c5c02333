"""Shell within shell: what a command is given to run as one text, in an argument or on its standard input. Pure."""

import re
from collections.abc import Iterator

from hygiene.lint.rules.calls import talks
from hygiene.lint.shell.values import Fields, Values
from hygiene.lint.shell.words import Command, Text

SHELLS = {"sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "pwsh", "powershell", "cmd", "wsl"}
# they run what they are told in one of their words
RUNS_TEXT = re.compile(
    r"eval|ssh|sshpass|mosh|su|runuser|trap|watch|xargs|parallel|flock|script|at|batch|nix-shell|nix|devbox|nsenter|"
    r"vagrant|lima|limactl|multipass|tmux|screen|ansible|pssh|pdsh|clush|salt|gcloud|aws|az|doctl|heroku|fly|flyctl|kubectl|"
    r"timeout|sudo|doas|env|nohup|nice|ionice|setsid|systemd-run|concurrently|expect|Invoke-Expression|iex|Start-Process|"
    r"(?:re)?try\w*|run\w*|exec\w*|do_\w+|with_\w+|wrap\w*|quiet\w*|silent\w*|attempt\w*|ignore\w*|must|always|remote\w*"
)
READS_SHELL = SHELLS | {"ssh", "at", "batch", "su", "sudo", "mosh", "source", "."}
PRINTS = {"echo", "printf", "cat", "write-output"}


def texts_in_words(fields: Fields) -> Iterator[str]:
    """Each shell text in an argument: of `sh -c`, `ssh HOST`, `eval`, `trap`, `retry "…"`."""
    if not fields:
        return
    if fields[0].name == "eval":
        yield " ".join(field.text for field in fields[1:])
        return
    after_c = False
    for position, field in enumerate(fields):
        if after_c:
            yield field.text
            after_c = False
        elif re.fullmatch(r"-[a-z]*c|/c|--command|-Command|--run", field.text, re.ASCII):
            after_c = any(_is_shell(before.name) for before in fields[:position])
    if not talks(fields) and RUNS_TEXT.fullmatch(fields[0].name):
        for field in fields[1:]:
            text = re.sub(r"^(?:--\w+=|commands?=\[?[\"']?)", "", field.text)
            if re.search(r"\s", text.strip()):
                yield text.strip("[]\"'")


def texts_read(command: Command, fields: Fields, values: Values) -> Iterator[tuple[str, int | None]]:
    """Each shell text that comes on the standard input, with its offset if it stands in the script as it is."""
    if not any(field.name in READS_SHELL for field in fields):
        return
    for here in command.here:
        literal = len(here.parts) == 1 and isinstance(here.parts[0], Text)
        for text in values.texts_of(here):
            yield text, here.offset if literal else None
    for fed in command.feeds:
        yield from ((text, None) for text in printed(fed, values))


def texts_written(command: Command, values: Values) -> Iterator[tuple[str, str, int | None]]:
    """Each text that is written to a file: the file's name, the text, and its offset if it stands there as it is."""
    targets = [target for word in command.writes for target in values.texts_of(word)]
    texts: list[tuple[str, int | None]] = []
    for words in values.words_of(command):
        name = words[0].name if words else ""
        if "tee" in [field.name for field in words] or "crontab" in [field.name for field in words]:
            fed = [text for source in command.feeds for text in printed(source, values)]
            texts += [(text, None) for text in fed] + [
                (text, here.offset) for here in command.here for text in values.texts_of(here)
            ]
            targets += (
                ["crontab"]
                if name == "crontab" or "crontab" in [f.name for f in words]
                else [field.text for field in words if not field.text.startswith("-")]
            )
        elif name in PRINTS:
            texts += [(text, None) for text in printed(command, values) if not command.here]
            texts += [(text, here.offset) for here in command.here for text in values.texts_of(here)]
        break
    for target in dict.fromkeys(targets):
        yield from ((target, text, offset) for text, offset in texts)


def printed(command: Command, values: Values) -> Iterator[str]:
    """What a command prints that only shows its words."""
    for words in values.words_of(command):
        if words and words[0].name.lower() in PRINTS:
            said = [field.text for field in words[1:] if field.text not in ("-e", "-n", "-en", "-ne")]
            if words[0].name != "cat":
                yield " ".join(said).replace("\\n", "\n")
    for here in command.here:
        yield from values.texts_of(here)


def _is_shell(name: str) -> bool:
    return name in SHELLS or name in (
        "su",
        "runuser",
        "flock",
        "script",
        "nix-shell",
        "nix",
        "vagrant",
        "ssh",
        "limactl",
    )
