"""DIDs as others resolve them: stock resolvers of npm, over https, from a node on a real chain."""

import datetime
import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fastapi import FastAPI

from guildmark.adapters.chain import toolchain
from guildmark.api.node import application
from guildmark.bootstrap import Home, open_node
from guildmark.domain.identifiers import IdentityId, KeyId, LogNumber, to_hex
from guildmark.domain.identity.did import account_did, checksummed, identity_did
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.builds.builds import signing_key
from guildmark.services.identity.dids import DOUBTED
from guildmark.services.identity.notices import Suspicion
from guildmark.settings import NodeSettings
from stages import Played, funded, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil", "did-resolvers")]

ROOT = Path(__file__).resolve().parents[3]
KEYS = (KeyAlgorithm.SECP256K1, KeyAlgorithm.P256, KeyAlgorithm.ED25519)
# The libraries' own way of use, as their manuals show it.
RESOLVE = """
import { Resolver } from "did-resolver";
import { getResolver as web } from "web-did-resolver";
import * as pkh from "pkh-did-resolver";
const resolver = new Resolver({ ...web(), ...pkh.getResolver() });
const found = await Promise.all(process.argv.slice(1).map((did) => resolver.resolve(did)));
console.log(JSON.stringify(found));
"""


@dataclass(frozen=True)
class Served:
    """A node with a name and a certificate.

    Args:
        authority: The file of the certificate's issuer.
    """

    host: str
    home: Home
    authority: Path

    def resolve(self, *dids: str) -> list[Any]:
        """Return what stock resolvers say of DIDs."""
        done = subprocess.run(
            [toolchain.node(), "--input-type=module", "--eval", RESOLVE, "--", *dids],
            cwd=ROOT / "hardhat-local",
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(self.authority)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, list)
        return found

    def resolved(self, did: str) -> Any:
        """Return the document of a DID that resolves."""
        (found,) = self.resolve(did)
        assert found["didResolutionMetadata"].get("error") is None, found
        assert found["didDocument"]["id"] == did
        return found["didDocument"]


@pytest.fixture(scope="module")
def served(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a maker's home over https under a certificate for localhost."""
    folder = tmp_path_factory.mktemp("https")
    _certify(folder)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"localhost:{listening.getsockname()[1]}"
        home = _with_node(played, f"https://{host}")
        home.indexing.follow()
        with _serving(application(open_node(home)), listening, folder):
            yield Served(host=host, home=home, authority=folder / "certificate.pem")


def test_a_machine_is_resolved_with_its_keys(served: Served) -> None:
    machine, keys = _machine(served.home, *KEYS)

    document = served.resolved(identity_did(served.host, machine))

    methods = {one["id"].partition("#")[2]: one for one in document["verificationMethod"]}
    asserting = {one.partition("#")[2] for one in document["assertionMethod"]}
    assert asserting == {to_hex(key) for key in keys}
    assert {methods[one]["publicKeyJwk"]["crv"] for one in asserting} == {
        *("secp256k1", "P-256", "Ed25519")
    }


def test_keys_that_ended_or_are_doubted_are_not_resolved(served: Served) -> None:
    machine, (ended, doubted, good) = _machine(served.home, *KEYS)
    own = served.home.identities(KeyName("account"))
    own.end_key(machine, ended)
    own.give_notice(machine, doubted, suspected_from=served.home.ledger.head(final=False).time)
    served.home.indexing.follow()

    document = served.resolved(identity_did(served.host, machine))

    assert document["assertionMethod"] == [f"{document['id']}#{to_hex(good)}"]
    text = json.dumps(document)
    assert [to_hex(key) in text for key in (ended, doubted)] == [False, False]


@pytest.mark.parametrize("kind", ["organization", "site", "authority"])
def test_an_identity_is_resolved_with_its_controller(
    kind: str, served: Served, played: Played
) -> None:
    maker = played.workshops[0].maker
    known = {
        "organization": maker.party.id,
        "site": maker.site,
        "authority": played.scene.authority.id,
    }
    info = httpx.get(f"{played.node.url}/v1/identities/{to_hex(known[kind])}").json()

    document = served.resolved(identity_did(served.host, known[kind]))

    chain = served.home.settings.chain.chain_id
    assert info["kind"] == kind
    assert document["controller"].lower() == f"did:pkh:eip155:{chain}:{info['controller']}"
    (method,) = document["verificationMethod"]
    assert document["authentication"] == [method["id"]]


def test_a_controller_under_notice_is_resolved_as_none(served: Served) -> None:
    key = funded(served.home, "stolen")
    identity = served.home.identities(key).register(IdentityKind.ORGANIZATION, {"name": "Stolen"})
    since = served.home.ledger.head(final=False).time
    served.home.notices(key).of_controller(identity, Suspicion(since=since))
    served.home.indexing.follow()

    document = served.resolved(identity_did(served.host, identity))

    account = served.home.account(key).address
    assert "controller" not in document
    assert (document["authentication"], document["verificationMethod"]) == ([], [])
    assert account.hex() not in json.dumps(document).lower()
    (service,) = document["service"]
    assert service["type"] == DOUBTED
    assert service["serviceEndpoint"].endswith(f"/v1/identities/{to_hex(identity)}")


def test_a_host_is_resolved_as_its_operator(served: Served, played: Played) -> None:
    operator = played.scene.operators[0].party.id

    document = served.resolved(f"did:web:{served.host.replace(':', '%3A')}")

    assert document["alsoKnownAs"] == [identity_did(served.host, operator)]
    assert served.resolved(document["alsoKnownAs"][0])["controller"] == document["controller"]


def test_a_controller_is_resolved_to_its_account(served: Served, played: Played) -> None:
    home, chain = played.workshops[0].maker.party.home, served.home.settings.chain.chain_id
    account = home.account(KeyName("account")).address

    document = served.resolved(account_did(chain, account))

    (method,) = document["verificationMethod"]
    assert method["blockchainAccountId"].endswith(f"eip155:{chain}:{checksummed(account)}")
    own = served.resolved(identity_did(served.host, played.workshops[0].maker.party.id))
    assert own["controller"] == document["id"]
    assert own["verificationMethod"][0]["blockchainAccountId"] == method["blockchainAccountId"]


def test_nobody_is_resolved_to_nothing(served: Served) -> None:
    (found,) = served.resolve(identity_did(served.host, IdentityId(b"\x12" * 32)))

    assert found["didDocument"] is None
    assert found["didResolutionMetadata"]["error"] == "notFound"


def test_browsers_of_any_page_may_ask(served: Served, played: Played) -> None:
    url = f"https://{served.host}/orgs/{to_hex(played.workshops[0].maker.site)}/did.json"

    answer = httpx.get(url, verify=ssl.create_default_context(cafile=str(served.authority)))

    assert answer.headers["content-type"] == "application/did+ld+json"
    assert answer.headers["access-control-allow-origin"] == "*"


def _machine(home: Home, *algorithms: KeyAlgorithm) -> tuple[IdentityId, list[KeyId]]:
    """Register a machine with new keys, and read it."""
    own = home.identities(KeyName("account"))
    machine = own.register(IdentityKind.MACHINE, {"name": "Printer"})
    keys = []
    for algorithm in algorithms:
        name = KeyName(f"did-{machine.hex()[:8]}-{algorithm.value}")
        home.keys.create(name, algorithm)
        keys.append(own.add_key(machine, signing_key(home.keys, name)))
    home.indexing.follow()
    return machine, keys


def _with_node(played: Played, url: str) -> Home:
    home = played.workshops[0].maker.party.home
    node = NodeSettings(
        operator=played.scene.operators[0].party.id,
        log=LogNumber(1),
        writer=KeyName("account"),
        public_url=url,
    )
    return replace(home, settings=replace(home.settings, node=node))


@contextmanager
def _serving(app: FastAPI, listening: socket.socket, folder: Path) -> Iterator[None]:
    # Without its lifespan the application answers and does nothing beside.
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        ssl_certfile=folder / "certificate.pem",
        ssl_keyfile=str(folder / "key.pem"),
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        until(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _certify(folder: Path) -> None:
    """Write a certificate of localhost that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(plain)
