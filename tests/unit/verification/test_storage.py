"""The published layout equals the compiler's: slots, keys, and each packed field."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pytest

from guildmark.adapters.chain import artifacts
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, IdentityId


@pytest.mark.parametrize("mapping", storage.ALL_MAPPINGS, ids=lambda each: each.name)
def test_a_mapping_is_where_the_compiler_put_it(mapping: storage.Mapping) -> None:
    variables = {each.label: each for each in artifacts.load(mapping.contract).storage}

    found = variables[mapping.name]

    assert (found.slot, found.offset) == (mapping.number, 0)
    assert found.type.startswith("t_mapping(")


FIELDS: list[tuple[storage.Mapping, Callable[[int], Any], Mapping[str, str]]] = [
    (
        storage.IDENTITIES,
        storage.IdentityWord.decode,
        {
            "controller": "controller",
            "kind": "kind",
            "since": "since",
            "controllers": "controllers",
            "isInRecovery": "in_recovery",
            "isUnderNotice": "under_notice",
        },
    ),
    (
        storage.SCHEDULES,
        storage.ScheduleWord.decode,
        {
            "at": "at",
            "commitBy": "commit_by",
            "revealBy": "reveal_by",
            "sites": "sites",
            "committed": "committed",
        },
    ),
    (
        storage.PLAN_ENTRIES,
        storage.PlanEntryWord.decode,
        {
            "number": "number",
            "joinedAt": "joined_at",
            "committedAt": "committed_at",
            "revealedAt": "revealed_at",
        },
    ),
    (
        storage.CERTIFICATES,
        storage.CertificateWord.decode,
        {
            "verdict": "verdict",
            "from": "since",
            "to": "until",
            "suspendedAt": "suspended_at",
            "lapsedAt": "lapsed_at",
            "cause": "cause",
        },
    ),
    (storage.CONTROLLERS, storage.AccountWord.decode, {"account": "account", "from": "since"}),
    (
        storage.RECALLS,
        storage.RecallWord.decode,
        {
            "at": "at",
            "from": "since",
            "to": "until",
            "closedAt": "closed_at",
            "severity": "severity",
        },
    ),
    (storage.DESIGN_OWNERS, storage.AccountWord.decode, {"account": "account", "since": "since"}),
    (
        storage.NOTICES,
        storage.NoticeWord.decode,
        {"at": "at", "suspectedFrom": "suspected_from"},
    ),
    (storage.LINKS, storage.IntervalWord.decode, {"from": "since", "to": "until"}),
    (storage.CLAIMS, storage.IntervalWord.decode, {"from": "since", "to": "until"}),
    (
        storage.ACCREDITATIONS,
        storage.AccreditationWord.decode,
        {
            "from": "since",
            "to": "until",
            "revokedAt": "revoked_at",
            "recordedAt": "recorded_at",
        },
    ),
    (storage.PROFILE_TIMES, storage.IntervalWord.decode, {"from": "since", "to": "until"}),
    (storage.LICENSE_NUMBERS, storage.GrantedWord.decode, {"number": "number", "at": "at"}),
    (storage.ORIGINS, storage.OriginWord.decode, {"source": "source", "at": "at"}),
    (
        storage.EXTENSIONS,
        storage.ExtensionWord.decode,
        {"end": "end", "epoch": "epoch", "at": "at"},
    ),
    (
        storage.KEYS,
        storage.KeyWord.decode,
        {
            "algorithm": "algorithm",
            "from": "since",
            "to": "until",
            "noticeAt": "notice_at",
            "suspectedFrom": "suspected_from",
        },
    ),
    (
        storage.LICENSES,
        storage.LicenseWord.decode,
        {
            "units": "units",
            "notBefore": "not_before",
            "notAfter": "not_after",
            "stopAt": "stop_at",
            "notice": "notice",
            "parent": "parent",
            "depth": "depth",
        },
    ),
    (
        storage.LANES,
        storage.LaneWord.decode,
        {
            "license": "license",
            "first": "first",
            "next": "next",
            "end": "end",
            "log": "log",
            "reclaimAt": "reclaim_at",
        },
    ),
    (storage.RECIPES, storage.RecipeWord.decode, {"at": "at", "steps": "steps"}),
    (storage.STEPS, storage.StepWord.decode, {"status": "status", "at": "at"}),
]


def value_type(mapping: storage.Mapping) -> Mapping[str, Any]:
    """Return the compiler's type of the innermost value of a mapping."""
    artifact = artifacts.load(mapping.contract)
    name = next(each.type for each in artifact.storage if each.label == mapping.name)
    while "value" in artifact.types[name]:
        name = artifact.types[name]["value"]
    return {**artifact.types[name], "types": artifact.types}


@pytest.mark.parametrize(("mapping", "decode", "names"), FIELDS, ids=lambda each: str(each)[:40])
def test_a_packed_word_has_the_compilers_fields(
    mapping: storage.Mapping, decode: Callable[[int], Any], names: Mapping[str, str]
) -> None:
    packed = value_type(mapping)
    members = {member["label"]: member for member in packed["members"]}

    assert set(members) == set(names)
    for label, member in members.items():
        width = 8 * int(packed["types"][member["type"]]["numberOfBytes"])
        word = ((1 << width) - 1) << (8 * member["offset"])
        decoded = {
            name: int.from_bytes(value, "big") if isinstance(value, bytes) else value
            for name, value in asdict(decode(word)).items()
        }
        assert member["slot"] == "0"
        assert decoded == dict.fromkeys(decoded, 0) | {names[label]: (1 << width) - 1}


@pytest.mark.parametrize(
    ("mapping", "size"),
    [
        (storage.PROFILES, 32),
        (storage.LINK_COUNTS, 5),
        (storage.REVISIONS, 32),
        (storage.LICENSE_IDS, 32),
        (storage.LANE_HOLDERS, 32),
        (storage.SITE_RECIPES, 5),
        (storage.OPERATORS, 32),
        (storage.RECORDS, 32),
        (storage.FATES, 8),
        (storage.SCOPES, 32),
        (storage.RESULTS, 32),
        (storage.COUNTERS, 32),
        (storage.PLAN_COUNTS, 5),
        (storage.PLANS, 32),
        (storage.RECALL_COUNTS, 5),
        (storage.RECALL_REASONS, 32),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_a_plain_word_has_the_compilers_size(mapping: storage.Mapping, size: int) -> None:
    assert value_type(mapping)["numberOfBytes"] == str(size)


def test_every_mapping_is_compared() -> None:
    plain = {"_profiles", "_linkCounts", "_revisions", "_ids", "_holders"}
    plain |= {"_siteRecipes", "_operators", "_records", "_fates"}
    plain |= {"_scopes", "_results", "_counters", "_counts", "_plans", "_reasons"}

    packed = {mapping.name for mapping, *_ in FIELDS}

    assert {each.name for each in storage.ALL_MAPPINGS} == plain | packed


def test_keys_are_hashed_outermost_first() -> None:
    number, name = storage.LINKS.number.to_bytes(32, "big"), b"\1" * 32
    inner = keccak256(b"\2" * 32 + keccak256(name + number))

    location = storage.LINKS.at(name, b"\2" * 32, 3)

    assert location.contract is ContractName.IDENTITIES
    assert location.slot == keccak256((3).to_bytes(32, "big") + inner)


def test_identity_ids_and_addresses_are_read_from_words() -> None:
    assert storage.identity_of(5) == IdentityId((5).to_bytes(32, "big"))
    assert storage.IdentityWord.decode(7).controller == Address((7).to_bytes(20, "big"))
