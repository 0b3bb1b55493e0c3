"""The files that the equivalence commands read: plans, readings, results."""

from pathlib import Path

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import JsonValue, parse_object
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.plan import PLAN_LIMITS, EquivalencePlan, engine_digest
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import NotFoundError
from guildmark.domain.identifiers import Bytes32, IdentityId, to_hex


class SiteNotComparedError(NotFoundError):
    """A result says nothing about a site."""

    code = "equivalence.siteNotCompared"
    hint = "Name a site of the plan, and the result that was computed from it."


def read_plan(path: Path, salt: Bytes32) -> EquivalencePlan:
    """Return the plan that people wrote, in the order that documents have.

    It gets a fresh salt and this engine where they name none.
    """
    members: dict[str, JsonValue] = dict(parse_object(path.read_bytes(), PLAN_LIMITS))
    members.setdefault("salt", to_hex(salt))
    members.setdefault("engine", to_hex(engine_digest()))
    for name in ("sites", "characteristics"):
        members[name] = _ascending(members.get(name))
    return EquivalencePlan.parse(canonical(members))


def read_data(path: Path) -> SiteData:
    """Return the data of a file: ``{"readings": [...]}``, with what shows that they count."""
    return SiteData.parse(path.read_bytes())


def read_result(path: Path) -> EquivalenceResult:
    """Return the result that `equivalence run` wrote."""
    return EquivalenceResult.parse(path.read_bytes())


def check_compared(result: EquivalenceResult, site: IdentityId) -> None:
    """Check that a result says something about a site.

    Raises:
        SiteNotComparedError: It does not.
    """
    if result.of_site(to_hex(site)) is None:
        message = f"The result says nothing about the site {to_hex(site)}."
        raise SiteNotComparedError(message, site=to_hex(site))


def _ascending(written: JsonValue) -> JsonValue:
    """Return names, or objects by their paths, in order; what is neither as it was written."""
    if not isinstance(written, list) or not all(isinstance(one, str | dict) for one in written):
        return written
    return sorted(written, key=lambda one: str(one.get("path")) if isinstance(one, dict) else one)
