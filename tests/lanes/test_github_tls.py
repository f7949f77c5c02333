"""As in earnest, over TLS: the certificate is looked at, and the time for an answer is bounded there, too."""

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from lanes.github.errors import GithubUnreachable
from tests.fakes.github import GithubServer
from tests.faults import drips, hangs
from tests.lanes.asking import SCOPE, TOKEN, asking

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SLOW_BODY = b"Content-Length: 4000\r\n\r\n[" + b" " * 4000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key, and a certificate for 127.0.0.1 that nobody else signed."""
    key, name, now = generate_private_key(SECP256R1()), x509.Name([]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[GithubServer]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    with GithubServer(tls=tls) as server:
        server.accept(TOKEN)
        yield server


@pytest.fixture
def _trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.usefixtures("_trusted")
def test_it_is_asked_over_one_connection(server: GithubServer) -> None:
    github = asking(server.url)
    assert github.listing(SCOPE).complete
    assert github.listing(SCOPE).complete
    assert [call.status for call in server.calls] == [200, 304]
    assert len({call.port for call in server.calls}) == 1


def test_a_certificate_that_nobody_vouches_for_gets_no_token(
    server: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(GithubUnreachable) as caught:
        asking(server.url).listing(SCOPE)
    assert "certificate" in caught.value.sentence.lower()
    assert server.calls == []


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("fault", [hangs, drips(HEAD + b"X-Slow: yes\r\n" * 1000), drips(HEAD + SLOW_BODY)])
def test_a_slow_answer_has_one_time_for_all_of_it(server: GithubServer, fault: object) -> None:
    server.fault(r"GET .*", fault)  # type: ignore[arg-type]  # a Behaviour
    with pytest.raises(GithubUnreachable) as caught:
        asking(server.url, seconds=1).listing(SCOPE)
    assert caught.value.code == "github_timed_out"
