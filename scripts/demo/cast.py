"""Who plays: all names are invented."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import ROOT
from guildmark.domain.equivalence.registration import ASKED, REQUIRED
from guildmark.domain.identity.lei import lei_check_digits
from guildmark.ports.keys import KeyAlgorithm

EXAMPLES = ROOT / "examples"

AUTHORITY = "Example Register of Makers"
CERTIFIER = "Cabo Certification"
STANDARD = "ISO 9001"
CALIBRATION = "ISO/IEC 17025"
DESIGNER = {"name": "Atelier Vinterlys", "country": "DK"}
OPERATORS = (
    {"name": "Douro Ledger Services", "country": "PT"},
    {"name": "Volta Records", "country": "GH"},
)
LABEL_HOSTS = ("parts.douro.example", "parts.volta.example")
# Which operator logs which site's builds.
OPERATOR_OF_SITE = (0, 0, 1)
MACHINE_KEYS = (KeyAlgorithm.SECP256K1, KeyAlgorithm.P256, KeyAlgorithm.ED25519)

UNITS = 60
UNITS_A_SITE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteExample:
    """A site of the example design: who, where, which machine, which settings."""

    letter: str
    organization: Mapping[str, str]
    site: Mapping[str, str]
    machine: Mapping[str, str]
    job: Path
    settings: Mapping[str, Mapping[str, str]]

    @property
    def choices(self) -> Mapping[str, str]:
        """Return what the site chooses where the recipe lets it."""
        return {path: setting["value"] for path, setting in self.settings.items()}


def sites() -> Sequence[SiteExample]:
    """Return the three sites of the example."""
    return [_site(path) for path in sorted((EXAMPLES / "sites").glob("site-*.json"))]


def _site(path: Path) -> SiteExample:
    document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return SiteExample(
        letter=path.stem[-1],
        organization=document["organization"],
        site=document["site"],
        machine=document["machine"],
        job=EXAMPLES / document["job"],
        settings=document["settings"],
    )


def recipe(*, asks_equivalence: bool = False) -> bytes:
    """Return the example's recipe, which here also asks that its maker is accredited.

    Args:
        asks_equivalence: Whether it asks that the maker's site is certified equivalent, too.
    """
    document = json.loads((EXAMPLES / "recipe.json").read_text(encoding="utf-8"))
    asked = [_asked("/qa/accreditation/quality", STANDARD)]
    if asks_equivalence:
        asked.append(_asked(ASKED, REQUIRED))
    clauses = sorted([*document["clauses"], *asked], key=lambda clause: str(clause["path"]))
    return json.dumps({**document, "clauses": clauses}).encode()


def _asked(path: str, value: str) -> dict[str, str]:
    kind = {"class": "core", "type": "text", "criticality": "major"}
    return {"path": path, **kind, "value": value}


def design_files() -> Sequence[tuple[Path, str]]:
    """Return the files of the example design and their media types."""
    facts = json.loads((EXAMPLES / "facts.json").read_text(encoding="utf-8"))
    return [(EXAMPLES / file["path"], file["mediaType"]) for file in facts["files"]]


def example_lei(number: int) -> str:
    """Return an identifier in the form of an LEI, with right check digits, that nobody holds."""
    payload = f"9999EXAMPLE{number:07d}"
    return payload + lei_check_digits(payload)
