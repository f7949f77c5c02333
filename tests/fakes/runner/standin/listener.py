"""Runner.Listener: configures, removes, or goes online and takes one job after the other until a signal comes."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

from . import configure, patience, store
from .codes import OK, RESULTS, RETRY, TERMINATED, UPDATING, UPDATING_ONCE, Ended
from .session import Session
from .trace import OKAY, Trace, now

WORKER = store.ROOT / "bin" / "Runner.Worker"


def main(words: Sequence[str]) -> int:
    """The status is one of `codes`."""
    if list(words) == ["--version"]:
        print(store.version())
        return OK
    trace = Trace("Runner")
    trace.write("Listener", f"Version: {store.version()}")
    try:
        status = _command(words, trace)
    except Ended as ended:
        trace.fail(str(ended))
        status = ended.status
    except Exception as error:
        # as the original: what nobody foresaw is tried again
        trace.fail(f"An error occurred: {error!r}")
        status = RETRY
    trace.write("Listener", f"Runner execution has finished with return code {status}")
    return status


def _command(words: Sequence[str], trace: Trace) -> int:
    match [*words]:
        case ["configure", *options]:
            return configure.configure(options, trace)
        case ["remove", *options]:
            return configure.remove(options, trace)
        case ["run"]:
            return _run(trace)
    raise Ended(TERMINATED, f"This command does not recognize the command-line input arguments: {' '.join(words)}")


def _run(trace: Trace) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    _read_environment()
    session = Session(trace, stop)
    session.open()
    trace.say(f"{OKAY} Connected to GitHub")
    trace.say(f"Current runner version: '{store.version()}'")
    trace.say(f"{now()}: Listening for Jobs")
    try:
        return _listen(session, trace, stop)
    finally:
        session.close()


def _listen(session: Session, trace: Trace, stop: threading.Event) -> int:
    while not stop.wait(patience.BETWEEN_POLLS):
        match session.poll():
            case {"job": int(job), "run": str(steps)}:
                _work(session, trace, stop, job, steps)
                if session.settings.get("ephemeral"):
                    return OK
            case {"update": str(version)} if not session.settings.get("disableUpdate"):
                return _update(session, trace, version)
            case {"crash": int(number)}:
                os.kill(os.getpid(), number)
    trace.say("Exiting...")
    return OK


def _work(session: Session, trace: Trace, stop: threading.Event, job: int, steps: str) -> None:
    """One job, in a process of its own. A signal cancels it, and it is told how it ended before we end."""
    trace.say(f"{now()}: Running job: job-{job}")
    asked = json.dumps({"job": job, "run": steps, "scope": _scope(session.settings), "name": session.agent_name})
    worker = subprocess.Popen(
        [str(WORKER), "spawnclient"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=store.ROOT
    )
    trace.write("JobDispatcher", f"Send job request message to worker for job {job}, process {worker.pid}.")
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(session, worker, stop, ended))
    beating.start()
    try:
        log, _ = worker.communicate(asked)
    finally:
        ended.set()
        beating.join()
    result = RESULTS.get(worker.returncode, "Failed")
    trace.say(f"{now()}: Job job-{job} completed with result: {result}")
    session.done(job, result, log)


def _beat(session: Session, worker: "subprocess.Popen[str]", stop: threading.Event, ended: threading.Event) -> None:
    """Keep the session alive, and hand a signal on to the worker, once."""
    told = False
    while not ended.wait(patience.BETWEEN_POLLS if stop.is_set() else patience.BEATS):
        session.beat()
        if stop.is_set() and not told:
            worker.send_signal(signal.SIGINT)
            told = True


def _update(session: Session, trace: Trace, version: str) -> int:
    """Become another version. The original replaces its whole `bin`; this one has nothing else to replace."""
    trace.say(f"{now()}: Runner update in progress, do not shutdown runner.")
    (store.ROOT / "bin" / "version").write_text(version, encoding="ascii")
    store.UPDATED.touch()
    trace.say(f"{now()}: Runner update process finished.")
    return UPDATING_ONCE if session.settings.get("ephemeral") else UPDATING


def _read_environment() -> None:
    """`.env` is for jobs and for the listener alike."""
    lines = store.ENVIRONMENT.read_text(encoding="utf-8").splitlines() if store.ENVIRONMENT.exists() else []
    for line in lines:
        name, _, value = line.partition("=")
        if name:
            os.environ[name] = value


def _scope(settings: dict[str, Any]) -> str:
    return str(settings["gitHubUrl"]).split("/", 3)[3]
