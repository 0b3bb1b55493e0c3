"""The verdict page says what the report says, in words, without a script."""

import re
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from guildmark.api.errors import NodeFaultError
from guildmark.api.pages.problem import problem_page
from guildmark.api.pages.rendering import render
from guildmark.api.pages.scanned import Scanned
from guildmark.api.pages.verdict import (
    LIMITS,
    Fact,
    Judge,
    Link,
    Measured,
    PartDetails,
    VerdictPage,
    own,
    verdict_page,
)
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.errors import MalformedError, NetworkError, NotFoundError, SignatureError
from guildmark.domain.identifiers import Address, ChainId
from guildmark.domain.verification.checks.recalled import RECALLED
from guildmark.domain.verification.report import (
    AsOf,
    Cause,
    CheckResult,
    Fault,
    Finding,
    NamedClaim,
    PartSummary,
    Party,
    Report,
    State,
    Verdict,
)
from guildmark.services.log.erased import PartErasedError

PAGE_MAX = 100 * 1024
BAD = Finding(
    cause=Cause(code="verify.signatureInvalid", state=State.FAIL, meaning="Not signed."),
    reason="The signature is of another envelope.",
    evidence="statements/build.dsse.json",
)
OPEN = Finding(
    cause=Cause(code="verify.proofMissing", state=State.UNKNOWN, meaning="Not proven."),
    reason="No proof of the record is there.",
    evidence="chain/log.json",
)
PART = PartSummary(
    chain_id=ChainId(5),
    build_log=Address(bytes(20)),
    log=1,
    index=16,
    label="https://id.example.org/id/acme/1-17",
    unit=17,
    units=60,
    signer_role="machine",
    is_simulated=True,
)
MAKER = Party(
    role="maker",
    id="0x12",
    name="Volta <Works>",
    claims=(NamedClaim(scheme="LEI", value="X1", issuer="0x77", is_listed=True),),
    is_listed=True,
)
GOOD = Report(
    verdict=Verdict.VERIFIED,
    exit=0,
    headline="Verified",
    checks=(CheckResult(number=0, name="chain", asks="The chain is the pinned one."),),
    as_of=AsOf(block=88, time=1_795_300_000),
    part=PART,
    parties=(MAKER,),
)
DETAILS = PartDetails(
    serial="1-17",
    facts=(Fact(name="Design", value="revision 1"),),
    ids=(Fact(name="License", value="0x99", is_id=True),),
    names={"0x77": "Chamber of <Commerce>"},
    measurements=(Measured(name="bore", unit="mm", value="22.2", allowed="22.05 to 22.45"),),
    built=(1_795_200_000, 1_795_200_400),
    links=(Link(href="/v1/parts/1.16/bundle", text="Evidence"),),
    qr="/v1/parts/1.16/label.svg",
)


def _page(report: Report, chain_class: ChainClass = ChainClass.PUBLIC) -> VerdictPage:
    judge = Judge(host="a.example", chain_class=chain_class)
    return verdict_page(report, judge=judge, details=DETAILS)


def _html(report: Report) -> str:
    return render("verdict.html", _page(report), host="a.example")


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        (Verdict.VERIFIED, "good"),
        (Verdict.UNTRUSTED, "care"),
        (Verdict.PROBLEM, "bad"),
        (Verdict.NOT_FOUND, "none"),
        (Verdict.UNCHECKABLE, "none"),
    ],
)
def test_each_verdict_has_its_tone(verdict: Verdict, tone: str) -> None:
    assert _page(replace(GOOD, verdict=verdict)).tone == tone


def test_a_recalled_part_is_called_so_and_the_timeline_tells_it() -> None:
    said = f"Recalled since 2026-11-20 by the design's owner; design 0x{'ab' * 32}: do not use it."
    check = CheckResult(
        number=12, name="recalls", asks="", findings=(RECALLED.found(said, "chain/recalls.json"),)
    )
    report = replace(GOOD, verdict=Verdict.PROBLEM, exit=20, checks=(check,))
    details = replace(DETAILS, recalls=((1_795_200_500, said), (1_795_200_450, "Closed.")))

    page = verdict_page(
        report, judge=Judge(host="a.example", chain_class=ChainClass.PUBLIC), details=details
    )

    assert (page.headline, page.tone) == ("Recalled", "bad")
    assert page.problems == (
        "(12) Recalled since 2026-11-20 by the design's owner; design 0xabababab…abab: "
        "do not use it.",
    )
    assert [one.what[:9] for one in page.timeline[2:4]] == ["Closed.", "Recalled "]
    assert {one.source for one in page.timeline[2:4]} == {"recall on chain"}


@pytest.mark.parametrize(
    ("verdict", "chain_class", "headline"),
    [
        (Verdict.VERIFIED, ChainClass.PUBLIC, "Verified"),
        (Verdict.VERIFIED, ChainClass.LOCAL, "Verified on this node's own chain"),
        (Verdict.PROBLEM, ChainClass.PUBLIC, "Problem found"),
        (Verdict.NOT_FOUND, ChainClass.PUBLIC, "Not found"),
        (Verdict.UNCHECKABLE, ChainClass.PUBLIC, "Could not check"),
    ],
)
def test_each_verdict_has_its_words(
    verdict: Verdict, chain_class: ChainClass, headline: str
) -> None:
    assert _page(replace(GOOD, verdict=verdict), chain_class).headline == headline


@pytest.mark.parametrize(
    ("roles", "named"),
    [
        ((), "the issuer of the label's GS1 prefix"),
        (("maker",), "the maker's issuer"),
        (("operator", "designOwner"), "the operator of the log, the designer's issuer"),
    ],
)
def test_the_second_verdict_names_whom_the_list_lacks(roles: tuple[str, ...], named: str) -> None:
    parties = tuple(replace(MAKER, role=role, is_listed=False) for role in roles)

    page = _page(replace(GOOD, verdict=Verdict.UNTRUSTED, parties=parties))

    assert page.headline == "Verified, but an issuer is not on this node's trust list"
    assert page.problems == (f"Not on the list: {named}.",)


def test_the_page_says_who_signed_and_whose_list_judged() -> None:
    assert _page(GOOD).by_whom == "Signed by the machine, judged by the trust list of a.example."
    assert _page(replace(GOOD, part=None)).by_whom == "Judged by the trust list of a.example."


SHORT = [CheckResult(number=number, name="x", asks="It is.") for number in (7, 8)]
DESIGNER = replace(MAKER, role="designOwner", name="Atelier Vinterlys")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "A machine of Volta signed for unit 17 of 60, licensed by Atelier Vinterlys: "
            "made by the recipe and measured within its tolerances.",
        ),
        (
            {"checks": SHORT[:1]},
            "A machine of Volta signed for unit 17 of 60, licensed by Atelier Vinterlys: "
            "made by the recipe.",
        ),
        (
            {"checks": SHORT[1:], "part": replace(PART, unit=None, signer_role="gateway")},
            "A gateway of Volta signed for this part: measured within its tolerances (simulated).",
        ),
        (
            {"checks": (), "parties": (), "part": replace(PART, signer_role=None)},
            "Someone of its maker signed for unit 17 of 60, licensed by the designer.",
        ),
        (
            {"checks": (), "parties": (replace(MAKER, name="Volta", is_listed=False),)},
            "A machine of “Volta” (self-named) signed for unit 17 of 60, licensed by the designer.",
        ),
        ({"verdict": Verdict.PROBLEM}, ""),
        ({"verdict": Verdict.UNCHECKABLE}, ""),
        ({"part": None}, ""),
    ],
)
def test_a_good_verdict_says_what_it_proves(changes: dict[str, Any], sentence: str) -> None:
    parties = (DESIGNER, replace(MAKER, name="Volta"))
    measured = replace(PART, is_simulated=False)
    good = replace(GOOD, checks=tuple(SHORT), parties=parties, part=measured)

    page = _page(replace(good, **changes))

    assert page.proven == sentence
    html = render("verdict.html", page, host="a.example")
    assert ("<dt>Not proven</dt>" in html) == bool(sentence)


def test_the_maker_comes_first_the_operator_last() -> None:
    parties = tuple(replace(MAKER, role=role) for role in ("operator", "designOwner", "maker"))

    names = [fact.name for fact in _page(replace(GOOD, parties=parties)).facts]

    assert names == ["Serial", "Unit", "Maker", "Designer", "Logged by", "Design"]


def test_a_digest_is_short_at_the_top_and_whole_below() -> None:
    digest = "0x" + "ab" * 32
    reason = f"The key {digest} does not fit."
    check = CheckResult(number=2, name="key", asks="x", findings=(replace(BAD, reason=reason),))

    page = _page(replace(GOOD, verdict=Verdict.PROBLEM, checks=(check,)))

    assert page.problems == ("(2) The key 0xabababab…abab does not fit.",)
    assert page.checks[0].reason == reason


def test_the_page_escapes_what_others_wrote() -> None:
    html = _html(GOOD)

    assert "Volta &lt;Works&gt;" in html
    assert "<Works>" not in html


def test_the_page_brings_its_verifier_alone_and_no_other_host() -> None:
    plain = _html(GOOD)
    judge = Judge(host="a.example", chain_class=ChainClass.PUBLIC)
    shown = replace(DETAILS, own=own(b"bundle", GOOD, base="/v1/parts/1.16"))
    html = render("verdict.html", verdict_page(GOOD, judge=judge, details=shown), host="a.example")

    assert "<script" not in plain
    assert re.findall(r"<script.*", html) == [
        '<script type="module" src="/static/verifier/page.js"></script>'
    ]
    assert "http" not in html
    assert len(html.encode()) < PAGE_MAX


def test_the_verifier_is_told_what_was_judged() -> None:
    told = own(b"bundle", GOOD, base="/v1/parts/1.16")
    undated = own(b"bundle", replace(GOOD, as_of=None), base="/v1/parts/1.16")

    assert told.bundle == "/v1/parts/1.16/bundle?block=88"
    assert told.digest == f"0x{sha256(b'bundle').hexdigest()}"
    assert (told.part, told.verdict) == ("1.16", "verified")
    assert undated.bundle == "/v1/parts/1.16/bundle"


def test_the_page_prints_what_no_verdict_proves() -> None:
    html = _html(GOOD)

    assert all(limit in html for limit in LIMITS)


def test_simulated_values_are_said_to_be() -> None:
    assert "are simulated" in _html(GOOD)
    assert "are simulated" not in _html(replace(GOOD, part=replace(PART, is_simulated=False)))


def test_a_failed_check_is_named_at_the_top() -> None:
    check = CheckResult(number=2, name="key", asks="Signed.", findings=(BAD,))

    page = _page(replace(GOOD, verdict=Verdict.PROBLEM, checks=(check,)))

    assert page.headline == "Problem found: key"
    assert page.problems == ("(2) The signature is of another envelope.",)
    assert page.checks[0].tone == "bad"


def test_what_could_not_be_checked_is_named_at_the_top() -> None:
    check = CheckResult(number=4, name="record", asks="On record.", findings=(OPEN,))

    page = _page(replace(GOOD, verdict=Verdict.UNCHECKABLE, checks=(check,)))

    assert page.headline == "Could not check: record"
    assert page.problems == ("(4) No proof of the record is there.",)


def test_a_fault_is_said_with_its_next_step() -> None:
    fault = Fault(code="bundle.notCanonical", reason="It is cut.", next_step="Fetch it again.")

    page = _page(Report(verdict=Verdict.PROBLEM, exit=14, headline="Problem found", fault=fault))

    assert page.problems == ("It is cut. Fetch it again.",)
    assert page.as_of == ""
    assert [fact.name for fact in page.facts] == ["Design"]


def test_a_local_chain_is_called_what_it_is() -> None:
    assert "could rewrite it" in _page(GOOD, ChainClass.LOCAL).as_of
    assert "could rewrite it" not in _page(GOOD, ChainClass.PUBLIC).as_of


def test_a_party_that_nobody_listed_vouches_for_is_marked() -> None:
    page = _page(replace(GOOD, parties=(replace(MAKER, is_listed=False),)))

    (source,) = (fact.source for fact in page.facts if fact.name == "Maker")
    assert source.endswith("; not on this node's trust list")


def test_a_party_of_whom_no_claim_was_shown_is_marked_so() -> None:
    parties = (replace(MAKER, claims=(), is_listed=False),)
    page = _page(replace(GOOD, verdict=Verdict.UNTRUSTED, parties=parties))

    assert [fact.source for fact in page.facts if fact.name == "Maker"] == ["no claim was shown"]
    assert page.headline == "Verified, but nobody was shown to vouch for who is named"
    assert page.problems == (
        "Maker: no valid claim was shown to this node. Who made one shows it with "
        "`guildmark disclose claim`.",
    )


def test_an_unlisted_party_is_told_beside_one_without_claims() -> None:
    parties = (
        replace(MAKER, claims=(), is_listed=False),
        replace(MAKER, role="operator", is_listed=False),
    )
    page = _page(replace(GOOD, verdict=Verdict.UNTRUSTED, parties=parties))

    assert page.headline == "Verified, but an issuer is not on this node's trust list"
    assert page.problems[1] == "Not on the list: the operator of the log."


def test_an_issuer_is_called_as_it_calls_itself() -> None:
    (maker,) = (fact for fact in _page(GOOD).facts if fact.name == "Maker")

    assert maker.source == "LEI X1, stated by Chamber of <Commerce>"


def test_who_has_no_name_is_called_by_his_id() -> None:
    claim = NamedClaim(scheme="LEI", value="X1", issuer="0x" + "12" * 32, is_listed=True)
    nameless = replace(MAKER, name="", id="0x" + "34" * 32, claims=(claim,))

    (maker,) = (
        fact for fact in _page(replace(GOOD, parties=(nameless,))).facts if fact.name == "Maker"
    )

    assert maker.value == "0x34343434…3434"
    assert maker.source == "LEI X1, stated by 0x12121212…1212"


def test_a_party_that_is_not_proven_is_not_known() -> None:
    unknown = replace(MAKER, name="", id="", claims=())

    values = [fact.value for fact in _page(replace(GOOD, parties=(unknown,))).facts]

    assert "not known" in values


def test_a_part_without_unit_or_signer_shows_none() -> None:
    part = replace(PART, label=None, unit=None, signer_role=None)

    names = [fact.name for fact in _page(replace(GOOD, part=part)).facts]

    assert names == ["Serial", "Maker", "Design"]


def test_times_are_windows_with_their_sources() -> None:
    page = _page(GOOD)

    assert [moment.source for moment in page.timeline] == [
        "beacon of the statement",
        "record on chain",
        "block header",
    ]
    assert page.timeline[2].at == "2026-11-21T22:26:40Z"
    assert page.timeline[2].shown == "2026-11-21 22:26:40 UTC"


def test_a_time_that_no_calendar_has_is_shown_as_it_is() -> None:
    page = _page(replace(GOOD, as_of=AsOf(block=88, time=2**60)))

    assert page.timeline[2].shown == f"second {2**60}"


@pytest.mark.parametrize(
    ("error", "headline"),
    [
        (NotFoundError("x"), "Not found"),
        (NetworkError("x"), "Could not check"),
        (SignatureError("x"), "Problem found"),
        (MalformedError("x"), "Cannot be read"),
        (NodeFaultError("x"), "Something went wrong here"),
        (PartErasedError("x"), "Withheld (erased)"),
    ],
)
def test_an_error_page_has_the_verdicts_words(error: Exception, headline: str) -> None:
    page = problem_page(error)  # type: ignore[arg-type]  # all are GuildmarkErrors

    assert page.headline == headline
    assert page.code in render("problem.html", page, host="a.example")


def test_a_measured_value_says_what_it_proves() -> None:
    row = Measured(
        name="bore",
        unit="mm",
        value="22.44",
        allowed="22.05 to 22.45",
        uncertainty="± 0.02 (k = 2)",
        decision="unproven",
        tone="care",
        reason="It lies so near a limit that its uncertainty decides.",
    )
    judge = Judge(host="a.example", chain_class=ChainClass.PUBLIC)
    page = verdict_page(GOOD, judge=judge, details=replace(DETAILS, measurements=(row,)))

    html = render("verdict.html", page, host="a.example")

    assert '<span class="state below care">unproven</span>' in html
    assert "± 0.02 (k = 2)" in html
    assert row.reason in html


def test_nothing_is_plainly_green_behind_a_label_that_may_be_copied() -> None:
    suspect = Scanned(count=40, said="Scanned 40 times.", notes=("In 2 countries.",))
    fine = Scanned(count=1, said="This is the first scan.")

    copied, good, bad = (
        verdict_page(
            replace(GOOD, verdict=verdict),
            judge=Judge(host="a.example", chain_class=ChainClass.PUBLIC),
            details=replace(DETAILS, scanned=scans),
        )
        for verdict, scans in (
            (Verdict.VERIFIED, suspect),
            (Verdict.VERIFIED, fine),
            (Verdict.PROBLEM, suspect),
        )
    )

    assert [page.tone for page in (copied, good, bad)] == ["care", "good", "bad"]
    assert copied.headline == "Verified; this label may be copied"
    assert (good.headline, bad.headline) == ("Verified", "Problem found")
    for page, words in ((copied, "In 2 countries."), (bad, "In 2 countries."), (good, fine.said)):
        assert words in render("verdict.html", page, host="a.example")
