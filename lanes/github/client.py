"""What Launchplane may ever ask of GitHub. Looking is free; all else is spent from what the running change declared.

A runner that is changed or removed must be ours (X11): the caller gives the id of its own record beside the one it
means.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from lanes.contracts import Listing
from lanes.github import calls
from lanes.github.access import Access
from lanes.github.contracts import Deleted, Looked
from lanes.github.errors import GithubDenied, RunnerBusy
from lanes.github.listing import PER_PAGE, PageRead, gather
from lanes.github.parse import Deprecation, Download, Label, Labels, Page, Runner, Token, read
from lanes.github.scopes import Scope, checked_id, label, version
from lanes.github.session import Answer, Call, Clock, Session
from lanes.github.tokens import OneTimeToken, held
from launchplane.hosts.boundary import spend


class Github:
    """Each method takes a scope, `owner/repository` or an organization, and raises GithubProblem.

    What changes something also raises Refused, without a call, where no running change declared it.
    """

    def __init__(self, access: Access, *, clock: Clock) -> None:
        self._access, self._clock = access, clock

    def listing(self, scope: str) -> Listing:
        """All runners, at one call for each 100, and none that costs quota when nothing changed (M14)."""
        where, seen_at = Scope.parse(scope), self._clock()
        session = self._access.session(where, "read")
        pages, why_incomplete = gather(lambda number: _page(session, where, number))
        runners = {runner.id: runner.seen() for read in pages for runner in read.page.runners}
        return Listing(
            scope=scope,
            runners=tuple(runners.values()),
            total_count=pages[0].page.total_count,
            complete=not why_incomplete,
            why_incomplete=why_incomplete,
            request_ids=tuple(read.request_id for read in pages),
            seen_at=seen_at,
        )

    def runner(self, scope: str, runner_id: int) -> Looked:
        """One runner as it is now."""
        answer = self._look(scope, f"/{checked_id(runner_id)}", expected=(200, 404))
        found = read(Runner, answer).seen() if answer.status == 200 else None
        return Looked(runner=found, request_id=answer.request_id, seen_at=self._clock())

    def labels(self, scope: str, runner_id: int) -> tuple[Label, ...]:
        """The labels of one runner, with who may change them."""
        return tuple(read(Labels, self._look(scope, f"/{checked_id(runner_id)}/labels")).labels)

    def downloads(self, scope: str) -> tuple[Download, ...]:
        """The packages of the runner that GitHub offers now, for each system."""
        return tuple(read(list[Download], self._look(scope, "/downloads")))

    def deprecation(self, scope: str, runner_version: str) -> Deprecation | None:
        """Until when a version may register and run (X13); None where GitHub does not know it: older, or not yet."""
        answer = self._look(scope, f"/deprecations/{version(runner_version)}", expected=(200, 404))
        return read(Deprecation, answer) if answer.status == 200 else None

    def registration_token(self, scope: str) -> AbstractContextManager[OneTimeToken]:
        """Within, a token that registers runners, asked for once on entering; the redactor knows it (M61)."""
        return self._token(scope, calls.REGISTRATION_TOKEN, "/registration-token")

    def remove_token(self, scope: str) -> AbstractContextManager[OneTimeToken]:
        """Within, a token that lets a runner take its own registration back, as above."""
        return self._token(scope, calls.REMOVE_TOKEN, "/remove-token")

    def delete_runner(self, scope: str, runner_id: int, *, our_id: int | None) -> Deleted:
        """Take a registration of ours away. Raises RunnerBusy while it works on a job.

        Gone before is as good. But a scope that is hidden from us looks the same, so list it afterwards.
        """
        path = f"/{_ours(runner_id, our_id)}"
        answer = self._change(calls.DELETE_RUNNER, "DELETE", scope, path, expected=(204, 404, 422))
        if answer.status == 422:
            raise RunnerBusy(
                "runner_busy",
                f"GitHub keeps runner {runner_id} of {scope}: it is working on a job. Wait until it is done.",
                request_id=answer.request_id,
            )
        return Deleted(was_there=answer.status == 204, request_id=answer.request_id)

    def set_labels(self, scope: str, runner_id: int, labels: Sequence[str], *, our_id: int | None) -> tuple[Label, ...]:
        """Make these its custom labels, and no others. Gives all that it has then; the same below."""
        path, document = f"/{_ours(runner_id, our_id)}/labels", {"labels": [label(text) for text in labels]}
        return self._labels_after(self._change(calls.SET_LABELS, "PUT", scope, path, document=document))

    def add_label(self, scope: str, runner_id: int, name: str, *, our_id: int | None) -> tuple[Label, ...]:
        """Give it one more custom label."""
        path, document = f"/{_ours(runner_id, our_id)}/labels", {"labels": [label(name)]}
        return self._labels_after(self._change(calls.ADD_LABEL, "POST", scope, path, document=document))

    def remove_label(self, scope: str, runner_id: int, name: str, *, our_id: int | None) -> tuple[Label, ...]:
        """Take one custom label away. Raises GithubDenied where it is not there, or GitHub's own."""
        path = f"/{_ours(runner_id, our_id)}/labels/{label(name)}"
        return self._labels_after(self._change(calls.REMOVE_LABEL, "DELETE", scope, path))

    def _look(self, scope: str, path: str, *, expected: Sequence[int] = (200,)) -> Answer:
        where = Scope.parse(scope)
        return self._access.session(where, "read").ask(_call("GET", where, path), expected=expected)

    def _change(
        self,
        call: str,
        method: str,
        scope: str,
        path: str,
        *,
        document: Mapping[str, object] | None = None,
        expected: Sequence[int] = (200,),
    ) -> Answer:
        """Sent once. If no answer comes, the caller looks what became of it.

        Spent first: outside of a running change not even a credential that may write is asked for.
        """
        where = Scope.parse(scope)
        spend(call)
        session = self._access.session(where, "write")
        return session.ask(_call(method, where, path, document=document), expected=expected)

    @contextmanager
    def _token(self, scope: str, call: str, path: str) -> Iterator[OneTimeToken]:
        answer = self._change(call, "POST", scope, path, expected=(201,))
        with held(read(Token, answer), request_id=answer.request_id) as token:
            yield token

    def _labels_after(self, answer: Answer) -> tuple[Label, ...]:
        return tuple(read(Labels, answer).labels)


def _page(session: Session, where: Scope, number: int) -> PageRead:
    parameters: dict[str, int | str] = {"per_page": PER_PAGE, "page": number}
    answer = session.ask(_call("GET", where, "", parameters=parameters))
    return PageRead(read(Page, answer), answer.request_id)


def _call(
    method: str,
    where: Scope,
    path: str,
    *,
    parameters: dict[str, int | str] | None = None,
    document: Mapping[str, object] | None = None,
) -> Call:
    return Call(method, str(where), f"{where.path}/actions/runners{path}", parameters or {}, document)


def _ours(runner_id: int, our_id: int | None) -> int:
    """The id of a runner that our own record names, too. Raises GithubDenied for any other (L6, L13)."""
    if runner_id != our_id:
        raise GithubDenied("runner_not_ours", f"Runner {runner_id} is not the one that our record names; left alone.")
    return checked_id(runner_id)
