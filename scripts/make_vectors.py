"""Write tests/vectors/: the digests and layouts that Python, Solidity and pages must share.

Bytes are 0x-hex. Integers are JSON numbers, or decimal strings where they may pass 2^53. Every file
is {"about": ..., "cases": [...]}; the values are chosen, the digests are computed by the domain.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import coincurve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from guildmark.domain.builds.dsse import Envelope, envelope_digest, pre_authentication_encoding
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.chain.eip712 import licenses_domain, parts_domain, supersede_hash, void_hash
from guildmark.domain.encoding import codec
from guildmark.domain.equivalence.sampling import drawn
from guildmark.domain.identifiers import (
    UINT64_MAX,
    ZERO32,
    Address,
    Bytes32,
    ChainId,
    DesignId,
    Digest,
    EquivalencePlanId,
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
    PartId,
    RecipeId,
    Seq,
    SiteRecipeId,
    Uint256,
    UnitNumber,
    to_hex,
)
from guildmark.domain.identity.accreditation import ScopeDocument, accreditation_id
from guildmark.domain.identity.identity import ClaimDocument, identity_id, key_id, scheme_bytes
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.merkle import MerkleTree, leaf_hash
from guildmark.domain.log.record import Grant, Record
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType, Criticality
from guildmark.domain.recipes.clauses import clause_root
from guildmark.domain.recipes.recipe import Change, Recipe, SiteRecipe
from guildmark.domain.rights.design import Commitment, Revision
from guildmark.domain.rights.terms import Place, Terms
from guildmark.domain.signatures import Algorithm, PublicKey

VECTORS = Path(__file__).parent.parent / "tests" / "vectors"

CHAIN = ChainId(4_294_967_311)
CONTRACT = Address(b"\x5a" * 20)
OWNER = Address(b"\x6b" * 20)

Case = dict[str, Any]


def main() -> None:
    """Write every file."""
    VECTORS.mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        text = json.dumps(document, indent=1) + "\n"
        (VECTORS / f"{name}.json").write_text(text, encoding="utf-8")


def documents() -> dict[str, Case]:
    """Return each file's content under its name."""
    files: dict[str, tuple[str, Sequence[Case]]] = {
        "entry": (_ABOUT_ENTRY, _entries()),
        "record": (_ABOUT_RECORD, _records()),
        "tree": (_ABOUT_TREE, [_tree(count) for count in (1, 2, 3, 5, 8, 13, 33, 257, 2**20)]),
        "terms": (_ABOUT_TERMS, _terms()),
        "part": (_ABOUT_PART, _parts()),
        "identity": (_ABOUT_IDENTITY, _identities()),
        "key": (_ABOUT_KEY, _keys()),
        "claim": (_ABOUT_CLAIM, _claims()),
        "accreditation": (_ABOUT_ACCREDITATION, _accreditations()),
        "design": (_ABOUT_DESIGN, _designs()),
        "revision": (_ABOUT_REVISION, _revisions()),
        "recipe": (_ABOUT_RECIPE, _recipes()),
        "site-recipe": (_ABOUT_SITE_RECIPE, _site_recipes()),
        "clause": (_ABOUT_CLAUSE, _clauses()),
        "envelope": (_ABOUT_ENVELOPE, _envelopes()),
        "draw": (_ABOUT_DRAW, _draws()),
    }
    return {name: {"about": about, "cases": cases} for name, (about, cases) in files.items()}


def _word(text: str) -> Bytes32:
    """Return 32 bytes that look like an id and are told by their name."""
    return Bytes32(hashlib.sha256(text.encode()).digest())


_ABOUT_ENTRY = (
    "encoded = abi.encode(Entry); leafData = SHA-256(keccak256('guildmark/entry/v1') || salt ||"
    " encoded); leafHash = SHA-256(0x00 || leafData)"
)


def _entries() -> list[Case]:
    entry = Entry(
        kind=EntryKind.BUILD,
        subject=Digest(_word("subject")),
        envelope=Digest(_word("envelope")),
        site_recipe=SiteRecipeId(_word("site recipe")),
        machine=IdentityId(_word("machine")),
        maker=IdentityId(_word("maker")),
        dependencies=Digest(_word("dependencies")),
    )
    others = (
        replace(entry, kind=EntryKind.CORRECTION, previous=1),
        replace(entry, kind=EntryKind.RECEIPT, previous=UINT64_MAX),
    )
    return [_entry(one, _word("salt")) for one in (entry, *others)]


def _entry(entry: Entry, salt: Bytes32) -> Case:
    return {
        "entry": {
            "kind": int(entry.kind),
            "subject": to_hex(entry.subject),
            "envelope": to_hex(entry.envelope),
            "siteRecipe": to_hex(entry.site_recipe),
            "machine": to_hex(entry.machine),
            "maker": to_hex(entry.maker),
            "dependencies": to_hex(entry.dependencies),
            "previous": str(entry.previous),
        },
        "salt": to_hex(salt),
        "encoded": to_hex(entry.encode()),
        "leafData": to_hex(entry.leaf_data(salt)),
        "leafHash": to_hex(leaf_hash(entry.leaf_data(salt))),
    }


_ABOUT_RECORD = (
    "encoded = abi.encode(Record); digest = keccak256(encoded); units[i] is what the entry at"
    " position units[i].position has, lane 0 and unit 0 where nothing was granted"
)


def _records() -> list[Case]:
    plain = _record(count=1, first_index=0)
    one = _record(count=20, first_index=40, grants=(_grant(3, 20, 41),))
    mixed = _record(
        count=9, first_index=2**40, grants=(_grant(1, 2, 41), _grant(2, 3, 0), _grant(3, 2, 7))
    )
    tick = replace(_record(count=0, first_index=0), log=LogNumber(0), root=Digest(bytes(32)))
    return [_record_case(record) for record in (plain, one, mixed, tick)]


def _record(*, count: int, first_index: int, grants: tuple[Grant, ...] = ()) -> Record:
    return Record(
        log=LogNumber(7),
        seq=Seq(4),
        first_index=Index(first_index),
        count=count,
        time=1_800_000_000,
        parent=_word("parent"),
        root=Digest(_word("root")),
        grants=grants,
    )


def _grant(lane: int, n: int, first_unit: int) -> Grant:
    return Grant(lane=LaneNumber(lane), n=n, first_unit=UnitNumber(first_unit))


def _record_case(record: Record) -> Case:
    return {
        "record": {
            "log": record.log,
            "seq": record.seq,
            "firstIndex": record.first_index,
            "count": record.count,
            "time": record.time,
            "parent": to_hex(record.parent),
            "root": to_hex(record.root),
            "grants": [
                {"lane": one.lane, "n": one.n, "firstUnit": one.first_unit} for one in record.grants
            ],
        },
        "encoded": to_hex(record.encode()),
        "digest": to_hex(record.digest()),
        "units": [_unit(record, position) for position in range(record.count)],
    }


def _unit(record: Record, position: int) -> Case:
    found = record.unit_at(position)
    lane, unit = (found.lane, found.unit) if found else (0, 0)
    return {"position": position, "lane": lane, "unit": unit}


_ABOUT_TREE = (
    "The data of leaf i is SHA-256 of i as 8 bytes, big-endian. paths: RFC 9162 inclusion paths,"
    " leaf to root. consistency: proofs from `old` leaves to all of them. multiproofs: hashes level"
    " by level from the leaves up, left to right"
)


def _tree(count: int) -> Case:
    tree = MerkleTree(_leaf(index) for index in range(count))
    some = sorted({0, count // 3, count // 2, count - 1})
    olds = sorted({1, count // 3 or 1, count // 2 or 1, count - 1 or 1, count})
    return {
        "count": count,
        "root": to_hex(tree.root()),
        "paths": [
            {
                "index": index,
                "leafData": to_hex(_leaf(index)),
                "path": _hexes(tree.inclusion_path(index)),
            }
            for index in some
        ],
        "consistency": [
            {
                "old": old,
                "oldRoot": to_hex(tree.root(old)),
                "proof": _hexes(tree.consistency_proof(old)),
            }
            for old in olds
        ],
        "multiproofs": [{"indices": some, "proof": _hexes(tree.multiproof(some))}],
    }


def _leaf(index: int) -> bytes:
    return hashlib.sha256(index.to_bytes(8, "big")).digest()


def _hexes(values: Sequence[bytes]) -> list[str]:
    return [to_hex(value) for value in values]


_ABOUT_TERMS = (
    "licenseId = the EIP-712 digest of terms under the domain 'Guildmark Licenses', '1', chainId,"
    " contract; acceptance and sublicense are digests of Acceptance(Terms terms) and"
    " Sublicense(uint40 lane,uint40 end,Terms terms) under it"
)


def _terms() -> list[Case]:
    plain = Terms(
        design=DesignId(_word("design")),
        design_epoch=0,
        units=60,
        holder=IdentityId(_word("maker")),
        not_before=1_800_000_000,
        not_after=0,
        notice=86_400,
        terms_root=Digest(_word("terms root")),
        offer_until=1_800_600_000,
        nonce=Uint256(1),
    )
    full = replace(
        plain,
        design_epoch=2,
        not_after=2**40 - 1,
        parent=LicenseId(_word("parent license")),
        currency=Address(b"\x7c" * 20),
        royalty=Uint256(10**18),
        fee=Uint256(2**256 - 1),
        nonce=Uint256(2**255),
    )
    return [_terms_case(terms) for terms in (plain, full)]


def _terms_case(terms: Terms) -> Case:
    domain = licenses_domain(chain_id=CHAIN, contract=CONTRACT)
    place = Place(lane=LaneNumber(2**40 - 1), end=UnitNumber(61))
    return {
        "chainId": CHAIN,
        "contract": to_hex(CONTRACT),
        "terms": {
            "design": to_hex(terms.design),
            "designEpoch": terms.design_epoch,
            "units": terms.units,
            "holder": to_hex(terms.holder),
            "notBefore": terms.not_before,
            "notAfter": terms.not_after,
            "notice": terms.notice,
            "parent": to_hex(terms.parent),
            "currency": to_hex(terms.currency),
            "royalty": str(terms.royalty),
            "fee": str(terms.fee),
            "offerUntil": terms.offer_until,
            "nonce": str(terms.nonce),
            "termsRoot": to_hex(terms.terms_root),
        },
        "separator": to_hex(domain.separator()),
        "structHash": to_hex(terms.struct_hash()),
        "licenseId": to_hex(terms.license_id(domain)),
        "acceptance": to_hex(domain.digest(terms.acceptance_hash())),
        "lane": place.lane,
        "end": place.end,
        "sublicense": to_hex(domain.digest(terms.sublicense_hash(place))),
    }


_ABOUT_PART = (
    "tokenId = log << 64 | index; void and supersede are EIP-712 digests under the domain"
    " 'Guildmark Parts', '1', chainId, contract"
)


def _parts() -> list[Case]:
    domain = parts_domain(chain_id=CHAIN, contract=CONTRACT)
    cases: list[Case] = []
    for log, index in ((1, 0), (7, 1042), (2**40 - 1, UINT64_MAX - 1)):
        part = PartId(chain_id=CHAIN, build_log=OWNER, log=LogNumber(log), index=Index(index))
        by_index = Index(index + 1)
        cases.append(
            {
                "chainId": CHAIN,
                "contract": to_hex(CONTRACT),
                "log": log,
                "index": str(index),
                "tokenId": str(part.token_id),
                "byIndex": str(by_index),
                "void": to_hex(domain.digest(void_hash(part))),
                "supersede": to_hex(domain.digest(supersede_hash(part, by_index))),
            }
        )
    return cases


_ABOUT_IDENTITY = (
    "id = keccak256(abi.encode(keccak256('guildmark/identity/v1'), chainId, registry, controller,"
    " salt))"
)


def _identities() -> list[Case]:
    salt = _word("identity salt")
    made = identity_id(chain_id=CHAIN, registry=CONTRACT, controller=OWNER, salt=salt)
    return [
        {
            "chainId": CHAIN,
            "registry": to_hex(CONTRACT),
            "controller": to_hex(OWNER),
            "salt": to_hex(salt),
            "id": to_hex(made),
        }
    ]


_ABOUT_KEY = (
    "id = keccak256(abi.encode(keccak256('guildmark/key/v1'), machine, uint8 algorithm, bytes"
    " publicKey)); algorithm 1 = secp256k1, 2 = P-256, 3 = Ed25519"
)
_P256_BASE = bytes.fromhex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")


def _keys() -> list[Case]:
    keys = (
        _secp256k1_key(),
        PublicKey(algorithm=Algorithm.P256, data=_P256_BASE),
        _ed25519_key(),
    )
    machine = IdentityId(_word("machine"))
    return [
        {
            "machine": to_hex(machine),
            "algorithm": int(key.algorithm),
            "publicKey": to_hex(key.data),
            "id": to_hex(key_id(machine, key)),
        }
        for key in keys
    ]


def _secp256k1_key() -> PublicKey:
    data = coincurve.PrivateKey(_word("secret")).public_key.format()
    return PublicKey(algorithm=Algorithm.SECP256K1, data=data)


def _ed25519_key() -> PublicKey:
    secret = Ed25519PrivateKey.from_private_bytes(_word("secret"))
    return PublicKey(algorithm=Algorithm.ED25519, data=secret.public_key().public_bytes_raw())


_ABOUT_CLAIM = (
    "digest = SHA-256('guildmark/claim/v1' || salt || scheme || 0x00 || value); id ="
    " keccak256(abi.encode(keccak256('guildmark/claim/v1'), issuer, subject, scheme32, digest))"
)


def _claims() -> list[Case]:
    claim = ClaimDocument(scheme="LEI", value="506700GE1G29325QX363", salt=_word("claim salt"))
    issuer, subject = IdentityId(_word("issuer")), IdentityId(_word("maker"))
    return [
        {
            "issuer": to_hex(issuer),
            "subject": to_hex(subject),
            "scheme": claim.scheme,
            "scheme32": to_hex(scheme_bytes(claim.scheme)),
            "value": claim.value,
            "salt": to_hex(claim.salt),
            "digest": to_hex(claim.digest()),
            "id": to_hex(claim.claim_id(issuer=issuer, subject=subject)),
        }
    ]


_ABOUT_ACCREDITATION = (
    "scope = SHA-256('guildmark/scope/v1' || salt || RFC 8785 text of document); id ="
    " keccak256(abi.encode(keccak256('guildmark/accreditation/v1'), issuer, subject, scope))"
)


def _accreditations() -> list[Case]:
    public = ScopeDocument(standard="ISO 9001", delegations=1)
    salted = ScopeDocument(
        standard="ISO 13485",
        processes=("additive manufacturing",),
        materials=("PA12", "PLA"),
        sites=(IdentityId(_word("site")),),
        certificate="DE-2026-0815",
        salt=_word("scope salt"),
    )
    issuer, subject = IdentityId(_word("issuer")), IdentityId(_word("maker"))
    return [
        {
            "issuer": to_hex(issuer),
            "subject": to_hex(subject),
            "document": codec.dump(replace(scope, salt=Bytes32(ZERO32))),
            "salt": to_hex(scope.salt),
            "scope": to_hex(scope.digest()),
            "id": to_hex(accreditation_id(issuer=issuer, subject=subject, scope=scope.digest())),
        }
        for scope in (public, salted)
    ]


_ABOUT_DESIGN = (
    "id = keccak256(abi.encode(keccak256('guildmark/design/v1'), chainId, registry, owner, root,"
    " salt))"
)


def _designs() -> list[Case]:
    root, salt = Digest(_word("design root")), _word("design salt")
    commitment = Commitment(chain_id=CHAIN, registry=CONTRACT, owner=OWNER, root=root, salt=salt)
    return [
        {
            "chainId": CHAIN,
            "registry": to_hex(CONTRACT),
            "owner": to_hex(OWNER),
            "root": to_hex(root),
            "salt": to_hex(salt),
            "id": to_hex(commitment.design_id()),
        }
    ]


_ABOUT_REVISION = "digest = keccak256(abi.encode(Revision))"


def _revisions() -> list[Case]:
    first = Revision(
        design=DesignId(_word("design")),
        number=1,
        root=Digest(_word("design root")),
        ciphertext=Digest(_word("ciphertext")),
        manifest=Digest(_word("manifest")),
        at=1_800_000_000,
    )
    derived = (Digest(_word("other revision")), first.digest())
    return [_revision(one) for one in (first, replace(first, number=2, derived_from=derived))]


def _revision(revision: Revision) -> Case:
    return {
        "revision": {
            "design": to_hex(revision.design),
            "number": revision.number,
            "root": to_hex(revision.root),
            "ciphertext": to_hex(revision.ciphertext),
            "manifest": to_hex(revision.manifest),
            "at": revision.at,
            "derivedFrom": _hexes(revision.derived_from),
        },
        "digest": to_hex(revision.digest()),
    }


_ABOUT_RECIPE = "id = keccak256(abi.encode(keccak256('guildmark/recipe/v1'), Recipe))"


def _recipes() -> list[Case]:
    first = Recipe(root=Digest(_word("clauses")), design=DesignId(_word("design")), revision=1)
    second = replace(
        first,
        revision=2,
        supersedes=first.id(),
        change=Change.REQUALIFY,
        plan=Digest(_word("plan")),
    )
    return [_recipe(one) for one in (first, second)]


def _recipe(recipe: Recipe) -> Case:
    return {
        "recipe": {
            "root": to_hex(recipe.root),
            "design": to_hex(recipe.design),
            "revision": recipe.revision,
            "supersedes": to_hex(recipe.supersedes),
            "change": int(recipe.change),
            "plan": to_hex(recipe.plan),
        },
        "id": to_hex(recipe.id()),
    }


_ABOUT_SITE_RECIPE = "id = keccak256(abi.encode(keccak256('guildmark/site-recipe/v1'), SiteRecipe))"


def _site_recipes() -> list[Case]:
    recipe = SiteRecipe(
        master=RecipeId(_word("recipe")),
        site=IdentityId(_word("site")),
        model=Digest(_word("model")),
        root=Digest(_word("site clauses")),
    )
    members = {
        "master": to_hex(recipe.master),
        "site": to_hex(recipe.site),
        "model": to_hex(recipe.model),
        "root": to_hex(recipe.root),
    }
    return [{"recipe": members, "id": to_hex(recipe.id())}]


_ABOUT_CLAUSE = (
    "leafData = SHA-256(keccak256('guildmark/clause/v1') || salt || class || type || criticality ||"
    " path || value || min || max || unit): one byte each for class (core 1, window 2, custom 3,"
    " site 4), type (quantity 1, text 2) and criticality (minor 1, major 2, critical 3); path is"
    " its length in 4 bytes and its UTF-8 bytes; each other text is 0x00 where absent, else 0x01"
    " and the same form. root is the RFC 9162 root over the leaf data in the order of the paths"
)


def _clauses() -> list[Case]:
    clauses = (
        _clause("/material/grade", ClauseClass.CORE, value="PA12 \u2013 grade A"),
        _clause("/process/layer_height", ClauseClass.WINDOW, bounds=("0.10", "0.30"), unit="mm"),
        _clause("/process/nozzle", ClauseClass.SITE, unit="mm"),
        _clause("/tolerance/bore", ClauseClass.CORE, value="8", bounds=("7.9", "8.1"), unit="mm"),
    )
    leaves = [{"clause": one.to_json(), "leafData": to_hex(one.leaf_data())} for one in clauses]
    return [{"leaves": leaves, "root": to_hex(clause_root(clauses))}]


def _clause(
    path: str,
    klass: ClauseClass,
    *,
    value: str | None = None,
    bounds: tuple[str | None, str | None] = (None, None),
    unit: str | None = None,
) -> Clause:
    return Clause(
        path=ClausePath(path),
        type=ClauseType.QUANTITY if unit else ClauseType.TEXT,
        klass=klass,
        salt=_word(path),
        value=value,
        minimum=bounds[0],
        maximum=bounds[1],
        unit=unit,
        criticality=Criticality.CRITICAL if klass is ClauseClass.CORE else Criticality.MINOR,
    )


_ABOUT_ENVELOPE = (
    "signed = DSSE pre-authentication encoding of payloadType and payload; signature: ECDSA over"
    " SHA-256(signed) as r || s with low s, or Ed25519 over signed; digest = SHA-256(envelope)"
)


def _envelopes() -> list[Case]:
    signers = (
        (_secp256k1_key(), _sign_secp256k1),
        (_ed25519_key(), Ed25519PrivateKey.from_private_bytes(_word("secret")).sign),
    )
    machine, payload = IdentityId(_word("machine")), b'{"_type":"an example"}'
    cases: list[Case] = []
    for key, sign in signers:
        envelope = Envelope.sign(
            payload, payload_type=PAYLOAD_TYPE, signers={key_id(machine, key): sign}
        )
        cases.append(
            {
                "payloadType": PAYLOAD_TYPE,
                "payload": to_hex(payload),
                "signed": to_hex(pre_authentication_encoding(PAYLOAD_TYPE, payload)),
                "algorithm": int(key.algorithm),
                "publicKey": to_hex(key.data),
                "keyId": to_hex(envelope.signatures[0].key),
                "signature": to_hex(envelope.signatures[0].signature),
                "envelope": envelope.encode().decode(),
                "digest": to_hex(envelope_digest(envelope.encode())),
            }
        )
    return cases


def _sign_secp256k1(data: bytes) -> bytes:
    r, s = decode_dss_signature(coincurve.PrivateKey(_word("secret")).sign(data))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


_ABOUT_DRAW = (
    "order: the places (log, index) ascending by SHA-256('guildmark/equivalence/draw/v1' || parent"
    " || plan || site || log in eight bytes || index in eight bytes); a plan that measures n units"
    " takes the first n"
)


def _draws() -> Sequence[Case]:
    return [_draw(count) for count in (1, 3, 12)]


def _draw(count: int) -> Case:
    parent, plan, site = (_word(f"{name} {count}") for name in ("parent", "plan", "site"))
    places = [(LogNumber(1 + number % 2), Index(number * 7)) for number in range(count)]
    order = drawn(places, parent, EquivalencePlanId(plan), IdentityId(site))
    return {
        "parent": to_hex(parent),
        "plan": to_hex(plan),
        "site": to_hex(site),
        "places": [list(place) for place in places],
        "order": [list(place) for place in order],
    }


if __name__ == "__main__":
    main()
