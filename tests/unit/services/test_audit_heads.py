"""Heads of logs: who signed them, whether the chain says the same, and who saw the log grow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from fakes import notes
from fakes.records import record
from fakes.simulator import Simulator, make_pin
from guildmark.domain.audit.accounts import LogAccount
from guildmark.domain.audit.findings import Finding, Flaw
from guildmark.domain.identifiers import Cid, Digest, IdentityId, Index, LogNumber
from guildmark.domain.log.checkpoint import Checkpoint, origin_of
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.note import Note, NoteKey, NoteSignature, sign
from guildmark.domain.trust import Trust, Witness
from guildmark.ports.peers import PeerUnavailableError
from guildmark.services.audit.heads import Heads

LOG = LogNumber(1)
PIN = make_pin()
ORIGIN = origin_of(PIN, LOG)
SECRET = notes.secret("the log")
KEY = NoteKey(name=ORIGIN, public=SECRET.public_key().public_bytes_raw())
STRANGER = NoteKey(name=ORIGIN, public=notes.secret("stranger").public_key().public_bytes_raw())
RECORDS = tuple(record(LOG, seq) for seq in range(3))
TREE = MerkleTree(one.digest() for one in RECORDS)
ACCOUNT = LogAccount(
    number=LOG, operator=IdentityId(bytes(32)), records=3, size=3, unitless=0, is_whole=True
)
TIME = 1_700_000_000
OTHER = Digest(b"\x07" * 32)


@dataclass(frozen=True)
class Source:
    """A node that shows one text as head of any log, none, or does not answer."""

    text: bytes | None
    is_down: bool = False

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        raise NotImplementedError

    def holds(self, cid: Cid) -> bool:
        raise NotImplementedError

    def log_checkpoint(self, log: LogNumber) -> bytes | None:
        del log
        if self.is_down:
            message = "The node does not answer."
            raise PeerUnavailableError(message)
        return self.text


def head(size: int = 3, root: Digest | None = None, origin: str = ORIGIN) -> str:
    found = TREE.root(size) if root is None else root
    return Checkpoint(origin=origin, size=size, root=found).text()


def signed(text: str, *more: NoteSignature) -> bytes:
    own = sign(text, KEY, SECRET.sign)
    return Note(text=text, signatures=(own, *more)).encode()


def unsigned(text: str) -> bytes:
    line = NoteSignature(name="somebody", key=b"1234", value=b"x" * 64)
    return Note(text=text, signatures=(line,)).encode()


def trusting(*names: str, quorum: int = 1, until: int = 0) -> Trust:
    listed = tuple(Witness(key=notes.key(name).encode(), until=until) for name in names)
    return replace(Simulator().trust(), witnesses=listed, quorum=quorum)


def asked(
    *texts: bytes | None, keys: tuple[NoteKey, ...] = (KEY,), trust: Trust | None = None
) -> tuple[LogAccount, list[Flaw], list[Finding]]:
    sources: Mapping[str, Source] = {f"node {at}": Source(one) for at, one in enumerate(texts, 1)}
    heads = Heads(sources=sources, pin=PIN, keys=keys, trust=trust)
    account, found = heads.of(ACCOUNT, RECORDS)
    return account, [one.flaw for one in found], list(found)


def test_a_signed_head_that_the_chain_bears_out_is_no_finding() -> None:
    account, flaws, _ = asked(signed(head(2)), signed(head(3)))

    assert flaws == []
    assert (account.checkpoint, account.is_signed, account.witnesses) == (3, True, 0)


def test_of_a_log_without_a_named_key_nobody_says_that_it_is_signed() -> None:
    account, flaws, _ = asked(unsigned(head()), keys=())

    assert (flaws, account.is_signed) == ([], None)


def test_a_head_that_the_logs_key_did_not_sign_is_named() -> None:
    account, flaws, found = asked(unsigned(head()))

    assert (flaws, account.is_signed) == ([Flaw.CHECKPOINT_UNSIGNED], False)
    assert found[0].reason == "node 1 shows a checkpoint of log 1 that its key did not sign."


def test_a_signature_in_the_keys_name_that_does_not_hold_is_named() -> None:
    line = sign(head(2), KEY, SECRET.sign)
    text = Note(text=head(3), signatures=(line,)).encode()

    assert asked(text)[1] == [Flaw.CHECKPOINT_UNSIGNED]
    assert asked(signed(head()), keys=(STRANGER,))[1] == [Flaw.CHECKPOINT_UNSIGNED]


def test_a_signed_head_that_the_chain_contradicts_is_a_fork() -> None:
    account, flaws, found = asked(signed(head(2, OTHER)), signed(head(1)))

    assert (flaws, account.checkpoint) == ([Flaw.LOG_FORKED], 1)
    assert found[0].reason == "Log 1 signed a head over 2 records that is not the chain's."


@pytest.mark.parametrize("text", [b"junk", unsigned(head(2, OTHER)), signed(head(origin="other"))])
def test_a_head_that_is_none_of_the_log_says_nothing_of_its_operator(text: bytes) -> None:
    _, flaws, _ = asked(text, keys=())

    assert flaws == [Flaw.CHECKPOINT_DIFFERS]


def test_two_heads_of_one_size_that_the_chain_does_not_know_yet_are_a_fork() -> None:
    one, other = signed(head(9, OTHER)), signed(head(9, Digest(b"\x08" * 32)))

    account, flaws, found = asked(one, other)

    assert (flaws, account.checkpoint) == ([Flaw.LOG_FORKED], 0)
    assert found[0].reason.startswith("node 1 and node 2 show two heads of log 1 over 9 records")
    assert asked(one, one)[1] == []
    # Without the log's key nobody knows which of the two nodes lies.
    assert asked(one, other, keys=())[1] == [Flaw.CHECKPOINT_DIFFERS]
    assert asked(one, unsigned(head(9, TREE.root())))[1] == [Flaw.CHECKPOINT_UNSIGNED]


def test_a_log_of_which_nobody_shows_a_head_is_named() -> None:
    assert asked(None)[1] == [Flaw.CHECKPOINT_MISSING]
    assert asked(None, signed(head()))[1] == []
    nothing = Heads(sources={"node 1": Source(None)}, pin=PIN).of(replace(ACCOUNT, records=0), ())
    assert list(nothing[1]) == []


def test_who_does_not_answer_is_not_said_to_show_nothing() -> None:
    heads = Heads(sources={"node 1": Source(None, is_down=True)}, pin=PIN)

    assert list(heads.of(ACCOUNT, RECORDS)[1]) == []
    assert heads.silent == ["node 1"]


def test_listed_witnesses_are_counted_under_the_largest_true_head() -> None:
    old, new = head(2), head(3)
    seen = [
        signed(old, notes.cosignature("w1", TIME, old), notes.cosignature("w2", TIME, old)),
        signed(new, notes.cosignature("w1", TIME, new), notes.cosignature("stranger", TIME, new)),
    ]

    account, flaws, _ = asked(*seen, trust=trusting("w1", "w2", quorum=1))

    assert (flaws, account.witnesses) == ([], 1)
    few = asked(*seen, trust=trusting("w1", "w2", quorum=2))
    assert few[1] == [Flaw.COSIGNATURES_MISSING]
    assert few[2][0].reason == "1 listed witnesses cosigned the head of log 1, 2 must."


def test_a_cosignature_that_does_not_hold_is_named() -> None:
    text = head(3)

    found = asked(signed(text, notes.cosignature("w1", TIME, head(2))), trust=trusting("w1"))

    assert found[1] == [Flaw.COSIGNATURE_WRONG, Flaw.COSIGNATURES_MISSING]
    assert found[0].witnesses == 0
    assert "node 1 shows a checkpoint of log 1 with a cosignature of w1" in found[2][0].reason


@pytest.mark.parametrize(
    ("until", "witnesses", "flaws"),
    [(TIME + 1, 1, []), (TIME, 0, [Flaw.COSIGNATURES_MISSING])],
)
def test_a_witness_counts_while_it_is_listed(until: int, witnesses: int, flaws: list[Flaw]) -> None:
    text = head(3)

    account, found, _ = asked(
        signed(text, notes.cosignature("w1", TIME, text)), trust=trusting("w1", until=until)
    )

    assert (found, account.witnesses) == (flaws, witnesses)
