"""The trust file: strict to read, plain to write, entries with their dates."""

import json
from dataclasses import replace
from typing import Any

import pytest

from fakes.notes import key
from guildmark.domain import trust as trust_file
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName, ContractPin
from guildmark.domain.identifiers import Address, ChainId, Digest, IdentityId
from guildmark.domain.log.note import NoteMalformedError
from guildmark.domain.trust import (
    Listed,
    Policy,
    Trust,
    TrustConflictError,
    TrustedBlock,
    TrustFileError,
    Witness,
    combine,
)

PIN = ChainPin(
    chain_id=ChainId(2**40),
    genesis=Digest(b"\1" * 32),
    chain_class=ChainClass.LOCAL,
    contracts={
        ContractName.LOG: ContractPin(address=Address(b"\2" * 20), code_hash=Digest(b"\3" * 32))
    },
)
ID, OTHER = IdentityId(b"\4" * 32), IdentityId(b"\5" * 32)
BLOCK = TrustedBlock(number=7, hash=Digest(b"\6" * 32), time=1000)
TRUST = Trust(
    version=1,
    chain=PIN,
    operators=(Listed(id=ID, name="One", since=5, until=9),),
    issuers=(Listed(id=OTHER),),
    blocks=(BLOCK,),
)


def document() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(trust_file.serialise(TRUST))
    return parsed


def test_a_trust_file_is_read_back() -> None:
    assert trust_file.parse(trust_file.serialise(TRUST)) == TRUST


def test_the_text_is_for_people() -> None:
    text = trust_file.serialise(TRUST).decode()

    assert text.endswith("}\n")
    assert document() == {
        "version": 1,
        "chain": {
            "chainId": 2**40,
            "genesis": "0x" + "01" * 32,
            "class": "local",
            "contracts": {"log": {"address": "0x" + "02" * 20, "codeHash": "0x" + "03" * 32}},
        },
        "operators": [{"id": "0x" + "04" * 32, "name": "One", "from": 5, "to": 9}],
        "issuers": [{"id": "0x" + "05" * 32}],
        "blocks": [{"number": 7, "hash": "0x" + "06" * 32, "time": 1000}],
        "policy": {"required": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12], "maxAge": 2592000},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "The trust file has version 2, this reader knows 1."),
        ({"chains": []}, "has an unknown member 'chains'"),
        ({"chain": {}}, "/chain lacks the member 'chainId'"),
        ({"policy": {"required": [0, 11]}}, "check 11, which this version cannot perform"),
        ({"policy": {"required": [1, 0, 2, 3, 4]}}, "out of order or twice"),
        ({"policy": {"required": [0, 1, 1, 2, 3, 4]}}, "out of order or twice"),
        ({"policy": {"required": [1, 2, 3, 4]}}, "does not ask for check 0"),
        ({"policy": {"required": [0, 1, 2, 3]}}, "does not ask for check 4"),
        ({"policy": {"maxAge": -1}}, "/policy/maxAge must not be negative"),
        ({"operators": [{"id": "0x00"}]}, "/operators/0/id must have 32 bytes, found 1"),
    ],
)
def test_another_trust_file_is_refused(change: dict[str, Any], message: str) -> None:
    data = json.dumps({**document(), **change}).encode()

    with pytest.raises(TrustFileError, match=message):
        trust_file.parse(data)


def test_blocks_stand_once_and_in_order() -> None:
    blocks = document()["blocks"] * 2

    with pytest.raises(TrustFileError, match="blocks out of order or twice"):
        trust_file.parse(json.dumps({**document(), "blocks": blocks}).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}'])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(TrustFileError, match="The trust file cannot be read"):
        trust_file.parse(data)


@pytest.mark.parametrize(("time", "holds"), [(4, False), (5, True), (8, True), (9, False)])
def test_an_entry_holds_between_its_dates(time: int, *, holds: bool) -> None:
    assert TRUST.lists_operator(ID, time) is holds


def test_an_entry_without_dates_holds_always() -> None:
    assert TRUST.lists_issuer(OTHER, 0)
    assert TRUST.lists_issuer(OTHER, 2**40)
    assert not TRUST.lists_issuer(ID, 7)
    assert not TRUST.lists_operator(OTHER, 7)


def test_a_block_is_added_once() -> None:
    later = TrustedBlock(number=9, hash=Digest(b"\7" * 32), time=1100)
    earlier = TrustedBlock(number=3, hash=Digest(b"\x08" * 32), time=900)

    grown = TRUST.with_block(later).with_block(earlier)

    assert [block.number for block in grown.blocks] == [3, 7, 9]
    assert grown.newest_block() == later
    assert grown.block(7) == BLOCK
    assert grown.block(8) is None
    assert grown.with_block(later) is grown
    with pytest.raises(TrustFileError, match="Block 7 is in the trust file with another hash"):
        grown.with_block(TrustedBlock(number=7, hash=Digest(b"\7" * 32), time=1000))


def test_no_block_is_the_newest_of_none() -> None:
    assert Trust(version=1, chain=PIN).newest_block() is None


def test_parties_are_added_or_replaced() -> None:
    grown = TRUST.with_parties(operators=[Listed(id=OTHER), Listed(id=ID, until=3)], issuers=[])

    assert grown.operators == (Listed(id=OTHER), Listed(id=ID, until=3))
    assert grown.issuers == TRUST.issuers


def test_the_shipped_policy_asks_for_every_check_that_exists() -> None:
    assert Policy().required == (*range(11), 12)


def test_a_file_of_an_older_version_asks_for_what_it_says() -> None:
    older = {**document(), "policy": {"required": list(range(9)), "maxAge": 5}}

    parsed = trust_file.parse(json.dumps(older).encode())

    assert parsed.policy == Policy(required=tuple(range(9)), max_age=5)


def test_an_issuers_times_are_those_of_all_his_entries() -> None:
    entries = (Listed(id=OTHER, since=1, until=5), Listed(id=ID), Listed(id=OTHER, since=7))

    times = replace(TRUST, issuers=entries).issuer_times(OTHER)

    assert [(each.since, each.until) for each in times] == [(1, 5), (7, 0)]
    assert TRUST.issuer_times(ID) == ()


def test_several_trust_files_list_whom_one_of_them_lists() -> None:
    later = TrustedBlock(number=9, hash=Digest(b"\7" * 32), time=1100)
    other = Trust(
        version=1,
        chain=PIN,
        operators=(Listed(id=ID, since=20), TRUST.operators[0]),
        issuers=(Listed(id=ID, until=50),),
        blocks=(BLOCK, later),
        policy=Policy(required=(0, 1, 2, 3, 4), max_age=60),
    )

    both = combine([TRUST, other])

    assert both.operators == (TRUST.operators[0], Listed(id=ID, since=20))
    assert [both.lists_operator(ID, time) for time in (5, 9, 20)] == [True, False, True]
    assert both.issuers == (Listed(id=OTHER), Listed(id=ID, until=50))
    assert both.blocks == (BLOCK, later)
    assert both.policy == Policy(max_age=60)
    assert combine([TRUST]) is TRUST
    assert combine([TRUST, TRUST]) == TRUST


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"chain_id": ChainId(2**41)}, "chain_id"),
        ({"genesis": Digest(b"\7" * 32)}, "genesis"),
        ({"chain_class": ChainClass.PUBLIC}, "chain_class"),
        ({"contracts": {}}, "contracts"),
    ],
)
def test_trust_files_of_different_chains_are_not_combined(
    change: dict[str, Any], member: str
) -> None:
    elsewhere = replace(TRUST, chain=replace(PIN, **change))

    with pytest.raises(TrustConflictError, match=f"different chains: their {member} differ") as no:
        combine([TRUST, elsewhere])

    assert no.value.detail == {"member": member}


@pytest.mark.parametrize("change", [{"hash": Digest(b"\7" * 32)}, {"time": 1001}])
def test_trust_files_that_name_another_block_are_not_combined(change: dict[str, Any]) -> None:
    with pytest.raises(TrustConflictError, match="name block 7 with another hash or time"):
        combine([TRUST, replace(TRUST, blocks=(replace(BLOCK, **change),))])


def watching(*names: str) -> tuple[Witness, ...]:
    return tuple(Witness(key=key(name).encode()) for name in names)


def test_witnesses_are_written_and_read() -> None:
    own = replace(watching("w2")[0], since=5, until=9)
    trust = TRUST.with_witnesses((*watching("w1"), own), 2)

    assert trust_file.parse(trust_file.serialise(trust)) == trust
    assert trust.witness_keys(4) == trust.witness_keys(9) == (key("w1"),)
    assert trust.witness_keys(5) == trust.witness_keys(8) == (key("w1"), key("w2"))


def test_a_file_without_witnesses_stays_as_it_was() -> None:
    assert b"witnesses" not in trust_file.serialise(TRUST)
    assert b"quorum" not in trust_file.serialise(TRUST)


@pytest.mark.parametrize(
    ("names", "quorum"), [(("a",), 0), (("a",), 2), ((), 1), (("a", "a"), 1), (("a", "b"), -1)]
)
def test_an_impossible_quorum_is_refused(names: tuple[str, ...], quorum: int) -> None:
    with pytest.raises(TrustFileError):
        TRUST.with_witnesses(watching(*names), quorum)


def test_a_witness_without_a_key_is_refused() -> None:
    with pytest.raises(NoteMalformedError):
        Witness(key="name")


def test_files_together_ask_for_the_witnesses_of_the_one_that_has_some() -> None:
    watched = TRUST.with_witnesses(watching("a", "b"), 2)

    assert combine([TRUST, watched]) == combine([watched, TRUST]) == combine([watched, watched])
    assert combine([TRUST, watched]).quorum == 2
    with pytest.raises(TrustConflictError) as caught:
        combine([watched, TRUST.with_witnesses(watching("a", "b"), 1)])
    assert caught.value.detail == {"member": "witnesses"}
