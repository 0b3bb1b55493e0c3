"""A bundle written again at a newer block: it says no less of the part, or is not written."""

from dataclasses import replace
from typing import Any

import pytest

from fakes import simulator as sim
from fakes.newer import AnyNode
from fakes.rivals import LATER, other_entry, stand_beside
from fakes.simulator import AUTHORITY, LOG, LOGGED, LOOKED, MACHINE, Simulator
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.chain.storage import VOIDED
from guildmark.domain.encoding import archive
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import ChainId, Digest, IdentityId, Index
from guildmark.domain.identity.identity import key_id
from guildmark.domain.trust import Listed, Policy, Trust, TrustedBlock
from guildmark.domain.verification.case import Question
from guildmark.domain.verification.evidence import AUTHORITIES_MAX
from guildmark.domain.verification.report import State, Verdict
from guildmark.verify import verify_bundle
from guildmark.verify.keeping import (
    NotBetterError,
    NotNewerError,
    OtherChainError,
    Renewal,
    renew_bundle,
)
from guildmark.verify.renewing import NewestUnknownError

KEY = key_id(MACHINE, sim.Signer("machine").public)
FATE = storage.FATES.at(LOG, Index(103))
DOUBT = {
    storage.KEYS.at(KEY): sim.key_word(sim.REGISTERED, notice_at=LOOKED + 50, suspected_from=LOGGED)
}


def later(block: int, words: Any = None, **changes: Any) -> Simulator:
    """Return the same chain some blocks later."""
    simulator = Simulator(block=block, **changes)
    simulator.words |= words or {}
    return simulator


def node(**changes: Any) -> AnyNode:
    return AnyNode(**{"latest": later(99), "final": later(90), **changes})


def renew(
    asked: AnyNode, *, old: Simulator | None = None, trust: Trust | None = None, now: int = 3_000
) -> Renewal:
    old = old or Simulator()
    data = bundle.write(old.evidence())
    return renew_bundle(data, asked, trust or old.trust(), Question(now=now))


def believing(trust: Trust, block: TrustedBlock) -> Trust:
    """Return a list that knows one block alone."""
    return replace(trust, blocks=(block,))


def test_a_renewed_bundle_needs_the_newer_block_alone() -> None:
    old = Simulator()
    data = bundle.write(old.evidence())

    made = renew(node())

    assert (made.before, made.block.number, made.report.verdict) == (77, 90, Verdict.VERIFIED)
    trust = believing(old.trust(), made.block)
    assert verify_bundle(made.data, trust).verdict is Verdict.VERIFIED
    assert verify_bundle(data, trust).checks[0].code == "verify.blockUnknown"
    assert bundle.write(bundle.read(made.data)) == made.data


def test_who_has_no_list_renews_by_the_bundles_own_chain() -> None:
    made = renew_bundle(bundle.write(Simulator().evidence()), node())

    assert made.report.verdict is Verdict.UNTRUSTED
    assert made.report.checks[0].state is State.OK
    trust = believing(Simulator().trust(), made.block)
    assert verify_bundle(made.data, trust).verdict is Verdict.VERIFIED


def test_what_was_too_old_is_fresh_again() -> None:
    trust = replace(Simulator().trust(), policy=Policy(max_age=100))
    old = Simulator()
    fresh = Simulator(block=90)

    assert verify_bundle(bundle.write(old.evidence()), trust, Question(now=LOOKED + 101)).exit == 23
    made = renew(node(final=fresh), trust=trust, now=LOOKED + 100)
    assert made.report.exit == 0


def test_authorities_stay_and_those_of_the_list_are_added() -> None:
    other = IdentityId(b"\x77" * 32)
    old = Simulator()
    old.disclosed["authorities"] = (AUTHORITY,)
    trust = replace(old.trust(), authorities=(Listed(id=other),))

    made = renew(node(), old=old, trust=trust)

    shown = bundle.read(made.data).disclosed.authorities
    assert sorted(shown) == sorted((other, AUTHORITY))


def test_the_readers_authorities_go_before_the_shown_ones() -> None:
    ours = tuple(IdentityId(bytes([at]) * 32) for at in range(1, AUTHORITIES_MAX + 1))
    old = Simulator()
    old.disclosed["authorities"] = (AUTHORITY,)
    trust = replace(old.trust(), authorities=tuple(Listed(id=one) for one in ours))

    made = renew(node(), old=old, trust=trust)

    assert sorted(bundle.read(made.data).disclosed.authorities) == sorted(ours)


def test_content_is_kept_and_an_old_report_is_not() -> None:
    old = Simulator()
    attached = {"report.json": b"{}", "content/model.car": b"car"}
    data = bundle.write(old.evidence(), attached=attached)

    made = renew_bundle(data, node(), old.trust())

    files = archive.read(made.data)
    assert files["content/model.car"] == b"car"
    assert "report.json" not in files


def test_other_entries_are_renewed_with_it() -> None:
    ours = Simulator()
    stand_beside(ours, other_entry(LATER))

    made = renew(node(latest=later(99, ours.words), final=later(90, ours.words)), old=ours)

    assert made.report.exit == 0
    (rival,) = bundle.read(made.data).rivals
    assert decode_header(rival.chain.header).number == 90


@pytest.mark.parametrize("final", [None, Simulator(block=76), Simulator()])
def test_a_node_without_a_newer_final_block_renews_nothing(final: Simulator | None) -> None:
    with pytest.raises(NotNewerError, match="newer than block 77"):
        renew(node(final=final))


def test_a_node_of_another_chain_renews_nothing() -> None:
    asked = node(chain=(ChainId(5), Digest(b"\5" * 32)))

    with pytest.raises(OtherChainError, match="another chain than the bundle"):
        renew(asked)
    assert asked.asked == []


def test_a_list_of_another_chain_renews_nothing() -> None:
    trust = Simulator().trust()
    other = replace(trust, chain=replace(trust.chain, genesis=Digest(b"\5" * 32)))

    with pytest.raises(NewestUnknownError, match="than your trust file pins"):
        renew(node(), trust=other)


@pytest.mark.parametrize(
    ("final", "latest", "found"),
    [
        ({FATE: VOIDED}, {FATE: VOIDED}, r"\(4\) is fail"),
        ({}, {FATE: VOIDED}, r"\(4\) is fail"),
        (DOUBT, DOUBT, r"\(2\) is unknown"),
        ({}, DOUBT, r"\(2\) is unknown"),
    ],
)
def test_bad_news_are_not_written_away(final: Any, latest: Any, found: str) -> None:
    with pytest.raises(NotBetterError, match=found):
        renew(node(final=later(90, final), latest=later(99, latest)))


def test_what_was_contradicted_stays_so() -> None:
    old = Simulator()
    old.words[FATE] = VOIDED

    with pytest.raises(NotBetterError, match=r"\(4\) is fail"):
        renew(node(), old=old)


def test_what_was_in_doubt_before_may_stay_in_doubt() -> None:
    old = Simulator()
    old.words |= DOUBT

    made = renew(node(final=later(90, DOUBT), latest=later(99, DOUBT)), old=old)

    assert made.report.checks[2].code == "verify.keyInDoubt"


def _lying(accounts: Any) -> Any:
    return {name: replace(one, nodes=one.nodes[:-1]) for name, one in accounts.items()}


def test_proofs_that_do_not_hold_are_not_written() -> None:
    with pytest.raises(NewestUnknownError, match="do not hold"):
        renew(node(change=_lying))


def test_what_is_no_bundle_is_refused() -> None:
    with pytest.raises(ContentError):
        renew_bundle(b"PK", node())
