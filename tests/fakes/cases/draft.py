"""How a case of the corpus is made: one honest part, one change, and what must come out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from fakes import simulator as sim
from fakes.simulator import (
    Ancestor,
    Simulator,
)
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import AccountProof, ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Digest,
)
from guildmark.domain.recipes import clauses
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import NO_QUESTION, Question
from guildmark.domain.verification.evidence import Evidence

DAY = 86_400


@dataclass
class Draft:
    """A case before it is sealed."""

    simulator: Simulator = field(default_factory=Simulator)
    question: Question = NO_QUESTION
    trust: dict[str, Any] = field(default_factory=dict)
    without_trust: bool = False
    tampers: list[Callable[[Evidence], Evidence]] = field(default_factory=list)

    def seal(self) -> "Sealed":
        evidence = self.simulator.evidence()
        for tamper in self.tampers:
            evidence = tamper(evidence)
        trust = None if self.without_trust else replace(self.simulator.trust(), **self.trust)
        return Sealed(evidence, trust, self.question)


@dataclass(frozen=True)
class Sealed:
    """What a verifier is given."""

    evidence: Evidence
    trust: Trust | None
    question: Question


@dataclass(frozen=True)
class Broken:
    """A case with one thing wrong: the check that says so, its code, and the exit of the whole.

    Args:
        decides: Whether it is the lowest check that is not ``ok``.
    """

    name: str
    check: int
    code: str
    exit: int
    change: Callable[[Draft], None]
    decides: bool = True

    def seal(self) -> Sealed:
        draft = Draft()
        self.change(draft)
        return draft.seal()


CASES: list[Broken] = []

Change: TypeAlias = Callable[[Draft], None]


def breaks(
    check: int, code: str, exit_code: int, *, decides: bool = True
) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        name = change.__name__
        CASES.append(Broken(name, check, f"verify.{code}", exit_code, change, decides))
        return change

    return register


def other(name: str) -> Digest:
    return sha256(b"other " + name.encode())


def on_account(name: ContractName, change: Callable[[AccountProof], AccountProof]) -> Change:
    def tamper(evidence: Evidence) -> Evidence:
        accounts = dict(evidence.chain.accounts)
        accounts[name] = change(accounts[name])
        return replace(evidence, chain=replace(evidence.chain, accounts=accounts))

    return lambda draft: draft.tampers.append(tamper)


def word(location: storage.Location, value: int) -> Change:
    return lambda draft: draft.simulator.words.__setitem__(location, value)


def relicense(draft: Draft, **kinds: str) -> None:
    draft.simulator.terms_members = sim.members(**kinds)


def under(draft: Draft, **kinds: str) -> Ancestor:
    """Let the part's license be one under another, which names other members; return that one."""
    draft.simulator.license_under(8)
    (above,) = draft.simulator.above
    if kinds:
        above.members = sim.members(**kinds)
    return above


def hide_members(draft: Draft, kind: str) -> None:
    """Open all terms but those of a kind."""
    leaves = draft.simulator.terms_members
    paths = [leaf.path for leaf in leaves if not leaf.path.startswith(f"/terms/{kind}/")]
    (license_,) = draft.simulator.make_disclosures().licenses
    shown = replace(license_, members=clauses.disclose(leaves, paths))
    draft.simulator.disclosed["licenses"] = (shown,)
