"""Lawful use where this home decides: before keys are released, and at the node's door."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from guildmark.domain.chain.facts import ClaimFact, IdentityFact, NamedByFact, ProfileFact
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import NotCoveredError, UncheckableError
from guildmark.domain.identifiers import IdentityId, bytes32_from_hex, to_hex
from guildmark.domain.identity.identity import profile_digest, scheme_bytes
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.rights.lawful import CLEARANCE_SCHEME, Use, uncleared, use_in
from guildmark.domain.rights.terms import unknown_in
from guildmark.domain.trust import Trust
from guildmark.ports.store import DocumentKind, View
from guildmark.services.identity.notices import is_act_doubted
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import DISCLOSURE_LIMITS, shown_claim


class CountryNotAllowedError(NotCoveredError):
    """A license does not allow building where the site is, or that place is not known."""

    code = "license.countryNotAllowed"
    hint = "Ask the licensor for terms that name the country; let the site disclose its profile."


class NotClearedError(NotCoveredError):
    """A license names a control class for which nobody cleared the site."""

    code = "license.notCleared"
    hint = (
        "Let an authority claim scheme CONTROL about the site, and disclose the claim here; "
        "for files, one whom the designer named (`--issuer`)."
    )


class TermsUnknownError(UncheckableError):
    """A license's terms have a member of a kind that this release does not know."""

    code = "license.termsUnknown"
    hint = "Use a release that knows the kind, or ask the licensor for terms without it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something shall be built, as this home knows it.

    Args:
        site: The site.
        country: The country in the site's own profile, None where that is not disclosed.
        since: From when on the profile has stood.
        cleared: The control classes for which site or maker is cleared.
    """

    site: IdentityId
    country: str | None
    cleared: frozenset[str]
    since: int = 0

    @classmethod
    def known(
        cls,
        site: IdentityId,
        maker: IdentityId | None,
        view: View,
        *,
        issuers: Collection[IdentityId] | None = None,
        trust: Trust | None = None,
    ) -> "Place":
        """Return what the index and the disclosed documents say of a place.

        Args:
            site: The site.
            maker: The organization that it belongs to.
            view: What this home knows.
            issuers: Whose clearances count; anybody's where it is left out.
            trust: Which authorities' notices count against an issuer.
        """
        subjects = [one for one in (site, maker) if one is not None]
        found = (value for one in subjects for value in _clearances(one, view, issuers, trust))
        return cls(
            site=site,
            country=_country(site, view),
            cleared=frozenset(found),
            since=_profile_since(site, view),
        )

    def check(self, number: int, members: DisclosedClauses, *, begun: int | None = None) -> None:
        """Refuse what the terms of a license do not allow here.

        Args:
            number: The license's.
            members: Its terms.
            begun: From when on the place counts; the present one where it is left out.

        Raises:
            CountryNotAllowedError: The country is denied, not named, or not known.
            NotClearedError: A control class is named for which nobody is cleared.
            TermsUnknownError: The terms ask for something of no known kind.
        """
        for path in unknown_in(members):
            message = f"License {number} has terms at {path}, which are of no known kind."
            raise TermsUnknownError(message, license=number, path=path)
        is_known = begun is None or self.since <= begun
        use = use_in(members, self.country if is_known else None)
        if use is not Use.ALLOWED:
            place = self.country or "a country that is not shown"
            place += "" if is_known else f", where the site said to be only since {self.since}"
            message = f"License {number} does not allow building in {place} ({use.value})."
            raise CountryNotAllowedError(message, license=number, country=self.country)
        missing = uncleared(members, self.cleared)
        if missing:
            message = f"Nobody cleared {to_hex(self.site)} for control class {missing[0]!r}."
            raise NotClearedError(message, license=number, controlClass=missing[0])


def _country(site: IdentityId, view: View) -> str | None:
    """Return the country of a profile that was compared with its digest when it came."""
    body = view.documents.get(DocumentKind.PROFILE, site)
    identity = view.facts.get(IdentityFact, site)
    if body is None or identity is None:
        return None
    profile = dict(parse_object(body, DISCLOSURE_LIMITS))
    salt = bytes32_from_hex(str(profile.pop("salt", "")))
    # The site may have changed it since.
    if profile_digest(profile, salt) != identity.profile:
        return None
    country = profile.get("country")
    return country if isinstance(country, str) else None


def _profile_since(site: IdentityId, view: View) -> int:
    identity = view.facts.get(IdentityFact, site)
    stood = None if identity is None else view.facts.get(ProfileFact, site, identity.profile)
    return 0 if stood is None else stood.since


def _clearances(
    subject: IdentityId,
    view: View,
    issuers: Collection[IdentityId] | None,
    trust: Trust | None,
) -> Iterator[str]:
    for named in view.facts.each(NamedByFact, subject):
        claim = known(view.facts, ClaimFact, named.claim)
        if claim.until or claim.scheme != scheme_bytes(CLEARANCE_SCHEME):
            continue
        if is_act_doubted(claim.issuer, claim.since, view.facts, trust):
            # It may have been a thief who cleared.
            continue
        shown = shown_claim(view.documents, claim)
        if shown is not None and (issuers is None or claim.issuer in issuers):
            yield shown.claim.value
