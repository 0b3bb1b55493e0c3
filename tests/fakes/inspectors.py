"""An inspector in the small world: another organization with a site and an instrument."""

from dataclasses import dataclass, replace
from typing import Any

from fakes.keys import signing_key
from fakes.store import MemoryNodeStore
from fakes.world import ISSUER, World
from guildmark.domain.builds.inspection import Result
from guildmark.domain.identifiers import IdentityId, Index
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.entry import Entry
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.builds.inspecting import Found, Inspecting
from guildmark.services.log.ingest import Answer

PROBE = KeyName("probe")


@dataclass(frozen=True, kw_only=True)
class Inspector:
    """Who inspects."""

    world: World
    organization: IdentityId
    site: IdentityId
    instrument: IdentityId

    @property
    def inspecting(self) -> Inspecting:
        tools = self.world.tools
        return Inspecting(keys=tools.keys, entropy=tools.entropy, store=tools.store)

    def part(self, index: int = 0) -> Entry:
        """Return the log entry of a part."""
        return self.world.tools.exporter.evidence(self.world.log, Index(index)).core.entry

    def found(self, **changes: Any) -> Found:
        default = Found(part=self.part(), result=Result.PASSED, log=self.world.log, inspected_on=9)
        return replace(default, **changes)

    def sign(self, found: Found | None = None) -> bytes:
        return self.inspecting.sign(found or self.found(), machine=self.instrument, key=PROBE)

    def send(self, *envelopes: bytes) -> list[Answer]:
        return list(self.world.tools.ingest(self.world.log).receive(envelopes))

    def log(self, *envelopes: bytes) -> list[Answer]:
        """Send inspections, and let them become final."""
        answers = self.send(*envelopes)
        line = self.world.tools.line(self.world.log)
        line.step()
        line.step()
        return answers


def make_inspector(world: World, account: str = ISSUER) -> Inspector:
    """Register an inspector with a site and an instrument, and let the index read it."""
    tools = world.tools
    own = replace(tools.identities(account), store=MemoryNodeStore())
    organization = own.register(IdentityKind.ORGANIZATION, {"name": "Laboratory"})
    site = own.register(IdentityKind.SITE, {"name": "Room"})
    instrument = own.register(IdentityKind.MACHINE, {"name": "Probe"})
    for child, parent in ((site, organization), (instrument, site)):
        own.request_link(child, parent)
        own.accept_link(child, parent)
    if PROBE not in tools.keys.names():
        tools.keys.create(PROBE, KeyAlgorithm.P256)
    own.add_key(instrument, signing_key(tools.keys, PROBE))
    tools.indexing(world.log).follow()
    return Inspector(world=world, organization=organization, site=site, instrument=instrument)
