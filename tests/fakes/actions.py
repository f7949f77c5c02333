"""The door at which a job of GitHub Actions gets tokens that say who it is. What they say, the caller chooses."""

from collections.abc import Callable
from itertools import count

from tests.fakes.loopback import LoopbackServer, Reply, Request

PATH = "/9//idtoken/5e1f/77aa"
VERSION = "2.0"
_numbers = count(1)


def no_real_token(audience: str) -> str:
    """Something of a token's form, another at each call, for where nobody looks into it."""
    return f"eyJhbGciOiJSUzI1NiJ9.{audience.encode().hex()}.s1gnature-{next(_numbers):08d}"


class TokenDoor(LoopbackServer):
    """`with TokenDoor("what a runner was given") as door:`; `mint` makes a token for an audience.

    All tokens are in `given`. Who does not bring the runner's own credential, or asks for another version, gets none.
    """

    def __init__(self, credential: str, *, mint: Callable[[str], str] = no_real_token) -> None:
        super().__init__()
        self._credential, self._mint = credential, mint
        self.given: list[str] = []

    @property
    def address(self) -> str:
        """As the runner tells its jobs."""
        return f"{self.url}{PATH}?api-version={VERSION}"

    def reply(self, request: Request) -> Reply:
        if (request.method, request.path) != ("GET", PATH):
            return Reply(404)
        if request.headers.get("authorization", "").lower() != f"bearer {self._credential}":
            return Reply(401, {"message": "not the runner's credential"})
        asked = request.parameters
        if asked.get("api-version") != VERSION or not asked.get("audience"):
            return Reply(400, {"message": "no audience"})
        self.given.append(token := self._mint(asked["audience"]))
        return Reply(200, {"count": len(token), "value": token})
