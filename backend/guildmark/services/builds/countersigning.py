"""Second signatures at a node: what a recipe asks for, and who gave it."""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.domain.builds.countersigning import COUNTERSIGNATURE, Demand, countersignature_clause
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.predicate import RunDetails
from guildmark.domain.chain.facts import KeyFact, ParentFact
from guildmark.domain.errors import SignatureError, UncheckableError
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.ports.facts import Facts


class CountersignatureMissingError(SignatureError):
    """The recipe asks for a second signature that the envelope does not have."""

    code = "recipe.countersignatureMissing"
    hint = "Let the one who is named sign, too: `guildmark build countersign`; then send it again."


class CountersignatureUnreadError(UncheckableError):
    """Whether the recipe asks for a second signature cannot be told."""

    code = "recipe.countersignatureUnread"
    hint = "Disclose the recipe's clauses below /qa/ to this node; update it if it has them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersigner:
    """Who signed beside the machine.

    Args:
        key: The key of another machine.
        site: That machine's site.
        organization: The site's organization.
    """

    key: KeyFact
    site: IdentityId
    organization: IdentityId


def demanded(master: DisclosedClauses) -> Demand | None:
    """Return what second signature a recipe asks for, None where it asks for none.

    Raises:
        CountersignatureUnreadError: The clause is hidden, or of a form that is not known.
    """
    if master.may_hide(COUNTERSIGNATURE):
        message = "The recipe may ask for a second signature in a clause that is not shown."
        raise CountersignatureUnreadError(message)
    clause = countersignature_clause(master.opened.values())
    demand = None if clause is None else Demand.of(clause)
    if clause is not None and demand is None:
        message = f"{clause.path} asks for a second signature in an unknown form."
        raise CountersignatureUnreadError(message, path=clause.path)
    return demand


def countersigners(envelope: Envelope, run: RunDetails, facts: Facts) -> Iterator[Countersigner]:
    """Yield who signed beside a run's machine, in the order of the signatures."""
    for signature in envelope.signatures:
        key = facts.get(KeyFact, signature.key)
        if key is None or key.machine == run.machine:
            continue
        site = _parent(key.machine, facts)
        organization = None if site is None else _parent(site, facts)
        if site is not None and organization is not None:
            yield Countersigner(key=key, site=site, organization=organization)


def admitted(
    demand: Demand, envelope: Envelope, run: RunDetails, facts: Facts
) -> Countersigner | None:
    """Return the first whom a recipe's demand admits, None where nobody is."""
    found = countersigners(envelope, run, facts)
    return next((one for one in found if demand.admits(one.organization, run.maker)), None)


def _parent(child: IdentityId, facts: Facts) -> IdentityId | None:
    found = facts.get(ParentFact, child)
    return found.parent if found is not None and any(found.parent) else None
