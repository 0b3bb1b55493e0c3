"""From one event to the facts that it changes: the storage, rebuilt from events alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    NO_LANE,
    NO_LOG,
    AccreditationFact,
    AccreditedFact,
    AuthorityFact,
    BackingFact,
    CertificateFact,
    ClaimFact,
    ControllerFact,
    CounterFact,
    DesignFact,
    DesignOwnerFact,
    ExtensionFact,
    Fact,
    GuardiansFact,
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    LinkFact,
    LogFact,
    MachineKeyFact,
    NamedByFact,
    NoticeFact,
    PaidFact,
    ParentFact,
    PartFact,
    PlanEntryFact,
    PlanFact,
    ProfileFact,
    ProposalFact,
    RecallAskFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    RecordStartFact,
    RecoveryFact,
    RevisionFact,
    SitePlanFact,
    SiteRecipeFact,
    SpokenForFact,
)
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    UINT64_MAX,
    ZERO32,
    ZERO_ADDRESS,
    Bytes32,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
    UnitNumber,
)
from guildmark.domain.identity.identity import IdentityKind, controller_target
from guildmark.domain.log.record import Grant, Record
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.recipes.recipe import Change, Recipe, SiteRecipe
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.terms import Terms
from guildmark.ports.chain import Event
from guildmark.ports.facts import Facts, FactWriter

FactT = TypeVar("FactT", bound=Fact)

_TICKS = LogFact(number=NO_LOG, operator=IdentityId(ZERO32), writer=ZERO_ADDRESS)


class FactMissingError(GuildmarkError):
    """An event is about a thing that no event before it made."""

    code = "index.factMissing"
    hint = "Rebuild the index: stop the node and run `guildmark index rebuild`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event with the time of its block."""

    event: Event
    time: int

    def __getitem__(self, name: str) -> Any:
        return self.event.args[name]


Projector: TypeAlias = Callable[[Happening, FactWriter], None]


def project(event: Event, time: int, facts: FactWriter) -> None:
    """Change the facts that an event is about; what keeps no fact changes nothing.

    Raises:
        FactMissingError: The thing that the event changes is unknown.
    """
    projector = _PROJECTORS.get((event.contract, event.name))
    if projector is not None:
        projector(Happening(event=event, time=time), facts)


def known(facts: Facts, kind: type[FactT], *key: bytes | int) -> FactT:
    """Return a fact that must be there, since another one names it.

    Raises:
        FactMissingError: No event made it.
    """
    fact = facts.get(kind, *key)
    if fact is None:
        shown = ".".join(part.hex() if isinstance(part, bytes) else str(part) for part in key)
        message = f"No event made the {kind.__name__} {shown}, yet one changes it."
        raise FactMissingError(message, kind=kind.__name__, key=shown)
    return fact


def _identity_registered(happening: Happening, facts: FactWriter) -> None:
    facts.put(
        IdentityFact(
            id=happening["id"],
            kind=happening["kind"],
            controller=happening["controller"],
            since=happening.time,
            profile=happening["profile"],
        ),
        SpokenForFact(account=happening["controller"], identity=happening["id"]),
        _controller(happening, 1),
    )
    _begin_profile(happening, facts)
    if happening["kind"] == IdentityKind.AUTHORITY:
        facts.put(AuthorityFact(since=happening.time, identity=happening["id"]))


def _controller(happening: Happening, number: int) -> ControllerFact:
    account, since = happening["controller"], happening.time
    identity = happening["id"]
    return ControllerFact(identity=identity, number=number, account=account, since=since)


def _profile_changed(happening: Happening, facts: FactWriter) -> None:
    identity, profile = known(facts, IdentityFact, happening["id"]), happening["profile"]
    # What is set again changes nothing.
    if profile == identity.profile:
        return
    before = facts.get(ProfileFact, identity.id, identity.profile)
    if before is not None:
        facts.put(replace(before, until=happening.time))
    facts.put(replace(identity, profile=profile))
    _begin_profile(happening, facts)


def _begin_profile(happening: Happening, facts: FactWriter) -> None:
    identity, profile = happening["id"], happening["profile"]
    if any(profile):
        facts.put(ProfileFact(identity=identity, profile=profile, since=happening.time))


def _controller_changed(happening: Happening, facts: FactWriter) -> None:
    identity = known(facts, IdentityFact, happening["id"])
    account = happening["controller"]
    facts.put(
        replace(identity, controller=account),
        SpokenForFact(account=account, identity=identity.id),
        _controller(happening, happening["number"]),
        ProposalFact(identity=identity.id, account=ZERO_ADDRESS),
    )


def _controller_proposed(happening: Happening, facts: FactWriter) -> None:
    facts.put(ProposalFact(identity=happening["id"], account=happening["controller"]))


def _guardians_proposed(happening: Happening, facts: FactWriter) -> None:
    facts.put(
        GuardiansFact(
            identity=happening["id"],
            epoch=happening["epoch"],
            guardians=tuple(happening["guardians"]),
            threshold=happening["threshold"],
            delay=happening["delay"],
            ready_at=happening["readyAt"],
        )
    )


def _guardians_changed(happening: Happening, facts: FactWriter) -> None:
    named = known(facts, GuardiansFact, happening["id"], happening["epoch"])
    facts.put(replace(named, since=happening.time))


def _recovery_started(happening: Happening, facts: FactWriter) -> None:
    identity, ready_at = happening["id"], happening["readyAt"]
    candidate = happening["candidate"]
    facts.put(RecoveryFact(identity=identity, candidate=candidate, ready_at=ready_at))


def _recovery_ended(happening: Happening, facts: FactWriter) -> None:
    started = known(facts, RecoveryFact, happening["id"])
    facts.put(replace(started, ready_at=0))


def _link_accepted(happening: Happening, facts: FactWriter) -> None:
    child, parent = happening["child"], happening["parent"]
    facts.put(
        LinkFact(child=child, parent=parent, number=happening["number"], since=happening.time),
        ParentFact(child=child, parent=parent),
    )


def _link_ended(happening: Happening, facts: FactWriter) -> None:
    child, parent = happening["child"], happening["parent"]
    link = known(facts, LinkFact, child, parent, happening["number"])
    facts.put(
        replace(link, until=happening.time),
        ParentFact(child=child, parent=IdentityId(ZERO32)),
    )


def _key_added(happening: Happening, facts: FactWriter) -> None:
    facts.put(
        KeyFact(
            id=happening["key"],
            machine=happening["machine"],
            algorithm=happening["algorithm"],
            public_key=happening["publicKey"],
            since=happening.time,
        ),
        MachineKeyFact(machine=happening["machine"], id=happening["key"]),
    )


def _key_ended(happening: Happening, facts: FactWriter) -> None:
    key = known(facts, KeyFact, happening["key"])
    facts.put(replace(key, until=happening.time))


def _key_notice_given(happening: Happening, facts: FactWriter) -> None:
    key = known(facts, KeyFact, happening["key"])
    notice_at, suspected_from = happening["noticeAt"], happening["suspectedFrom"]
    facts.put(replace(key, notice_at=notice_at, suspected_from=suspected_from))
    facts.put(_notice(happening, identity=key.machine, target=Bytes32(key.id), number=0))


def _controller_notice_given(happening: Happening, facts: FactWriter) -> None:
    identity, number = happening["id"], happening["number"]
    target = controller_target(identity, number)
    facts.put(_notice(happening, identity=identity, target=target, number=number))


def _authority_notice_given(happening: Happening, facts: FactWriter) -> None:
    by, number = happening["authority"], happening["number"]
    identity, target = happening["id"], happening["target"]
    facts.put(_notice(happening, identity=identity, target=target, number=number, by=by))


def _notice(
    happening: Happening,
    *,
    identity: IdentityId,
    target: Bytes32,
    number: int,
    by: IdentityId | None = None,
) -> NoticeFact:
    return NoticeFact(
        identity=identity,
        target=target,
        by=IdentityId(ZERO32) if by is None else by,
        number=number,
        notice_at=happening["noticeAt"],
        suspected_from=happening["suspectedFrom"],
        evidence=happening["evidence"],
        by_guardians=by is None and happening["isByGuardians"],
    )


def _notice_backed(happening: Happening, facts: FactWriter) -> None:
    target, guardian = happening["target"], happening["guardian"]
    suspected_from = happening["suspectedFrom"]
    facts.put(BackingFact(target=target, guardian=guardian, suspected_from=suspected_from))


def _claim_made(happening: Happening, facts: FactWriter) -> None:
    facts.put(
        ClaimFact(
            id=happening["claim"],
            issuer=happening["issuer"],
            subject=happening["subject"],
            scheme=happening["scheme"],
            digest=happening["digest"],
            since=happening.time,
        ),
        NamedByFact(subject=happening["subject"], claim=happening["claim"]),
    )


def _claim_shown(happening: Happening, facts: FactWriter) -> None:
    claim = known(facts, ClaimFact, happening["claim"])
    facts.put(replace(claim, value=happening["value"], salt=happening["salt"]))


def _claim_revoked(happening: Happening, facts: FactWriter) -> None:
    claim = known(facts, ClaimFact, happening["claim"])
    facts.put(replace(claim, until=happening.time))


def _accredited(happening: Happening, facts: FactWriter) -> None:
    given, subject = happening["accreditation"], happening["subject"]
    facts.put(
        AccreditationFact(
            id=given,
            issuer=happening["issuer"],
            subject=subject,
            scope=happening["scope"],
            since=happening["from"],
            until=happening["to"],
            recorded_at=happening.time,
        ),
        AccreditedFact(subject=subject, accreditation=given),
    )


def _accreditation_revoked(happening: Happening, facts: FactWriter) -> None:
    given = known(facts, AccreditationFact, happening["accreditation"])
    facts.put(replace(given, revoked_at=happening.time))


def _design_registered(happening: Happening, facts: FactWriter) -> None:
    design, owner = happening["design"], happening["owner"]
    facts.put(DesignFact(id=design, owner=owner, priority=happening["priority"]))
    facts.put(DesignOwnerFact(design=design, epoch=0, owner=owner, since=happening.time))


def _revision_published(happening: Happening, facts: FactWriter) -> None:
    struct = happening["revision"]
    revision = Revision(
        design=struct["design"],
        number=struct["number"],
        root=struct["root"],
        ciphertext=struct["ciphertext"],
        manifest=struct["manifest"],
        at=struct["at"],
        derived_from=tuple(struct["derivedFrom"]),
    )
    facts.put(RevisionFact(revision=revision, cid=happening["cid"]))


def _design_moved(happening: Happening, facts: FactWriter) -> None:
    # The making of the token is no change of its owner.
    if happening["from"] == ZERO_ADDRESS:
        return
    design = known(facts, DesignFact, happening["tokenId"].to_bytes(32, "big"))
    moved = replace(design, owner=happening["to"], epoch=design.epoch + 1)
    facts.put(moved)
    facts.put(
        DesignOwnerFact(design=moved.id, epoch=moved.epoch, owner=moved.owner, since=happening.time)
    )


def _recipe_published(happening: Happening, facts: FactWriter) -> None:
    struct = happening["recipe"]
    recipe = Recipe(
        root=struct["root"],
        design=struct["design"],
        revision=struct["revision"],
        supersedes=struct["supersedes"],
        change=Change(struct["change"]),
        plan=struct["plan"],
    )
    facts.put(
        RecipeFact(
            id=happening["id"],
            recipe=recipe,
            published_at=happening.time,
            status=happening["status"],
        )
    )


def _recipe_status_changed(happening: Happening, facts: FactWriter) -> None:
    recipe = known(facts, RecipeFact, happening["id"])
    changed_at = (*recipe.changed_at, happening.time)
    facts.put(replace(recipe, status=happening["status"], changed_at=changed_at))


def _site_recipe_published(happening: Happening, facts: FactWriter) -> None:
    struct = happening["recipe"]
    recipe = SiteRecipe(
        master=struct["master"],
        site=struct["site"],
        model=struct["model"],
        root=struct["root"],
    )
    facts.put(SiteRecipeFact(id=happening["id"], recipe=recipe, published_at=happening.time))


def _plan_registered(happening: Happening, facts: FactWriter) -> None:
    struct = happening["plan"]
    plan = Registration(
        recipe=struct["recipe"],
        sponsor=struct["sponsor"],
        evaluator=struct["evaluator"],
        document=struct["document"],
        commit_by=struct["commitBy"],
        reveal_by=struct["revealBy"],
        sites=tuple(struct["sites"]),
    )
    facts.put(PlanFact(id=happening["id"], plan=plan, at=happening.time))


def _plan_joined(happening: Happening, facts: FactWriter) -> None:
    plan = known(facts, PlanFact, happening["plan"])
    site, number = happening["site"], happening["number"]
    facts.put(
        PlanEntryFact(
            plan=plan.id,
            site=site,
            number=number,
            scope=happening["scope"],
            joined_at=happening.time,
        ),
        SitePlanFact(recipe=plan.plan.recipe, site=site, number=number, plan=plan.id),
    )


def _data_committed(happening: Happening, facts: FactWriter) -> None:
    entry = known(facts, PlanEntryFact, happening["plan"], happening["site"])
    facts.put(replace(entry, blind=happening["blind"], committed_at=happening.time))


def _data_revealed(happening: Happening, facts: FactWriter) -> None:
    entry = known(facts, PlanEntryFact, happening["plan"], happening["site"])
    facts.put(replace(entry, root=happening["root"], revealed_at=happening.time))


def _site_certified(happening: Happening, facts: FactWriter) -> None:
    facts.put(
        CertificateFact(
            plan=happening["plan"],
            site=happening["site"],
            verdict=happening["verdict"],
            result=happening["result"],
            since=happening.time,
            until=happening["to"],
        )
    )


def _certificate_challenged(happening: Happening, facts: FactWriter) -> None:
    facts.put(
        CounterFact(
            plan=happening["plan"],
            site=happening["site"],
            challenger=happening["challenger"],
            result=happening["result"],
            at=happening.time,
        )
    )


def _certificate_suspended(happening: Happening, facts: FactWriter) -> None:
    given = known(facts, CertificateFact, happening["plan"], happening["site"])
    facts.put(replace(given, suspended_at=happening.time, reason=happening["reason"]))


def _certificate_lapsed(happening: Happening, facts: FactWriter) -> None:
    given = known(facts, CertificateFact, happening["plan"], happening["site"])
    facts.put(replace(given, lapsed_at=happening.time, cause=happening["cause"]))


def _license_granted(happening: Happening, facts: FactWriter) -> None:
    _new_license(happening, facts, first=UnitNumber(1), source=NO_LANE)


def _license_sublicensed(happening: Happening, facts: FactWriter) -> None:
    source = known(facts, LaneFact, happening["from"])
    first = UnitNumber(source.end - happening["terms"]["units"])
    facts.put(replace(source, end=first))
    _new_license(happening, facts, first=first, source=source.number)


def _new_license(
    happening: Happening, facts: FactWriter, *, first: UnitNumber, source: LaneNumber
) -> None:
    terms, number, lane = _terms(happening["terms"]), happening["number"], happening["lane"]
    facts.put(
        LicenseFact(
            number=number,
            id=happening["id"],
            terms=terms,
            first_lane=lane,
            granted_at=happening.time,
        ),
        LicenseNumberFact(id=happening["id"], number=number),
        LaneFact(
            number=lane,
            license=number,
            first=first,
            next=first,
            end=UnitNumber(first + terms.units),
            log=NO_LOG,
            holder=terms.holder,
            source=source,
            given_at=happening.time if source else 0,
        ),
    )


def _license_extended(happening: Happening, facts: FactWriter) -> None:
    number = known(facts, LicenseNumberFact, happening["id"]).number
    granted = known(facts, LicenseFact, number)
    first, end = happening["first"], happening["end"]
    facts.put(
        replace(granted, more=granted.more + end - first),
        ExtensionFact(
            license=number, first=first, end=end, epoch=happening["epoch"], at=happening.time
        ),
        LaneFact(
            number=happening["lane"],
            license=number,
            first=first,
            next=first,
            end=end,
            log=NO_LOG,
            holder=granted.terms.holder,
        ),
    )


def _terms(struct: Mapping[str, Any]) -> Terms:
    return Terms(
        design=struct["design"],
        design_epoch=struct["designEpoch"],
        units=struct["units"],
        holder=struct["holder"],
        not_before=struct["notBefore"],
        not_after=struct["notAfter"],
        notice=struct["notice"],
        parent=struct["parent"],
        currency=struct["currency"],
        royalty=struct["royalty"],
        fee=struct["fee"],
        offer_until=struct["offerUntil"],
        nonce=struct["nonce"],
        terms_root=struct["termsRoot"],
    )


def _lane_split(happening: Happening, facts: FactWriter) -> None:
    source = known(facts, LaneFact, happening["from"])
    first = happening["first"]
    facts.put(
        replace(source, end=first),
        LaneFact(
            number=happening["lane"],
            license=source.license,
            first=first,
            next=first,
            end=happening["end"],
            log=happening["log"],
            holder=happening["holder"],
            source=source.number,
            given_at=happening.time,
        ),
    )


def _reclaim_announced(happening: Happening, facts: FactWriter) -> None:
    lane = known(facts, LaneFact, happening["lane"])
    facts.put(replace(lane, reclaim_at=happening["at"]))


def _lane_reclaimed(happening: Happening, facts: FactWriter) -> None:
    """Make a lane like the one that the reclaimed units were cut from."""
    lane = known(facts, LaneFact, happening["from"])
    source = known(facts, LaneFact, lane.source)
    first = happening["first"]
    facts.put(
        replace(lane, end=first),
        LaneFact(
            number=happening["lane"],
            license=source.license,
            first=first,
            next=first,
            end=happening["end"],
            log=NO_LOG,
            holder=happening["holder"],
            source=source.source,
            given_at=source.given_at,
        ),
    )


def _royalty_paid(happening: Happening, facts: FactWriter) -> None:
    lane, number = happening["lane"], happening["license"]
    before = facts.get(PaidFact, lane, number)
    units = happening["units"] + (0 if before is None else before.units)
    facts.put(PaidFact(lane=lane, license=number, units=units))


def _units_drawn(happening: Happening, facts: FactWriter) -> None:
    lane = known(facts, LaneFact, happening["lane"])
    facts.put(replace(lane, next=happening["first"] + happening["n"]))


def _license_stopped(happening: Happening, facts: FactWriter) -> None:
    number = known(facts, LicenseNumberFact, happening["id"]).number
    granted = known(facts, LicenseFact, number)
    first = granted.stopped_at or happening.time
    facts.put(replace(granted, stop_at=happening["at"], stopped_at=first))


def _log_opened(happening: Happening, facts: FactWriter) -> None:
    number, operator = happening["log"], happening["operator"]
    facts.put(LogFact(number=number, operator=operator, writer=happening["writer"]))


def _writer_changed(happening: Happening, facts: FactWriter) -> None:
    log = known(facts, LogFact, happening["log"])
    facts.put(replace(log, writer=happening["writer"]))


def _log_closed(happening: Happening, facts: FactWriter) -> None:
    log = known(facts, LogFact, happening["log"])
    facts.put(replace(log, writer=ZERO_ADDRESS))


def _record_appended(happening: Happening, facts: FactWriter) -> None:
    record = record_of(happening.event)
    facts.put(
        RecordFact(record=record, block=happening.event.block_number),
        RecordStartFact(log=record.log, first_index=record.first_index, seq=record.seq),
    )
    # Log 0 holds ticks only; nobody opened it.
    log = _TICKS if record.log == NO_LOG else known(facts, LogFact, record.log)
    facts.put(replace(log, size=record.first_index + record.count, seq=Seq(record.seq + 1)))


def record_of(event: Event) -> Record:
    """Return the record that a ``RecordAppended`` event carries."""
    struct = event.args["record"]
    return Record(
        log=struct["log"],
        seq=struct["seq"],
        first_index=struct["firstIndex"],
        count=struct["count"],
        time=struct["time"],
        parent=struct["parent"],
        root=struct["root"],
        grants=tuple(
            Grant(lane=grant["lane"], n=grant["n"], first_unit=grant["firstUnit"])
            for grant in struct["grants"]
        ),
    )


def _part_moved(happening: Happening, facts: FactWriter) -> None:
    part = _part(happening["tokenId"], facts)
    facts.put(replace(part, owner=happening["to"]))


def _part_voided(happening: Happening, facts: FactWriter) -> None:
    facts.put(replace(_part(happening["part"], facts), fate=UINT64_MAX))


def _part_superseded(happening: Happening, facts: FactWriter) -> None:
    facts.put(replace(_part(happening["part"], facts), fate=happening["byIndex"]))


def recall_of_event(event: Event, time: int) -> RecallFact:
    """Return the recall that an event of a block of that time tells of."""
    happening = Happening(event=event, time=time)
    said = happening["terms"]
    return RecallFact(
        thing=_thing(happening),
        by=happening["by"],
        number=happening["number"],
        issuer=happening["issuer"],
        at=time,
        since=said["from"],
        until=said["to"],
        severity=said["severity"],
        reason=said["reason"],
    )


def _recall_issued(happening: Happening, facts: FactWriter) -> None:
    facts.put(recall_of_event(happening.event, happening.time))


def _recall_closed(happening: Happening, facts: FactWriter) -> None:
    made = known(facts, RecallFact, happening["key"], happening["by"], happening["number"])
    facts.put(replace(made, closed_at=happening.time, closing=happening["reason"]))


def _recall_asked(happening: Happening, facts: FactWriter) -> None:
    said = happening["terms"]
    facts.put(
        RecallAskFact(
            thing=_thing(happening),
            account=happening["account"],
            at=happening.time,
            since=said["from"],
            until=said["to"],
            severity=said["severity"],
            reason=said["reason"],
        )
    )


def _thing(happening: Happening) -> Thing:
    struct = happening["thing"]
    cause = RecallCause(struct["cause"])
    return Thing(cause=cause, id=struct["id"], detail=struct["detail"])


def _part(token: int, facts: FactWriter) -> PartFact:
    log, index = LogNumber(token >> 64), Index(token & UINT64_MAX)
    return facts.get(PartFact, log, index) or PartFact(log=log, index=index)


_PROJECTORS: Mapping[tuple[ContractName, str], Projector] = MappingProxyType(
    {
        (ContractName.IDENTITIES, "IdentityRegistered"): _identity_registered,
        (ContractName.IDENTITIES, "ProfileChanged"): _profile_changed,
        (ContractName.IDENTITIES, "ControllerProposed"): _controller_proposed,
        (ContractName.IDENTITIES, "ControllerChanged"): _controller_changed,
        (ContractName.IDENTITIES, "GuardiansProposed"): _guardians_proposed,
        (ContractName.IDENTITIES, "GuardiansChanged"): _guardians_changed,
        (ContractName.IDENTITIES, "RecoveryStarted"): _recovery_started,
        (ContractName.IDENTITIES, "RecoveryEnded"): _recovery_ended,
        (ContractName.IDENTITIES, "LinkAccepted"): _link_accepted,
        (ContractName.IDENTITIES, "LinkEnded"): _link_ended,
        (ContractName.IDENTITIES, "KeyAdded"): _key_added,
        (ContractName.IDENTITIES, "KeyEnded"): _key_ended,
        (ContractName.IDENTITIES, "KeyNoticeGiven"): _key_notice_given,
        (ContractName.IDENTITIES, "ControllerNoticeGiven"): _controller_notice_given,
        (ContractName.IDENTITIES, "AuthorityNoticeGiven"): _authority_notice_given,
        (ContractName.IDENTITIES, "NoticeBacked"): _notice_backed,
        (ContractName.IDENTITIES, "ClaimMade"): _claim_made,
        (ContractName.IDENTITIES, "ClaimShown"): _claim_shown,
        (ContractName.IDENTITIES, "ClaimRevoked"): _claim_revoked,
        (ContractName.IDENTITIES, "Accredited"): _accredited,
        (ContractName.IDENTITIES, "AccreditationRevoked"): _accreditation_revoked,
        (ContractName.DESIGNS, "DesignRegistered"): _design_registered,
        (ContractName.DESIGNS, "RevisionPublished"): _revision_published,
        (ContractName.DESIGNS, "Transfer"): _design_moved,
        (ContractName.RECIPES, "RecipePublished"): _recipe_published,
        (ContractName.RECIPES, "RecipeStatusChanged"): _recipe_status_changed,
        (ContractName.RECIPES, "SiteRecipePublished"): _site_recipe_published,
        (ContractName.LICENSES, "LicenseGranted"): _license_granted,
        (ContractName.LICENSES, "LicenseSublicensed"): _license_sublicensed,
        (ContractName.LICENSES, "LicenseExtended"): _license_extended,
        (ContractName.LICENSES, "LaneSplit"): _lane_split,
        (ContractName.LICENSES, "LaneReclaimAnnounced"): _reclaim_announced,
        (ContractName.LICENSES, "LaneReclaimed"): _lane_reclaimed,
        (ContractName.LICENSES, "RoyaltyPaid"): _royalty_paid,
        (ContractName.LICENSES, "UnitsDrawn"): _units_drawn,
        (ContractName.LICENSES, "LicenseStopped"): _license_stopped,
        (ContractName.LOG, "LogOpened"): _log_opened,
        (ContractName.LOG, "WriterChanged"): _writer_changed,
        (ContractName.LOG, "LogClosed"): _log_closed,
        (ContractName.LOG, "RecordAppended"): _record_appended,
        (ContractName.PARTS, "Transfer"): _part_moved,
        (ContractName.PARTS, "PartVoided"): _part_voided,
        (ContractName.PARTS, "PartSuperseded"): _part_superseded,
        (ContractName.EQUIVALENCE, "PlanRegistered"): _plan_registered,
        (ContractName.EQUIVALENCE, "PlanJoined"): _plan_joined,
        (ContractName.EQUIVALENCE, "DataCommitted"): _data_committed,
        (ContractName.EQUIVALENCE, "DataRevealed"): _data_revealed,
        (ContractName.EQUIVALENCE, "SiteCertified"): _site_certified,
        (ContractName.EQUIVALENCE, "CertificateChallenged"): _certificate_challenged,
        (ContractName.EQUIVALENCE, "CertificateSuspended"): _certificate_suspended,
        (ContractName.EQUIVALENCE, "CertificateLapsed"): _certificate_lapsed,
        (ContractName.RECALLS, "RecallIssued"): _recall_issued,
        (ContractName.RECALLS, "RecallClosed"): _recall_closed,
        (ContractName.RECALLS, "RecallAsked"): _recall_asked,
    }
)
