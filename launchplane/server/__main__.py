"""`python -m launchplane.server`: bring everything up, keep it up, and end it when told to."""

import os
import signal
import sys
from types import FrameType

import django

from launchplane import kernel
from launchplane.server.words import complain


def main() -> int:
    """0 after SIGTERM or Ctrl-C, 1 if something could not be started, 2 for a wrong setting."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    kernel.adopt_orphans()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchplane.settings")
    try:
        django.setup()
    except ValueError as error:
        complain(f"A setting is wrong: {error}")
        return 2
    from launchplane.server.start import serve  # needs the settings and the models

    return serve()


def _leave(number: int, _frame: FrameType | None) -> None:
    """A signal while still starting: out through every `finally`, so that nothing stays behind."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
