"""The deployed system from identity to anchored batch, over Brownie's own encoders."""

import brownie
import pytest
from brownie import chain, web3
from eth_abi import encode
from eth_keys.datatypes import PrivateKey

from conftest import ORGANIZATION, SITE

SALT = b"salt".rjust(32, b"\0")
ROOT = b"root".rjust(32, b"\0")
NEVER = 2**40 - 1


def register(system, kind, controller):
    done = system["identities"].register(kind, SALT, SALT, {"from": controller})
    return done.events["IdentityRegistered"]["id"]


def register_design(system, owner):
    designs = system["designs"]
    domain = web3.keccak(text="guildmark/design/v1")
    values = [domain, chain.id, designs.address, owner.address, ROOT, SALT]
    kinds = ["bytes32", "uint256", "address", "address", "bytes32", "bytes32"]
    designs.commit(web3.keccak(encode(kinds, values)), {"from": owner})
    chain.sleep(60)
    chain.mine()
    done = designs.register(ROOT, SALT, SALT, SALT, "bafy", {"from": owner})
    return done.events["DesignRegistered"]["design"]


def sign(owner, digest):
    key = PrivateKey(bytes.fromhex(owner.private_key.removeprefix("0x")))
    signature = key.sign_msg_hash(digest).to_bytes()
    return signature[:64] + bytes([27 + signature[64]])


def terms_of(design, holder, units):
    nothing = brownie.ZERO_ADDRESS
    return (design, 0, units, holder, 0, 0, 0, b"\0" * 32, nothing, 0, 0, NEVER, 1, ROOT)


@pytest.fixture
def lane(system, people):
    """A lane of the site over 20 units, drawn by the operator's first log."""
    maker = register(system, ORGANIZATION, people.maker)
    site = register(system, SITE, people.site)
    operator = register(system, ORGANIZATION, people.operator)
    system["log"].open(operator, people.writer, 0, {"from": people.operator})
    terms = terms_of(register_design(system, people.designer), maker, 60)
    digest = bytes(system["licenses"].licenseId(terms))
    signature = sign(people.designer, digest)
    granted = system["licenses"].grant(terms, signature, b"", {"from": people.maker})
    first = granted.events["LicenseGranted"]["lane"]
    split = system["licenses"].split(first, 61, 20, 1, site, {"from": people.maker})
    return split.events["LaneSplit"]["lane"]


def append(system, people, seq, lane, n):
    """Log n builds and return what the record says of the one draw: lane, n, first unit."""
    draws = [(lane, n)]
    done = system["log"].append(1, seq, n, SALT, draws, {"from": people.writer})
    return [int(value) for value in done.events[-1]["record"]["grants"][0]]


def test_directory_names_the_deployed_contracts(system):
    named = system["directory"].contracts()

    built = ("identities", "designs", "licenses", "recipes", "log", "parts")
    order = (*built, "equivalence", "recalls")
    assert named == tuple(system[name].address for name in order)


def test_a_batch_is_granted_units_and_leaves_a_record(system, people, lane):
    grant = append(system, people, 0, lane, 20)

    assert grant == [lane, 20, 41]
    head = system["log"].head(1).dict()
    assert [int(head["size"]), int(head["seq"])] == [20, 1]


def test_a_draw_beyond_the_lane_is_recorded_and_granted_nothing(system, people, lane):
    append(system, people, 0, lane, 20)

    grant = append(system, people, 1, lane, 1)

    assert grant == [lane, 1, 0]


def test_nobody_but_the_writer_appends(system, people, lane):
    with brownie.reverts(f"CallerNotWriter: 1, {people.stranger.address.lower()}"):
        system["log"].append(1, 0, 1, SALT, [], {"from": people.stranger})
