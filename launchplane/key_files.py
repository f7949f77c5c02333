"""Files with a key of ours: private, and made once, whoever comes first."""

import os
import tempfile
from pathlib import Path


def make_once(path: Path, content: bytes) -> None:
    """Write `content` to `path` (mode 0600, in a folder made with 0700), unless it is there. Raises OSError.

    Written aside and linked: of several processes that start at once one wins, and none reads half of it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        Path(aside).unlink()
