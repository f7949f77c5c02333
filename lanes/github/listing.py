"""All runners of a scope, page by page, and whether that is really all of them. Pure: pages come from a function.

One thing cannot be seen: of more than 100 runners, one that is removed between two pages while another is added. So
whoever is about to register looks again just before, and `config.sh` is never told to replace.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from lanes.github.errors import GithubDenied, GithubProblem
from lanes.github.parse import Page

PER_PAGE: Final = 100
MOST_PAGES: Final = 100


class PageRead(NamedTuple):
    page: Page
    request_id: str


class Gathered(NamedTuple):
    """What was read, in order, and why it is not everything; "" if it is."""

    pages: tuple[PageRead, ...]
    why_incomplete: str


def gather(read_page: Callable[[int], PageRead]) -> Gathered:
    """Read pages from 1 on. Raises what reading the first one raises, and GithubDenied from any."""
    pages = [read_page(1)]
    count = -(-pages[0].page.total_count // PER_PAGE)
    for number in range(2, min(count, MOST_PAGES) + 1):
        try:
            pages.append(read_page(number))
        except GithubDenied:
            raise
        except GithubProblem as problem:
            return Gathered(tuple(pages), f"Page {number} could not be read. {problem.sentence}")
    return Gathered(tuple(pages), why_incomplete([read.page for read in pages]))


def why_incomplete(pages: Sequence[Page]) -> str:
    """Why these pages do not prove that a runner is not there; "" if they do."""
    counted = [page.total_count for page in pages]
    ids = [runner.id for page in pages for runner in page.runners]
    if len(set(counted)) > 1:
        return f"The runners became {counted[-1]} from {counted[0]} while they were listed."
    if len(set(ids)) < len(ids):
        return "The list moved while it was read: a runner came twice."
    if len(ids) != counted[0]:
        return f"GitHub counts {counted[0]} runners and listed {len(ids)}."
    return ""
