"""Cases for check (2): a doubted part that an inspection does not help, one for each reason."""

from collections.abc import Callable
from typing import Any

from fakes import simulator as sim
from fakes.cases.draft import Change, Draft, breaks, word
from fakes.cases.key import KEY
from fakes.cases.notices import doubt, on_controller
from fakes.inspecting import INSPECTED, INSPECTOR, LABORATORY, PROBE, Inspecting
from fakes.simulator import AUTHORITY, LOGGED, MACHINE, MAKER, REGISTERED, SITE, Signer
from guildmark.domain.builds.inspection import Result
from guildmark.domain.chain import storage
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest, Index, LogNumber, Seq
from guildmark.domain.identity.identity import IdentityKind, key_id
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.trust import Listed
from guildmark.domain.verification.evidence import LinkDisclosure

NOTICE = LOGGED + 90
PROBES_KEY = key_id(PROBE, Signer("probe").public)
REASONS: dict[str, str] = {}
"""Why the inspection of a case does not count, by the case's name."""


def doubt_and_list(draft: Draft) -> None:
    """Let the maker doubt the machine's key, and the reader list the inspector."""
    word(KEY, sim.key_word(REGISTERED, notice_at=NOTICE, suspected_from=REGISTERED))(draft)
    draft.trust["inspectors"] = (Listed(id=INSPECTOR),)


def inspect(draft: Draft, **changes: Any) -> Inspecting:
    """Let a listed inspector inspect a doubted part, with what is changed of it."""
    doubt_and_list(draft)
    inspecting = Inspecting(simulator=draft.simulator, **changes)
    inspecting.show()
    return inspecting


def unhelped(reason: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        REASONS[change.__name__] = reason
        return breaks(2, "keyInDoubt", 23)(change)

    return register


@unhelped("it is about another build.")
def inspection_of_another_envelope(draft: Draft) -> None:
    inspect(draft, said={"envelope": Digest(sha256(b"another envelope"))})


@unhelped("it is about another build.")
def inspection_of_another_part(draft: Draft) -> None:
    inspect(draft, said={"subject": Digest(sha256(b"another part"))})


@unhelped("the maker made it.")
def inspection_by_the_maker_whom_the_reader_lists(draft: Draft) -> None:
    inspect(draft, said={"inspector": MAKER})
    draft.trust["inspectors"] = (Listed(id=MAKER),)


@unhelped("its inspector is not on your list.")
def inspector_whom_nobody_lists(draft: Draft) -> None:
    inspect(draft)
    draft.trust["inspectors"] = ()


@unhelped("its inspector is not on your list.")
def inspector_who_was_dropped_from_the_list_before(draft: Draft) -> None:
    inspect(draft)
    draft.trust["inspectors"] = (Listed(id=INSPECTOR, until=INSPECTED),)


@unhelped("it did not pass, was taken back or came too late.")
def inspection_on_record_in_the_second_of_the_notice(draft: Draft) -> None:
    inspect(draft, record={"time": NOTICE})


@breaks(8, "inspectionFailed", 15, decides=False)
def inspection_that_failed(draft: Draft) -> None:
    inspect(draft, said={"result": Result.FAILED})


@breaks(8, "inspectionFailed", 15, decides=False)
def inspection_that_its_inspector_took_back(draft: Draft) -> None:
    inspect(draft)
    later = {"time": NOTICE + 5, "seq": Seq(3), "first_index": Index(20)}
    inspect(draft, said={"result": Result.FAILED}, record=later)


@breaks(8, "inspectionFailed", 15)
def part_of_a_sound_key_that_failed_its_inspection(draft: Draft) -> None:
    draft.trust["inspectors"] = (Listed(id=INSPECTOR),)
    Inspecting(simulator=draft.simulator, said={"result": Result.FAILED}).show()


@breaks(8, "toleranceExceeded", 15)
def part_that_its_inspector_passed_and_measured_outside(draft: Draft) -> None:
    draft.trust["inspectors"] = (Listed(id=INSPECTOR),)
    bore = sim.measured("bore", "10.051")
    Inspecting(simulator=draft.simulator, said={"measurements": (bore,)}).show()


@unhelped("it cannot be read")
def inspection_that_is_none(draft: Draft) -> None:
    inspect(draft, payload=b"{}")


@unhelped("the key that signed it is not shown.")
def inspection_without_the_key_that_signed_it(draft: Draft) -> None:
    inspect(draft, shown={"key": None})


@unhelped("its signature does not hold.")
def inspection_signed_by_another_key_than_shown(draft: Draft) -> None:
    inspect(draft, shown={"key": Signer("stranger").public})


@unhelped("its signature does not hold.")
def inspection_changed_after_it_was_signed(draft: Draft) -> None:
    honest = Inspecting(simulator=draft.simulator, said={"result": Result.FAILED})
    twin = Signer("probe")
    other = honest.inspection().encode()

    def forged(payload: bytes) -> bytes:
        return Signer("probe").sign(other + payload)

    twin.sign = forged  # type: ignore[method-assign] # a forger
    inspect(draft, signer=twin)


@unhelped("it stands in another log than it names.")
def inspection_logged_elsewhere_than_it_says(draft: Draft) -> None:
    inspect(draft, said={"log": LogNumber(7)})


@unhelped("it does not stand at its place in the record.")
def inspection_whose_path_is_false(draft: Draft) -> None:
    inspect(draft, record={"root": MerkleTree([b"x" * 32, b"y" * 32]).root()})


@unhelped("its record is not on chain.")
def inspection_whose_record_is_not_on_chain(draft: Draft) -> None:
    inspecting = inspect(draft)
    record = inspecting.disclosure().proof.record
    word(storage.RECORDS.at(record.log, record.seq), 0)(draft)


@unhelped("its entry is void.")
def inspection_declared_void(draft: Draft) -> None:
    inspect(draft)
    word(storage.FATES.at(LogNumber(6), Index(11)), storage.VOIDED)(draft)


@unhelped("There is no proof of slot")
def inspection_whose_record_is_not_proven(draft: Draft) -> None:
    inspect(draft)
    draft.simulator.unproven.add(storage.RECORDS.at(LogNumber(6), Seq(2)))


@unhelped("the key that signed it was not in force.")
def inspectors_key_ended_at_the_record(draft: Draft) -> None:
    inspect(draft)
    word(storage.KEYS.at(PROBES_KEY), sim.key_word(REGISTERED, until=INSPECTED))(draft)


@unhelped("the key that signed it was not in force.")
def inspectors_key_that_nobody_added(draft: Draft) -> None:
    inspect(draft)
    word(storage.KEYS.at(PROBES_KEY), 0)(draft)


@unhelped("the key that signed it is doubted, too.")
def inspectors_key_under_notice(draft: Draft) -> None:
    inspect(draft)
    noticed = sim.key_word(REGISTERED, notice_at=INSPECTED, suspected_from=INSPECTED)
    word(storage.KEYS.at(PROBES_KEY), noticed)(draft)


@unhelped("the key that signed it is doubted, too.")
def inspectors_key_in_doubt_by_an_authority(draft: Draft) -> None:
    inspect(draft)
    draft.trust["authorities"] = (Listed(id=AUTHORITY),)
    draft.simulator.disclosed["authorities"] = (AUTHORITY,)
    doubt(draft, storage.NOTICES.at(PROBES_KEY, AUTHORITY), NOTICE + 50, INSPECTED)


@unhelped("the key that signed it was added by somebody who is doubted.")
def inspectors_key_added_by_somebody_doubted(draft: Draft) -> None:
    inspect(draft)
    doubt(draft, on_controller(PROBE), NOTICE + 50, REGISTERED)


@unhelped("a link of its instrument was made by somebody who is doubted.")
def inspectors_instrument_linked_by_somebody_doubted(draft: Draft) -> None:
    inspect(draft)
    doubt(draft, on_controller(LABORATORY), NOTICE + 50, REGISTERED)


@unhelped("its organization is not registered as one.")
def inspector_that_is_no_organization(draft: Draft) -> None:
    inspect(draft)
    person = sim.identity_word(IdentityKind.AUTHORITY)
    word(storage.IDENTITIES.at(INSPECTOR), person)(draft)


@unhelped("the links from its instrument to the inspector are not shown.")
def inspection_without_the_instruments_link(draft: Draft) -> None:
    inspect(draft, shown={"site_link": None})


@unhelped("the links from its instrument to the inspector are not shown.")
def inspection_by_the_suspected_machine_in_the_inspectors_name(draft: Draft) -> None:
    inspect(draft, shown={"site_link": LinkDisclosure(child=MACHINE, parent=SITE, count=1)})


@unhelped("its instrument did not belong to the inspector.")
def inspectors_instrument_linked_after_the_inspection(draft: Draft) -> None:
    inspect(draft)
    word(storage.LINKS.at(PROBE, LABORATORY, 1), sim.interval_word(INSPECTED + 1))(draft)


@unhelped("not all intervals of its links are shown.")
def inspectors_link_with_an_interval_left_out(draft: Draft) -> None:
    inspect(draft)
    word(storage.LINK_COUNTS.at(LABORATORY, INSPECTOR), 2)(draft)


@unhelped("it is about another build.")
def inspection_made_for_an_envelope_that_was_signed_again(draft: Draft) -> None:
    """The machine signed the same part again; the inspector looked at the first envelope."""
    first = Inspecting(simulator=draft.simulator).inspection()
    draft.simulator.run["counter"] = 26
    inspect(draft, said={"subject": first.subject, "envelope": first.envelope})


def helped(draft: Draft) -> None:
    """Let the inspection be on record one second before the notice."""
    inspect(draft, record={"time": NOTICE - 1})
