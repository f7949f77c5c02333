"""GitHub's runner as a stand-in: a package with config.sh, run.sh, a listener and a worker that behave as that one's.

`package.py` makes the archive that `tests.fakes.github` offers for download, of `files/` (the scripts) and `standin/`
(what Runner.Listener and Runner.Worker do, in Python's own library). It speaks to the `/_runner/` addresses of the
stand-in for GitHub. Faults are put in there, too: `GithubServer.tell` and its neighbours.

Where it is not like the original: GitHub waits for minutes where this waits for seconds (`standin/patience.py`), and
an option that the original would only warn of is refused.
"""
