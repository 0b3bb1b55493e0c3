"""The home page's rows."""

from dataclasses import replace

from fakes.world import make_world
from guildmark.api.pages.home import _row
from guildmark.domain.identifiers import Index, LogNumber, Seq, UnitNumber
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import Build, BuildState, Logged


def test_scrap_is_shown_as_scrap() -> None:
    world = make_world()
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope()])
    (queued,) = world.tools.store.queued()
    build = Build(
        digest=queued.digest,
        label=queued.label,
        lane=queued.lane,
        state=BuildState.FINAL,
        index=Index(4),
        unit=UnitNumber(1),
    )
    part = Logged(queued=queued, log=LogNumber(1), seq=Seq(0), position=0, build=build)
    entry = replace(queued.entry, kind=EntryKind.SCRAP)
    scrap = replace(part, queued=replace(queued, entry=entry))

    assert (_row(part).unit, _row(scrap).unit) == ("1", "1, scrapped")
