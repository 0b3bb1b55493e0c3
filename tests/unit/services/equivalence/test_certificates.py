"""One certificate: whether it holds, on a node's page and for who is shown its credential."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.plans import Story
from fakes.world import ISSUER, MAKER
from guildmark.api.pages.certificate import CertificatePage, certificate_page
from guildmark.api.pages.rendering import render
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import (
    CertificateFact,
    CounterFact,
    PlanFact,
)
from guildmark.domain.chain.refusals import CertificateUnknownError
from guildmark.domain.encoding.fields import MemberInvalidError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.reporting.credential import compact
from guildmark.domain.equivalence.reporting.shown import (
    CREDENTIAL_MAX,
    CertificateNotInForceError,
    CredentialDiffersError,
    CredentialMalformedError,
    NotCertifiedEquivalentError,
    ShownCredential,
)
from guildmark.domain.equivalence.reporting.standing import CertificateState, Standing
from guildmark.domain.identifiers import EquivalencePlanId, IdentityId, to_hex
from guildmark.domain.identity.did import jwk
from guildmark.domain.signatures import SignatureMismatchError
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.ports.keys import KeyName
from guildmark.services.builds.builds import signing_key
from guildmark.services.equivalence.certificates import certificate_state
from guildmark.services.equivalence.credentials import Credentials
from guildmark.services.index.projection import known

STRANGER = IdentityId(b"s" * 32)
HOST = "log.example.org"


class Board(Story):
    """A site that was certified under a first plan."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.certified(b"first")

    def certified(self, salt: bytes, outcome: Outcome = Outcome.EQUIVALENT) -> EquivalencePlanId:
        plan = self.plan(salt)
        self.join(plan)
        self.commit(plan)
        self.reveal(plan)
        service = self.world.tools.equivalence(ISSUER)
        service.certify(plan, self.world.site, outcome, sha256(b"result"))
        self.follow()
        return plan

    def change(self, **changes: Any) -> None:
        with self.world.tools.store.writing() as work:
            fact = known(work.facts, CertificateFact, self.first, self.world.site)
            work.facts.put(replace(fact, **changes))

    def evaluated_by(self, evaluator: IdentityId, plan: EquivalencePlanId) -> None:
        with self.world.tools.store.writing() as work:
            fact = known(work.facts, PlanFact, plan)
            work.facts.put(replace(fact, plan=replace(fact.plan, evaluator=evaluator)))

    def challenge(self, by: IdentityId) -> None:
        site = self.world.site
        counter = CounterFact(
            plan=self.first, site=site, challenger=by, result=sha256(b"other"), at=2
        )
        with self.world.tools.store.writing() as work:
            work.facts.put(counter)

    def trust(self, *authorities: IdentityId) -> Trust:
        pin = self.world.tools.chain.pin()
        listed = tuple(Listed(id=one) for one in authorities)
        return Trust(version=VERSION, chain=pin, authorities=listed)

    def state(self, trust: Trust | None = None) -> CertificateState:
        with self.world.tools.store.reading() as view:
            return certificate_state(self.first, self.world.site, view, trust)

    def page(self, *authorities: IdentityId) -> CertificatePage:
        judging = SimpleNamespace(trust=self.trust(*authorities))
        node = SimpleNamespace(store=self.world.tools.store, judging=judging)
        return certificate_page(self.first, self.world.site, cast("ServedNode", node))

    def sign(self) -> bytes:
        tools = self.world.tools
        service = Credentials(store=tools.store, keys=tools.keys, host=HOST)
        return service.sign(self.first, self.world.site, key=KeyName(ISSUER))

    def forged(self, key: str = ISSUER, **changes: Any) -> bytes:
        """Return the credential with members changed, signed by a key of the world."""
        header, payload, _ = self.sign().split(b".")
        members = json.loads(_opened(payload)) | changes
        if key != ISSUER:
            other = signing_key(self.world.tools.keys, KeyName(key))
            header = _closed(json.loads(_opened(header)) | {"jwk": dict(jwk(other))})
        signed = b".".join((header, _closed(members)))
        return compact(signed, self.world.tools.keys.sign_payload(KeyName(key), signed))


def _opened(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _closed(members: dict[str, Any]) -> bytes:
    return urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=")


@pytest.fixture
def board() -> Board:
    return Board()


def test_a_certificate_is_in_force_until_something_is_said_of_it(board: Board) -> None:
    found = board.state()

    assert (found.told, found.number, found.doubt) == ("EQUIVALENT, in force", 1, "")
    assert found.evaluator == board.world.issuer
    assert found.account == board.world.tools.keys.address(KeyName(ISSUER))
    assert CertificateState.parse(found.encode()) == found


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({"until": 1}, Standing.ENDED),
        ({"until": 2_000_000_000}, Standing.IN_FORCE),
        ({"suspended_at": 1}, Standing.SUSPENDED),
        ({"lapsed_at": 1, "cause": 1, "suspended_at": 1}, Standing.LAPSED),
    ],
)
def test_what_ends_a_certificate_is_its_standing(
    board: Board, changes: dict[str, int], standing: Standing
) -> None:
    board.challenge(STRANGER)
    with_challenge = board.state().standing
    board.change(**changes)

    expected = Standing.CHALLENGED if standing is Standing.IN_FORCE else standing
    assert (with_challenge, board.state().standing) == (Standing.CHALLENGED, expected)


def test_a_challenge_counts_by_the_list_that_is_asked(board: Board) -> None:
    board.challenge(STRANGER)
    issuer = board.world.issuer

    by_list, by_longer_list = (
        board.state(board.trust(issuer)),
        board.state(board.trust(issuer, STRANGER)),
    )

    assert (by_list.standing, by_longer_list.standing) == (Standing.IN_FORCE, Standing.CHALLENGED)
    assert [one.authority for one in by_list.counter_results] == [STRANGER]


def test_a_later_certificate_replaces_one(board: Board) -> None:
    alone = board.state().later
    second = board.certified(b"second", Outcome.INCONCLUSIVE)
    board.first, first = second, board.first
    newest = board.state().standing
    board.first = first

    found = board.state()

    assert alone is None
    assert (newest, found.standing) == (Standing.IN_FORCE, Standing.REPLACED)
    assert found.later is not None
    assert (found.later.plan, found.later.ended) == (second, "INCONCLUSIVE")


def test_a_strangers_certificate_replaces_none(board: Board) -> None:
    board.evaluated_by(STRANGER, board.certified(b"second"))
    issuer = board.world.issuer

    standings = [
        board.state(trust).standing
        for trust in (board.trust(issuer), board.trust(issuer, STRANGER), None)
    ]

    assert standings == [Standing.IN_FORCE, Standing.REPLACED, Standing.REPLACED]


def test_what_nobody_certified_has_no_state(board: Board) -> None:
    board.first = board.plan(b"empty")

    with pytest.raises(CertificateUnknownError):
        board.state()


def test_a_state_of_another_type_is_none(board: Board) -> None:
    with pytest.raises(MemberInvalidError):
        CertificateState.parse(board.state().encode().replace(b"-status/v1", b"-status/v2"))


def test_the_page_says_whether_it_holds_and_by_whose_list(board: Board) -> None:
    issuer = board.world.issuer
    good, doubted = board.page(issuer), board.page()
    second = board.certified(b"second", Outcome.NOT_EQUIVALENT)
    board.challenge(STRANGER)
    board.change(suspended_at=1, lapsed_at=1, cause=1, until=9)
    bad = board.page(issuer)
    board.first = second
    other = board.page(issuer)

    assert (good.headline, good.tone, good.plan) == ("EQUIVALENT, in force", "good", "")
    assert (doubted.tone, doubted.doubt) == (
        "care",
        "Yet its evaluator is not on this node's list.",
    )
    assert (bad.headline, bad.tone) == ("EQUIVALENT, lapsed", "care")
    named = {row.name: row.value for row in bad.facts}
    assert named["Lapsed"].endswith(": machine moved")
    assert named["Later"] == "plan 2 ended with NOT EQUIVALENT"
    assert {"Suspended", "Another result", "As of"} <= named.keys()
    assert (other.headline, other.tone) == ("NOT EQUIVALENT, in force", "care")
    html = render("certificate.html", bad, host="parts.example.org")
    assert bad.status in html


def test_a_credential_is_read_and_held_against_the_chain(board: Board) -> None:
    shown = ShownCredential.parse(board.sign() + b"\n")

    shown.check(board.state())

    assert (shown.plan, shown.site) == (board.first, board.world.site)


def test_its_status_leads_to_the_state_of_its_certificate(board: Board) -> None:
    status = ShownCredential.parse(board.sign()).members["credentialStatus"]

    place = f"plans/{to_hex(board.first)}/sites/{to_hex(board.world.site)}/certificate"
    assert status == {
        "id": f"https://{HOST}/v1/equivalence/{place}",
        "type": "https://guildmark.org/certificate-status/v1",
    }


def test_a_credential_of_a_certificate_that_holds_no_more_is_refused(board: Board) -> None:
    shown = ShownCredential.parse(board.sign())
    board.change(suspended_at=1)

    with pytest.raises(CertificateNotInForceError) as caught:
        shown.check(board.state())

    assert caught.value.detail["standing"] == "suspended"


def test_a_credential_that_says_not_equivalent_is_no_good_one(board: Board) -> None:
    board.change(verdict=Outcome.INCONCLUSIVE)

    with pytest.raises(NotCertifiedEquivalentError):
        ShownCredential.parse(board.sign()).check(board.state())


def test_who_does_not_speak_for_the_evaluator_signs_no_credential(board: Board) -> None:
    shown = ShownCredential.parse(board.forged(MAKER))

    with pytest.raises(CredentialDiffersError, match="does not speak"):
        shown.check(board.state())


def test_a_credential_of_another_certificate_is_told(board: Board) -> None:
    shown = ShownCredential.parse(board.sign())
    board.first = board.certified(b"second")

    with pytest.raises(CredentialDiffersError, match="another certificate"):
        shown.check(board.state())


@pytest.mark.parametrize(
    "changes",
    [
        {"validFrom": "1970-01-01T00:00:00Z"},
        {"issuer": {"id": f"did:web:{HOST}:orgs:{to_hex(STRANGER)}"}},
        {"issuer": "a text"},
        {"credentialSubject": None},
        {"credentialSubject": {"assessment": []}},
    ],
)
def test_a_credential_that_says_something_else_is_refused(
    board: Board, changes: dict[str, Any]
) -> None:
    with pytest.raises(CredentialDiffersError, match="something else"):
        ShownCredential.parse(board.forged(**changes)).check(board.state())


@pytest.mark.parametrize(
    "member", ["conformance", "description", "assessedFacility", "issuedToParty"]
)
def test_each_word_of_an_assessment_counts(board: Board, member: str) -> None:
    subject = cast("dict[str, Any]", dict(ShownCredential.parse(board.sign()).members))
    changed = json.loads(json.dumps(subject["credentialSubject"]))
    place = changed if member in changed else changed["assessment"][0]
    place[member] = None

    with pytest.raises(CredentialDiffersError):
        ShownCredential.parse(board.forged(credentialSubject=changed)).check(board.state())


def test_a_changed_credential_is_not_what_was_signed(board: Board) -> None:
    mixed = b".".join((board.forged(id=0).split(b".")[0], *board.sign().split(b".")[1:]))
    header, _, signature = mixed.split(b".")
    _, payload, _ = board.forged(validFrom="").split(b".")

    with pytest.raises(SignatureMismatchError):
        ShownCredential.parse(b".".join((header, payload, signature)))


def _with_header(board: Board, **changes: Any) -> bytes:
    header, payload, signature = board.sign().split(b".")
    return b".".join((_closed(json.loads(_opened(header)) | changes), payload, signature))


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"typ": "JWT"},
        {"jwk": {"kty": "OKP"}},
        {"jwk": {"kty": "EC", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "EC", "x": "A" * 43, "y": "A" * 43}},
        {"jwk": {"kty": "EC", "x": "é", "y": "A" * 43}},
        {"jwk": 7},
    ],
)
def test_a_key_that_is_no_accounts_signs_no_credential(
    board: Board, changes: dict[str, Any]
) -> None:
    with pytest.raises(CredentialMalformedError):
        ShownCredential.parse(_with_header(board, **changes))


@pytest.mark.parametrize(
    "data",
    [b"", b"a.b", b"a.b.c.d", b"a!.b.c", b"A.A.A", b"e30.W10.AA", b"x" * (CREDENTIAL_MAX + 1)],
)
def test_what_is_no_credential_is_refused(data: bytes) -> None:
    with pytest.raises(CredentialMalformedError):
        ShownCredential.parse(data)


def test_a_credential_of_something_else_is_refused(board: Board) -> None:
    with pytest.raises(CredentialMalformedError, match="no certificate"):
        ShownCredential.parse(board.forged(id="urn:other"))
