"""Good cases: what honest shops do, in all the ways that a verifier must let pass."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from fakes import simulator as sim
from fakes.cases import Draft
from fakes.cases.accredited import OF_CERTIFIER, OF_MAKER, SCOPE, accredit
from fakes.cases.chain import block_note, watched
from fakes.cases.countersigned import countersign
from fakes.cases.draft import Change, under, word
from fakes.cases.entry import FAR
from fakes.cases.equivalent import GOOD, certified
from fakes.cases.given import SOLD
from fakes.cases.inspections import helped
from fakes.cases.measured import asked
from fakes.cases.notices import doubt, list_authority, on_controller
from fakes.cases.overridden import CORE, altered, hide, override, show_former, understate
from fakes.cases.recalled import (
    CLOSED,
    LOT,
    LOTS,
    OPEN,
    Recall,
    declare,
    evaluated,
    machine,
    others_recalled,
    recall,
)
from fakes.cases.salted import HEIGHT, salted
from fakes.cases.sold import HOUSE, REVISED, sell
from fakes.corpus.case import Given, given
from fakes.simulator import (
    AUTHORITY,
    BEGUN,
    DESIGN,
    DESIGNER,
    HOST,
    ISSUER,
    LOG,
    LOGGED,
    LOOKED,
    MACHINE,
    MAKER,
    OWNER,
    POSITION,
    PUBLISHED,
    REGISTERED,
    SITE,
    Signer,
    accreditation,
    claim,
    interval_word,
    key_word,
    members,
    owner_word,
)
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import Index
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.recipes.recipe import Change as Kind
from guildmark.domain.signatures import Algorithm
from guildmark.domain.verification.case import Question

GOOD_CASES: dict[str, Change] = {}


def good_cases() -> Iterator[Given]:
    for name, change in GOOD_CASES.items():
        draft = Draft()
        change(draft)
        yield given(f"good.{name}", draft.seal(), exit=0, check=None, code=None)


def passes(name: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        GOOD_CASES[name] = change
        return change

    return register


@passes("plain")
def _plain(draft: Draft) -> None:
    del draft


def _signed_with(draft: Draft, *, algorithm: Algorithm) -> None:
    draft.simulator.sign_with(algorithm)


for _each in Algorithm:
    passes(f"signed-with-{_each.name.lower()}")(partial(_signed_with, algorithm=_each))


def _licensed_under(draft: Draft, *, numbers: tuple[int, ...]) -> None:
    draft.simulator.license_under(*numbers)


for _depth, _numbers in enumerate([(8,), (8, 9), (8, 9, 10), (8, 9, 10, 11)], start=1):
    passes(f"license-{_depth}-deep")(partial(_licensed_under, numbers=_numbers))


@passes("license-names-a-host-alone")
def _host_named(draft: Draft) -> None:
    draft.simulator.terms_members = members(LABEL_NAMESPACE=f"https://{HOST}")


@passes("site-cleared-in-an-allowed-country")
def _cleared(draft: Draft) -> None:
    simulator = draft.simulator
    simulator.terms_members = members(
        COUNTRY="DE", COUNTRY_DENIED="FR", CONTROL_CLASS="X1", LICENSE_TEXT="SPDX:MIT", TEXT="so"
    )
    simulator.claims = (*simulator.claims, claim(SITE, "CONTROL", "X1"))


@passes("index-that-no-double-holds")
def _far_in_the_log(draft: Draft) -> None:
    draft.simulator.record["first_index"] = Index(FAR)
    draft.question = Question(hint=(LOG, Index(FAR + POSITION)))


@passes("first-build-of-a-new-machine")
def _new_machine(draft: Draft) -> None:
    simulator = draft.simulator
    simulator.words[_key_slot(simulator.signer)] = key_word(BEGUN)
    simulator.words[storage.LINKS.at(MACHINE, SITE, 1)] = interval_word(BEGUN)


@passes("queue-that-waited")
def _waited(draft: Draft) -> None:
    draft.simulator.beacon["time"] = PUBLISHED
    draft.simulator.run |= {"started_on": PUBLISHED + 1, "finished_on": PUBLISHED + 60}


@passes("override-that-two-signed")
def _overridden(draft: Draft) -> None:
    override(draft)


@passes("override-of-a-hidden-recipe-that-two-call-the-greatest-change")
def _overridden_unseen(draft: Draft) -> None:
    override(draft)
    draft.simulator.disclosed["former_recipe"] = None


@passes("override-of-a-hidden-clause-that-two-call-the-greatest-change")
def _overridden_withheld(draft: Draft) -> None:
    override(draft)
    show_former(draft, CORE)


@passes("change-as-great-as-it-says")
def _stated_whole(draft: Draft) -> None:
    understate(draft, Kind.REQUALIFY)
    draft.simulator.disclosed["former_recipe"] = None


@passes("window-narrowed-by-a-minor-change")
def _narrowed(draft: Draft) -> None:
    wider = altered(draft, "/process/layer_height", maximum="0.40")
    sim.supersede(draft.simulator, Kind.MINOR, wider)


@passes("clause-that-did-not-change-withheld-by-both-recipes")
def _unchanged(draft: Draft) -> None:
    same = altered(draft, "/tolerance/look", value="no  cracks")
    sim.supersede(draft.simulator, Kind.EDITORIAL, same)
    hide(draft, "/material/grade")
    show_former(draft, "/material/grade")


@passes("signed-again-after-a-rotation")
def _rotated(draft: Draft) -> None:
    simulator = draft.simulator
    simulator.words[_key_slot(simulator.signer)] = key_word(REGISTERED, BEGUN - 10)
    simulator.signer = Signer("the next key")
    simulator.words[_key_slot(simulator.signer)] = key_word(BEGUN - 10)


@passes("key-that-ended-a-second-later")
def _ended(draft: Draft) -> None:
    word(_key_slot(draft.simulator.signer), key_word(REGISTERED, LOGGED + 1))(draft)


def _witnessed(draft: Draft, *, names: tuple[str, ...]) -> None:
    watched(draft, block_note(draft, *names), until=LOOKED + 1)


for _names in [("w1", "w2"), ("w3", "w2", "w1"), ("stranger", "w1", "w3")]:
    passes(f"witnessed-by-{'-'.join(_names)}")(partial(_witnessed, names=_names))


@passes("accredited-by-a-certifier")
def _accredited(draft: Draft) -> None:
    accredit(draft, OF_MAKER, OF_CERTIFIER)


@passes("accredited-by-a-listed-issuer")
def _accredited_at_once(draft: Draft) -> None:
    accredit(draft, accreditation(ISSUER, MAKER, replace(SCOPE, sites=(SITE,))))


@passes("certified-equivalent")
def _certified(draft: Draft) -> None:
    certified(draft, GOOD)


@passes("salted-and-all-shown")
def _salted(draft: Draft) -> None:
    salted(draft)


@passes("salted-and-without-values-of-a-recipe-that-asks-for-none")
def _salted_sample(draft: Draft) -> None:
    salted(draft)
    draft.simulator.statement["measurements"] = ()
    asked(draft, sim.quantity("/qa/sample_every", ClauseClass.CORE, "1", value="7"))
    draft.simulator.external["unit"] = sim.UNIT


@passes("settings-closed-and-certified-equivalent")
def _settings_closed(draft: Draft) -> None:
    salted(draft, "/tolerance")
    certified(draft, GOOD)


@passes("values-closed-and-certified-equivalent")
def _values_closed(draft: Draft) -> None:
    salted(draft, HEIGHT)
    certified(draft, GOOD)


@passes("no-value-is-shown-and-certified-equivalent")
def _nothing_shown(draft: Draft) -> None:
    salted(draft)
    draft.simulator.disclosed |= {"settings": None, "measurements": None}
    certified(draft, GOOD)


@passes("certified-until-a-second-later")
def _certified_until(draft: Draft) -> None:
    certified(draft, replace(GOOD, until=LOGGED + 1))


@passes("countersigned")
def _countersigned(draft: Draft) -> None:
    countersign(draft)


@passes("doubted-and-inspected")
def _inspected(draft: Draft) -> None:
    helped(draft)


@passes("authority-that-is-silent")
def _silent(draft: Draft) -> None:
    list_authority(draft)


@passes("lots-that-nobody-recalls")
def _lots(draft: Draft) -> None:
    declare(draft, *LOTS)


@passes("recalls-that-were-closed")
def _closed(draft: Draft) -> None:
    declare(draft, *LOTS)
    recall(draft, LOT, CLOSED, CLOSED)
    recall(draft, machine(), CLOSED)


@passes("recalls-of-what-other-parts-have")
def _others_recalled(draft: Draft) -> None:
    others_recalled(draft)


@passes("recall-by-an-authority-that-is-not-listed")
def _unlisted(draft: Draft) -> None:
    draft.simulator.disclosed["authorities"] = (AUTHORITY,)
    recall(draft, machine(), OPEN, by=AUTHORITY)


@passes("recall-by-an-authority-that-was-listed-later")
def _listed_later(draft: Draft) -> None:
    list_authority(draft, since=LOGGED + 51)
    recall(draft, machine(), OPEN, by=AUTHORITY)


@passes("recall-of-a-certificate-that-was-closed")
def _certificate_closed(draft: Draft) -> None:
    evaluated(draft)


@passes("machine-recalled-until-the-beacon-and-from-after-the-record")
def _other_times(draft: Draft) -> None:
    recall(draft, machine(), Recall(until=BEGUN), Recall(since=LOGGED + 1))


@passes("design-sold-after-the-license")
def _sold(draft: Draft) -> None:
    word(storage.DESIGN_OWNERS.at(DESIGN, 1), owner_word(b"\xd1" * 20, SOLD))(draft)


@passes("revision-of-a-buyer-after-whose-purchase-the-seller-is-doubted")
def _seller_doubted_later(draft: Draft) -> None:
    sell(draft)
    doubt(draft, on_controller(DESIGNER), REVISED, SOLD + 1)


@passes("revision-of-a-seller-whose-buyer-is-doubted")
def _buyer_doubted_later(draft: Draft) -> None:
    sell(draft, at=SOLD - 1)
    doubt(draft, on_controller(HOUSE), REVISED, SOLD)


@passes("license-of-a-later-owner")
def _later_owner(draft: Draft) -> None:
    draft.simulator.terms["design_epoch"] = 2
    word(storage.DESIGN_OWNERS.at(DESIGN, 0), owner_word(b"\xd1" * 20, REGISTERED))(draft)
    word(storage.DESIGN_OWNERS.at(DESIGN, 2), owner_word(OWNER, REGISTERED + 20))(draft)


@passes("license-under-another-that-names-the-site")
def _named_above(draft: Draft) -> None:
    under(draft)


def _key_slot(signer: Signer) -> storage.Location:
    return storage.KEYS.at(key_id(MACHINE, signer.public))
