"""A site's part: open the package, derive the recipe, build, sign, send."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from io import BufferedIOBase
from pathlib import Path
from time import monotonic, sleep

from demo import cast
from demo.actors import MACHINE, SEALED, SITE, Disclosed, Maker, Operator
from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.builds.predicate import Beacon, ExternalParameters, Measurement, Setting
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    ZERO32,
    Cid,
    Digest,
    LaneNumber,
    SiteRecipeId,
    UnitNumber,
    to_hex,
)
from guildmark.domain.labels.activation import ActivationCode, byproducts
from guildmark.domain.labels.digital_link import DigitalLink, operator_token, serial_in_lane
from guildmark.domain.log.record import Record
from guildmark.domain.recipes.clause import Clause, ClausePath, ClauseType
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.domain.rights.fileset import FileName, Manifest
from guildmark.ports.chain import Call
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import Assignment, Finished
from guildmark.services.recipes.disclosing import clauses_body
from guildmark.services.release.packages import Package
from guildmark.services.release.releasing import LicenseNotFinalError
from guildmark.services.release.requesting import Asker, Opened

NO_REQUEST = Digest(ZERO32)

CUSTOMISED = 2
"""The number of the part of each lane that a customer had made for himself."""

CHOICES: Mapping[str, Setting] = {
    "a": Setting(path=ClausePath("/post/marking"), value="Casa Amélia"),
    "b": Setting(path=ClausePath("/post/screw_set"), value="8-32 x 1 1/4 in"),
    "c": Setting(path=ClausePath("/post/tie_length"), value="6", unit="[in_i]"),
}
"""What he chose, by the site: a text, a regional variant, a size."""

_PATIENCE = 30.0
_PAUSE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What a part has beside others.

    Args:
        declared: What its maker declares of it: the lots that went in.
        code: What stands under the scratch field of its label.
    """

    declared: Declaration | None = None
    code: ActivationCode | None = None


_PLAIN = Extra()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A site ready to build: what it was licensed for and how it does it.

    Args:
        request: Its request for the keys of the files.
        extras: What some of its parts have beside others, by their numbers.
        aimed: What comes out of the parts of the lane, one after another, where it is told.
    """

    maker: Maker
    operator: Operator
    lane: LaneNumber
    first_unit: UnitNumber
    assignment: Assignment
    document: RecipeDocument
    site_recipe: SiteRecipeId
    request: Digest = NO_REQUEST
    extras: Mapping[int, Extra] = field(default_factory=dict)
    aimed: Mapping[ClausePath, Sequence[float]] = field(default_factory=dict)

    def build(self, number: int, beacon: Record, *, names_unit: bool = True) -> bytes:
        """Build part ``number`` of the lane, measure it, and return what the machine signs.

        Args:
            number: The part's.
            beacon: The newest record that the machine knows.
            names_unit: Whether it is alone on its lane and says which unit the part gets.
        """
        builds = self.maker.machine_home.builds
        finished_on = self.maker.machine_home.clock.now()
        label, extra = self.label(number), self.extras.get(number, _PLAIN)
        hidden = None if extra.code is None else extra.code.digest(label)
        finished = Finished(
            label=label,
            counter=number,
            beacon=Beacon(log=beacon.log, seq=beacon.seq, record_digest=beacon.digest()),
            # Each part is a build of its own; simulated builds follow each other by seconds.
            started_on=min(beacon.time, finished_on) - max(cast.UNITS_A_SITE - number, 0),
            finished_on=finished_on,
            measurements=self.measured(number),
            simulated=True,
            byproducts=byproducts(code=hidden, chip=None),
            declared=extra.declared,
        )
        assignment = self._numbered(number) if names_unit else self.assignment
        return builds.attest(builds.state(assignment, finished), key=MACHINE)

    def _numbered(self, number: int) -> Assignment:
        """Return the assignment of one unit: alone on its lane, the machine knows which it is."""
        unit = UnitNumber(self.first_unit + number - 1)
        external = replace(self.assignment.external, unit=unit)
        settings = (*self.assignment.settings, *self._chosen(number))
        return replace(self.assignment, external=external, settings=settings)

    def _chosen(self, number: int) -> tuple[Setting, ...]:
        """Return what the customer of a part chose inside the bounds of the recipe."""
        return (CHOICES[self.maker.example.letter],) if number == CUSTOMISED else ()

    def label(self, number: int) -> str:
        """Return the label of a part."""
        operator = operator_token(self.operator.party.id)
        serial = serial_in_lane(self.lane, number)
        return DigitalLink.of_own_part(self.operator.label_host, operator, serial).label

    def measured(self, number: int) -> tuple[Measurement, ...]:
        """Return simulated values of a part, the same in every run, inside the tolerances."""
        source = random.Random(f"{self.maker.example.letter}:{number}")  # noqa: S311 - a simulation
        tolerances = [
            clause
            for clause in self.document.clauses
            if clause.group == "tolerance" and clause.type is ClauseType.QUANTITY
        ]
        return tuple(
            Measurement(
                characteristic=clause.path,
                value=self._aimed(clause.path, number) or _simulated(clause, source),
                unit=clause.unit or "",
                instrument=to_hex(self.maker.instrument),
            )
            for clause in tolerances
        )

    def _aimed(self, path: ClausePath, number: int) -> str | None:
        told = self.aimed.get(path, ())
        return f"{told[number - 1]:.4f}" if number <= len(told) else None


def open_package(
    maker: Maker, cid: Cid, lane: LaneNumber, node: NodeClient
) -> tuple[Package, Digest]:
    """Fetch a package, open it, get the keys, decrypt its files and compare them."""
    home = maker.party.home
    sealed = b"".join(node.get_content(cid))
    package = home.packages.open(sealed, site=maker.site, key=SEALED)
    for file in Manifest.parse(package.manifest).files:
        if home.content.put(node.get_content(file.cid)) != file.cid:
            message = f"The node sent other bytes for {file.cid}."
            raise ValueError(message)
    got = _released(maker, package, lane)
    home.packages.extract(package, got.keys, lambda name: _sink(home.settings.home, name))
    return package, got.receipt.request


def _released(maker: Maker, package: Package, lane: LaneNumber) -> Opened:
    """Ask for the keys as the site, until the node has read of its lane."""
    asker = Asker(site=maker.site, lane=lane, key=SITE, opener=SEALED)
    deadline = monotonic() + _PATIENCE
    with ExitStack() as clients:
        while True:
            try:
                return maker.party.home.requesting.obtain(
                    package,
                    asker,
                    places=package.releasers,
                    open_place=lambda place: clients.enter_context(NodeClient(place.url)),
                )
            except PeerRefusedError as refused:
                waits = refused.detail["reason"] == LicenseNotFinalError.code
                if not waits or monotonic() > deadline:
                    raise
            sleep(_PAUSE)


def prepare(maker: Maker, operator: Operator, lane: LaneNumber, package: Package) -> Workshop:
    """Derive and publish the site's recipe, and set the machine up with its job file."""
    home, example = maker.party.home, maker.example
    recipes = home.recipes(SITE)
    document = recipes.derive(
        package.document, example.choices, name=f"{package.document.name}, {maker.place}"
    )
    model = _model(maker)
    site_recipe = recipes.publish_site_recipe(package.recipe.id(), maker.site, model, document)
    revision = package.revision
    external = ExternalParameters(
        license=home.packages.license_id(package),
        recipe=package.recipe.id(),
        site_recipe=site_recipe,
        design=revision.design,
        revision=revision.number,
        log=operator.log,
        lane=lane,
    )
    return Workshop(
        maker=maker,
        operator=operator,
        lane=lane,
        first_unit=first_unit(maker, lane),
        assignment=Assignment(
            external=external,
            maker=maker.party.id,
            site=maker.site,
            machine=maker.machine,
            ciphertext=revision.ciphertext,
            job=sha256(_decrypted(maker, example.job).read_bytes()),
            settings=_settings(maker),
            firmware=f"{example.machine['model']} firmware, simulated",
        ),
        document=document,
        site_recipe=site_recipe,
    )


def disclosures(workshop: Workshop, package: Package) -> Sequence[Disclosed]:
    """Return what the site shows to the operator of its log."""
    own = clauses_body(disclose_all(workshop.document.clauses))
    recipe = clauses_body(disclose_all(package.document.clauses))
    terms = clauses_body(disclose_all(package.members))
    external = workshop.assignment.external
    return [
        (DocumentKind.TERMS, external.license, terms),
        (DocumentKind.RECIPE, external.recipe, recipe),
        (DocumentKind.SITE_RECIPE, workshop.site_recipe, own),
    ]


def first_unit(maker: Maker, lane: LaneNumber) -> UnitNumber:
    """Return the next unit of a lane."""
    call = Call(contract=ContractName.LICENSES, function="lane", args=(lane,))
    return UnitNumber(maker.party.home.ledger.read(call)["next"])


def _settings(maker: Maker) -> tuple[Setting, ...]:
    return tuple(
        Setting(path=ClausePath(path), value=setting["value"], unit=setting.get("unit"))
        for path, setting in sorted(maker.example.settings.items())
    )


def _model(maker: Maker) -> Digest:
    """Return the salted digest of the machine's model."""
    salt = maker.party.home.entropy.token(32)
    return sha256(salt + json.dumps(dict(maker.example.machine), sort_keys=True).encode())


def _simulated(clause: Clause, source: random.Random) -> str:
    least, most = float(clause.minimum or 0), float(clause.maximum or 0)
    middle, spread = (least + most) / 2, (most - least) / 10
    value = min(max(source.gauss(middle, spread), least), most)
    return f"{value:.2f}"


def _decrypted(maker: Maker, path: Path) -> Path:
    return maker.party.home.settings.home / "files" / path.name


@contextmanager
def _sink(home: Path, name: FileName) -> Iterator[BufferedIOBase]:
    folder = home / "files"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / name).open("wb") as sink:
        yield sink
