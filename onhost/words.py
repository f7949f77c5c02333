"""Text that came from somewhere else, made fit to be told."""

from __future__ import annotations

MAX_MESSAGE_CHARACTERS = 300


def clean_message(text: str) -> str:
    """A message from outside, fit for a sentence: one line, no control characters, at most 300 characters."""
    printable = "".join(
        character if character.isprintable() else " " for character in text[: 4 * MAX_MESSAGE_CHARACTERS]
    )
    return " ".join(printable.split())[:MAX_MESSAGE_CHARACTERS]
