"""Licenses above a license: which ones, and what their terms allow."""

from collections.abc import Iterator, Sequence

from guildmark.domain.chain.facts import LicenseFact, LicenseNumberFact
from guildmark.domain.chain.refusals import LicenseUnknownError
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.clauses import DisclosedClauses, Disclosure
from guildmark.domain.rights.terms import NO_LICENSE, Terms
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, View
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import DocumentUnknownError, shown_clauses


class TermsAboveError(ContentError):
    """What is shown of the licenses above is not what they commit to, or not all of them."""

    code = "license.termsAbove"
    hint = "Ask the licensor for the file again; his home must hold the terms above his own."


def above(terms: Terms, facts: Facts) -> Sequence[LicenseFact]:
    """Return the licenses above terms, the nearest first, the root last.

    Raises:
        LicenseUnknownError: The index knows no license that the terms are to stand under.
    """
    found: list[LicenseFact] = []
    while terms.parent != NO_LICENSE:
        numbered = facts.get(LicenseNumberFact, terms.parent)
        if numbered is None:
            message = f"No final block grants the license {to_hex(terms.parent)}."
            raise LicenseUnknownError(message, license=to_hex(terms.parent))
        found.append(known(facts, LicenseFact, numbered.number))
        terms = found[-1].terms
    return found


def shown_above(terms: Terms, view: View) -> tuple[Disclosure, ...]:
    """Return what this home may show of the terms above, the nearest first.

    Raises:
        DocumentUnknownError: This home does not hold what opens one of them.
    """
    return tuple(_held(one, view) for one in above(terms, view.facts))


def verified_above(
    terms: Terms, shown: Sequence[Disclosure], facts: Facts
) -> Iterator[tuple[LicenseFact, DisclosedClauses]]:
    """Yield each license above with what is shown of its terms.

    Raises:
        LicenseUnknownError: The index does not know one of them.
        TermsAboveError: Other ones are shown than there are.
        DisclosureMismatchError: What is shown is not what one commits to.
    """
    licenses = above(terms, facts)
    if len(licenses) != len(shown):
        message = f"There are {len(licenses)} licenses above, {len(shown)} are shown."
        raise TermsAboveError(message, expected=len(licenses), found=len(shown))
    for one, disclosure in zip(licenses, shown, strict=True):
        yield one, disclosure.verify(one.terms.terms_root)


def _held(one: LicenseFact, view: View) -> Disclosure:
    found = shown_clauses(view.documents, DocumentKind.TERMS, one.id)
    if found is None:
        message = f"This home holds no terms of {to_hex(one.id)}."
        raise DocumentUnknownError(message, kind=DocumentKind.TERMS.value, key=to_hex(one.id))
    return found
