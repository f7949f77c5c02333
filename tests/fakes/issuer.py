"""A stand-in for GitHub's issuer of OIDC tokens: keys of its own, published over HTTP, and any token that one wants.

`issuer.fault("GET /.well-known/jwks", hangs)` and its like make it go down, answer slowly, emptily or with too much.
"""

import json
import time
from collections.abc import Mapping
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from tests.fakes.loopback import LoopbackServer, Reply, Request

PATH = "/.well-known/jwks"
KEYS = f"GET {PATH}"
AUDIENCE = "https://launchplane.example"
REPOSITORY_ID, OWNER_ID = 4711, 42


@cache
def private_key(number: int) -> RSAPrivateKey:
    """One of a few: to make one takes a moment, and nothing is secret here."""
    return generate_private_key(65537, 2048)


class Issuer(LoopbackServer):
    """`with Issuer() as issuer:`, then `issuer.token(ref="refs/heads/other")`. `asked` counts fetches of its keys."""

    def __init__(self, *, audience: str = AUDIENCE) -> None:
        super().__init__()
        self.audience = audience
        self.asked = 0
        self._numbers = count(1)
        self.kid, self._key = "", private_key(0)
        self.published: dict[str, RSAPrivateKey] = {}
        self.rotate()

    @property
    def environment(self) -> dict[str, str]:
        """What a server is started with that shall believe this issuer; the keys' address follows from it."""
        return {"LAUNCHPLANE_OIDC_ISSUER": self.url, "LAUNCHPLANE_OIDC_AUDIENCE": self.audience}

    @property
    def jwks_url(self) -> str:
        return f"{self.url}{PATH}"

    @property
    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def rotate(self) -> None:
        """Sign with another key from now on, and publish that one only."""
        number = next(self._numbers)
        self.kid, self._key = f"key-{number}", private_key(number)
        self.published = {self.kid: self._key}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Those of a run on GitHub's own runner, by a push to main; `changed` ones are set, and None takes one out."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": self.audience,
            "sub": "repo:octo/app:ref:refs/heads/main",
            "jti": str(uuid4()),
            "iat": now,
            "nbf": now - 10,
            "exp": now + 300,
            "repository": "octo/app",
            "repository_id": str(REPOSITORY_ID),
            "repository_owner": "octo",
            "repository_owner_id": str(OWNER_ID),
            "repository_visibility": "private",
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "sha": "f" * 40,
            "event_name": "push",
            "actor": "ann",
            "actor_id": "7",
            "workflow": "report",
            "workflow_ref": "octo/app/.github/workflows/report.yml@refs/heads/main",
            "job_workflow_ref": "octo/app/.github/workflows/report.yml@refs/heads/main",
            "run_id": "9000000001",
            "run_number": "12",
            "run_attempt": "1",
            "runner_environment": "github-hosted",
        }
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def token(self, *, header: Mapping[str, Any] | None = None, **changed: Any) -> str:
        """One that is good, but for what was `changed`."""
        return self.signed(self.claims(**changed), header=header)

    def signed(self, claims: Mapping[str, Any], *, header: Mapping[str, Any] | None = None) -> str:
        """Exactly these claims, signed with the key of now."""
        return self.signed_text(json.dumps(claims), header=header)

    def signed_text(self, payload: str, *, header: Mapping[str, Any] | None = None) -> str:
        """This payload as it stands, which need not be JSON."""
        fields = {"kid": self.kid, **(header or {})}
        return jwt.PyJWS().encode(payload.encode(), self._key, algorithm="RS256", headers=fields)

    def reply(self, request: Request) -> Reply:
        if request.path != PATH:
            return Reply(404)
        self.asked += 1
        return Reply(200, {"keys": [_published(kid, key) for kid, key in self.published.items()]})

    def faulted(self, request: Request) -> None:
        self.asked += 1


def _published(kid: str, key: RSAPrivateKey) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": public["n"], "e": public["e"]}
