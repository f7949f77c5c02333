"""What the server says to the person in front of it, marked so that it is told from its programs' own lines."""

import sys


def say(sentence: str) -> None:
    """One line about what happens now."""
    print(f"launchplane: {sentence}", flush=True)


def complain(sentence: str) -> None:
    """Why the start ends here."""
    print(f"launchplane: {sentence}", file=sys.stderr, flush=True)
