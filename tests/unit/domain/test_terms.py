"""Terms: the license's id against eth_account's typed data."""

from itertools import count
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.chain.eip712 import licenses_domain, parts_domain
from guildmark.domain.encoding.abi import AbiRangeError
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    ChainId,
    DesignId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    Uint256,
    UnitNumber,
)
from guildmark.domain.recipes.clause import NewSalt
from guildmark.domain.recipes.clauses import DisclosedClauses, clause_root, disclose, disclose_all
from guildmark.domain.rights import terms as te

CONTRACT = Address(b"\x5a" * 20)
WORDS = st.binary(min_size=32, max_size=32)
UINT40 = st.integers(0, 2**40 - 1)
UINT256 = st.integers(0, 2**256 - 1)
FIELDS = {
    "design": "bytes32",
    "designEpoch": "uint40",
    "units": "uint40",
    "holder": "bytes32",
    "notBefore": "uint40",
    "notAfter": "uint40",
    "notice": "uint40",
    "parent": "bytes32",
    "currency": "address",
    "royalty": "uint256",
    "fee": "uint256",
    "offerUntil": "uint40",
    "nonce": "uint256",
    "termsRoot": "bytes32",
}
DRAWN = st.builds(
    te.Terms,
    design=WORDS.map(DesignId),
    design_epoch=UINT40,
    units=UINT40,
    holder=WORDS.map(IdentityId),
    not_before=UINT40,
    not_after=UINT40,
    notice=UINT40,
    terms_root=WORDS.map(Digest),
    offer_until=UINT40,
    nonce=UINT256.map(Uint256),
    parent=WORDS.map(LicenseId),
    currency=st.binary(min_size=20, max_size=20).map(Address),
    royalty=UINT256.map(Uint256),
    fee=UINT256.map(Uint256),
)


def typed_data(terms: te.Terms, chain_id: int) -> dict[str, Any]:
    values = {
        name: getattr(terms, "".join(c if c.islower() else "_" + c.lower() for c in name))
        for name in FIELDS
    }
    return {
        "primaryType": "Terms",
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Terms": [{"name": name, "type": kind} for name, kind in FIELDS.items()],
        },
        "domain": {
            "name": "Guildmark Licenses",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": "0x" + CONTRACT.hex(),
        },
        "message": values | {"currency": "0x" + terms.currency.hex()},
    }


@given(DRAWN, st.integers(1, 2**53))
def test_license_id_is_the_typed_data_digest_of_eth_account(terms: te.Terms, chain_id: int) -> None:
    domain = licenses_domain(chain_id=ChainId(chain_id), contract=CONTRACT)

    signable = encode_typed_data(full_message=typed_data(terms, chain_id))

    theirs = keccak256(b"\x19" + signable.version + signable.header + signable.body)
    assert bytes(terms.license_id(domain)) == theirs


def nested_digest(primary: str, fields: dict[str, str], message: Any, terms: te.Terms) -> bytes:
    """Return eth_account's digest of a message that holds terms."""
    data = typed_data(terms, 1)
    inner = {**data["message"]}
    data["types"][primary] = [{"name": name, "type": kind} for name, kind in fields.items()]
    data |= {"primaryType": primary, "message": message | {"terms": inner}}
    signable = encode_typed_data(full_message=data)
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


@given(DRAWN)
def test_acceptance_is_the_typed_data_digest_of_eth_account(terms: te.Terms) -> None:
    domain = licenses_domain(chain_id=ChainId(1), contract=CONTRACT)

    theirs = nested_digest("Acceptance", {"terms": "Terms"}, {}, terms)

    assert bytes(domain.digest(terms.acceptance_hash())) == theirs


@given(DRAWN, UINT40, UINT40)
def test_sublicense_is_the_typed_data_digest_of_eth_account(
    terms: te.Terms, lane: int, end: int
) -> None:
    domain = licenses_domain(chain_id=ChainId(1), contract=CONTRACT)
    place = te.Place(lane=LaneNumber(lane), end=UnitNumber(end))
    fields = {"lane": "uint40", "end": "uint40", "terms": "Terms"}

    theirs = nested_digest("Sublicense", fields, {"lane": lane, "end": end}, terms)

    assert bytes(domain.digest(terms.sublicense_hash(place))) == theirs


@given(DRAWN)
def test_what_is_signed_differs_by_act(terms: te.Terms) -> None:
    place = te.Place(lane=LaneNumber(1), end=UnitNumber(2))

    hashes = {terms.struct_hash(), terms.acceptance_hash(), terms.sublicense_hash(place)}

    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("currency", "royalty", "fee", "is_owing", "value"),
    [
        (bytes(20), 0, 0, False, 0),
        (bytes(20), 1, 0, True, 0),
        (bytes(20), 0, 2, True, 2),
        (b"\1" * 20, 0, 2, True, 0),
    ],
)
def test_only_a_native_fee_goes_with_the_terms(
    currency: bytes, royalty: int, fee: int, is_owing: bool, value: int
) -> None:
    terms = te.Terms(
        design=DesignId(bytes(32)),
        design_epoch=0,
        units=1,
        holder=IdentityId(bytes(32)),
        not_before=0,
        not_after=0,
        notice=0,
        terms_root=Digest(bytes(32)),
        offer_until=0,
        nonce=Uint256(0),
        currency=Address(currency),
        royalty=Uint256(royalty),
        fee=Uint256(fee),
    )

    assert (terms.is_owing, terms.value) == (is_owing, value)


@given(DRAWN)
def test_license_id_binds_chain_contract_and_registry(terms: te.Terms) -> None:
    here = licenses_domain(chain_id=ChainId(1), contract=CONTRACT)

    others = (
        licenses_domain(chain_id=ChainId(2), contract=CONTRACT),
        licenses_domain(chain_id=ChainId(1), contract=Address(b"\x5b" * 20)),
        parts_domain(chain_id=ChainId(1), contract=CONTRACT),
    )

    assert terms.license_id(here) not in {terms.license_id(other) for other in others}


def test_terms_beyond_their_fields_have_no_hash() -> None:
    terms = te.Terms(
        design=DesignId(bytes(32)),
        design_epoch=0,
        units=2**40,
        holder=IdentityId(bytes(32)),
        not_before=0,
        not_after=0,
        notice=0,
        terms_root=Digest(bytes(32)),
        offer_until=0,
        nonce=Uint256(0),
    )

    with pytest.raises(AbiRangeError):
        terms.struct_hash()


def salts() -> NewSalt:
    numbers = count()
    return lambda: Bytes32(next(numbers).to_bytes(32, "big"))


DESIGN = DesignId(b"\xdd" * 32)
MEMBERS = te.terms_members(
    {
        te.TermsKind.REVISION: [te.revision_member(DESIGN, 1), te.revision_member(DESIGN, 2)],
        te.TermsKind.SITE: ["0x" + f"{number:064x}" for number in range(12)],
        te.TermsKind.LABEL_NAMESPACE: ["https://id.example.org/id/aaaqeayeaudaocaj/"],
        te.TermsKind.TEXT: [],
    },
    new_salt=salts(),
)


def shown(*paths: str) -> DisclosedClauses:
    disclosure = disclose(MEMBERS, paths) if paths else disclose_all(MEMBERS)
    return disclosure.verify(clause_root(MEMBERS))


def test_terms_are_one_salted_leaf_a_member() -> None:
    paths = [member.path for member in MEMBERS]

    assert len(MEMBERS) == 15
    assert paths[:2] == ["/terms/labelNamespace/0000", "/terms/revision/0000"]
    assert paths == sorted(paths)
    assert len({member.salt for member in MEMBERS}) == 15


def test_members_of_a_kind_are_found() -> None:
    revisions = te.named_in(shown(), te.TermsKind.REVISION)

    assert revisions == ("0x" + "dd" * 32 + ":1", "0x" + "dd" * 32 + ":2")


@pytest.mark.parametrize(
    ("paths", "kind", "value", "expected"),
    [
        ((), te.TermsKind.SITE, "0x" + f"{3:064x}", te.Allowance.YES),
        ((), te.TermsKind.SITE, "0x" + f"{12:064x}", te.Allowance.NO),
        ((), te.TermsKind.MACHINE, "any", te.Allowance.YES),
        (("/terms/site/0003",), te.TermsKind.SITE, "0x" + f"{3:064x}", te.Allowance.YES),
        (("/terms/site/0003",), te.TermsKind.SITE, "0x" + f"{4:064x}", te.Allowance.UNKNOWN),
        (("/terms/site/0003",), te.TermsKind.MACHINE, "any", te.Allowance.UNKNOWN),
        (
            (),
            te.TermsKind.LABEL_NAMESPACE,
            "https://id.example.org/id/aaaqeayeaudaocaj/1-00001",
            te.Allowance.YES,
        ),
        (
            (),
            te.TermsKind.LABEL_NAMESPACE,
            "https://id.example.org/id/aaaqeayeaudaocak/1-00001",
            te.Allowance.NO,
        ),
        ((), te.TermsKind.REVISION, "0x" + "dd" * 32 + ":11", te.Allowance.NO),
    ],
)
def test_terms_allow_what_they_name_and_any_of_what_they_do_not(
    paths: tuple[str, ...], kind: te.TermsKind, value: str, expected: te.Allowance
) -> None:
    assert te.allows(shown(*paths), kind, value) is expected


NAMESPACE = "https://id.example.org/id/aaaqeayeaudaocaj/"
FREE = te.terms_members({te.TermsKind.SITE: ["0x" + "11" * 32]}, new_salt=salts())


@pytest.mark.parametrize("label", [f"{NAMESPACE}1-00001", "https://other.example/id/abcdef/1"])
@pytest.mark.parametrize(
    "members",
    [
        shown(),
        shown("/terms/labelNamespace/0000"),
        shown("/terms/site/0003"),
        disclose_all(FREE).verify(clause_root(FREE)),
    ],
)
def test_a_label_begins_as_terms_have_it_where_they_surely_allow_it(
    members: DisclosedClauses, label: str
) -> None:
    allowed = te.allows(members, te.TermsKind.LABEL_NAMESPACE, label) is te.Allowance.YES

    assert label.startswith(te.label_beginnings(members)) is allowed


@pytest.mark.parametrize(
    ("namespace", "is_named"),
    [
        ("https://makers.example", True),
        ("https://makers.example/", True),
        ("https://makers.example/01/", True),
        ("https://makers.example/0", True),
        ("https://makers.example/id/", False),
        ("https://makers.exampl", False),
        ("https://makers.example:8443", False),
        ("https://", False),
        ("https:/", False),
        ("http", False),
        ("", False),
        ("makers.example/https://makers.example/", False),
    ],
)
def test_a_namespace_names_labels_of_its_whole_host(namespace: str, *, is_named: bool) -> None:
    label = "https://makers.example/01/04012345678901/21/17"
    named = te.terms_members({te.TermsKind.LABEL_NAMESPACE: [namespace]}, new_salt=salts())
    members = disclose_all(named).verify(clause_root(named))

    assert te.is_in_namespace(label, namespace) is is_named
    assert label.startswith(te.label_beginnings(members)) is is_named


@pytest.mark.parametrize("host", ["makers.example.evil.org", "makers.example.", "makers.example:8"])
def test_a_namespace_names_no_label_of_a_longer_host(host: str) -> None:
    label = f"https://{host}/01/04012345678901/21/17"

    assert not te.is_in_namespace(label, "https://makers.example")
