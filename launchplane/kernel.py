"""What the kernel promises about child processes, prctl(2): they end with us, and orphans become ours to reap."""

import ctypes
import os
import signal
from collections.abc import Collection

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)  # here, since little may be done between fork and exec


def end_with_parent() -> None:
    """Between fork and exec: the kernel sends this process SIGTERM when the thread that made it ends, in any way."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """Descendants whose parents end become our children, also where process 1 of the machine reaps nobody."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def reap_orphans(*, known: Collection[int]) -> None:
    """Collect ended children, up to the first that is one of `known`: whoever started that one wants its status."""
    while (pid := _ended_child()) is not None and pid not in known:
        os.waitpid(pid, 0)


def _ended_child() -> int | None:
    """Pid of a child that ended and was not collected yet."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended.si_pid if ended is not None else None


def _prctl(option: int, value: int) -> None:
    if LIBC.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value}) failed")
