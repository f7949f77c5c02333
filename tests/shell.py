"""Management commands as a shell sees them: an exit code, what was printed, what was complained about."""

import json
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error that `--json` prints."""
        found: dict[str, str] = self.json["error"]
        return found


def manage(*words: str) -> Outcome:
    """Run one command in this process, on the test's database."""
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command(*words, stdout=out, stderr=err)
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    except SystemExit as stop:
        code = int(stop.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())
