"""Certificates as credentials: a stock JOSE library verifies them."""

from dataclasses import replace
from typing import Any

import jwt
import pytest

from fakes.world import ISSUER, MAKER, World, make_world
from guildmark.domain.chain.facts import CertificateFact, PlanEntryFact, PlanFact
from guildmark.domain.chain.refusals import CallerRefusedError, CertificateUnknownError
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.identifiers import EquivalencePlanId, to_hex
from guildmark.ports.keys import KeyName
from guildmark.services.equivalence.credentials import Credentials
from guildmark.services.index.projection import known

HOST = "log.example.org:8443"
RESULT = sha256(b"result")


class Board:
    """A site that was certified."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.world.tools.indexing().follow()
        site = self.world.site
        made = Registration(
            recipe=self.world.recipe.id(),
            sponsor=self.world.maker,
            evaluator=self.world.issuer,
            document=sha256(b"plan"),
            commit_by=200,
            reveal_by=300,
            sites=(site,),
        )
        self.plan: EquivalencePlanId = made.id()
        with self.world.tools.store.writing() as work:
            work.facts.put(
                PlanFact(id=made.id(), plan=made, at=1),
                PlanEntryFact(
                    plan=made.id(), site=site, number=3, scope=sha256(b"model"), joined_at=1
                ),
                CertificateFact(plan=made.id(), site=site, verdict=1, result=RESULT, since=60),
            )

    def change(self, **changes: Any) -> None:
        with self.world.tools.store.writing() as work:
            fact = known(work.facts, CertificateFact, self.plan, self.world.site)
            work.facts.put(replace(fact, **changes))

    def sign(self, key: str = ISSUER) -> str:
        tools = self.world.tools
        service = Credentials(store=tools.store, keys=tools.keys, host=HOST)
        return service.sign(self.plan, self.world.site, key=KeyName(key)).decode()


@pytest.fixture
def board() -> Board:
    return Board()


def opened(token: str) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWK(header["jwk"], algorithm=header["alg"])
    found: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256K"])
    return found


def test_a_stock_library_verifies_a_credential(board: Board) -> None:
    token = board.sign()

    found = opened(token)

    own = f"did:web:log.example.org%3A8443:orgs:{to_hex(board.world.issuer)}"
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("vc+jwt", "ES256K")
    assert header["kid"] == f"{own}#controller"
    assert found["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert found["type"] == ["DigitalConformityCredential", "VerifiableCredential"]
    assert found["issuer"] == {"type": ["CredentialIssuer"], "id": own, "name": "I"}
    assert found["validFrom"] == "1970-01-01T00:01:00Z"
    assert "validUntil" not in found
    (assessment,) = found["credentialSubject"]["assessment"]
    assert assessment["conformance"] is True
    assert assessment["description"].endswith(to_hex(RESULT))


def test_a_credential_names_where_its_certificate_is_told_of(board: Board) -> None:
    status = opened(board.sign())["credentialStatus"]

    place = f"plans/{to_hex(board.plan)}/sites/{to_hex(board.world.site)}/certificate"
    assert status["id"] == f"https://{HOST}/v1/equivalence/{place}"
    assert status["type"] == "https://guildmark.org/certificate-status/v1"


def test_its_key_is_the_evaluators_account(board: Board) -> None:
    header = jwt.get_unverified_header(board.sign())

    numbers = jwt.PyJWK(header["jwk"], algorithm="ES256K").key.public_numbers()

    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert keccak256(point)[12:] == board.world.tools.keys.address(KeyName(ISSUER))


def test_a_changed_credential_is_refused_by_a_stock_library(board: Board) -> None:
    token = board.sign()
    board.change(verdict=3)
    other = board.sign()
    mixed = ".".join((*other.split(".")[:2], token.rsplit(".", 1)[1]))

    with pytest.raises(jwt.InvalidSignatureError):
        opened(mixed)
    assert opened(other)["credentialSubject"]["assessment"][0]["conformance"] is False


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        ({"until": 90}, "1970-01-01T00:01:30Z"),
        ({"until": 90, "suspended_at": 80}, "1970-01-01T00:01:20Z"),
        ({"until": 90, "lapsed_at": 70, "cause": 1}, "1970-01-01T00:01:10Z"),
    ],
)
def test_what_ends_a_certificate_ends_its_credential(
    board: Board, changes: dict[str, int], until: str
) -> None:
    board.change(**changes)

    assert opened(board.sign())["validUntil"] == until


def test_only_the_evaluator_signs_what_was_certified(board: Board) -> None:
    with pytest.raises(CallerRefusedError):
        board.sign(MAKER)
    with board.world.tools.store.writing() as work:
        plan = known(work.facts, PlanFact, board.plan)
        later = replace(plan.plan, document=sha256(b"other"))
        work.facts.put(replace(plan, id=later.id(), plan=later))
    board.plan = later.id()
    with pytest.raises(CertificateUnknownError):
        board.sign()
