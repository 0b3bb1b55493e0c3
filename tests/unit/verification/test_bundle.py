"""The bundle: one archive for one part's evidence; every byte in it is accounted for."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.rivals import EARLIER, LATER, other_entry, stand_beside
from fakes.simulator import LABEL, LOG, MAKER, PROFILE_DIGEST, SITE, Simulator
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.encoding import archive
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import Index, to_hex
from guildmark.domain.verification.evidence import ChainEvidence, Disclosures, Evidence
from guildmark.verify import verify_bundle

EVIDENCE = Simulator().evidence()
DATA = bundle.write(EVIDENCE)
FILES = archive.read(DATA)


def repacked(**changes: bytes | None) -> bytes:
    """Return the bundle with changed files, and a manifest and sums that agree with them."""
    named = {name.replace("__", "/").replace("_dot_", "."): data for name, data in changes.items()}
    return packed({**FILES, **named})


def packed(files: dict[str, bytes | None]) -> bytes:
    kept = {name: data for name, data in files.items() if data is not None}
    for name in ("manifest.json", "SHA256SUMS"):
        kept.pop(name, None)
    listed = [
        {"path": name, "digest": "0x" + sha256(kept[name]).hex(), "mediaType": media_type(name)}
        for name in sorted(kept)
    ]
    kept["manifest.json"] = canonical({"version": 1, "files": listed})
    sums = [f"{sha256(kept[name]).hex()}  {name}\n" for name in sorted(kept)]
    return archive.write({**kept, "SHA256SUMS": "".join(sums).encode()})


def media_type(name: str) -> str:
    kinds = {"json": "application/json", "zip": "application/zip"}
    return kinds.get(name.rpartition(".")[2], "application/octet-stream")


def test_evidence_is_read_back() -> None:
    assert bundle.read(DATA) == EVIDENCE


def test_equal_evidence_gives_equal_bytes() -> None:
    assert bundle.write(bundle.read(DATA)) == DATA


def test_the_manifest_lists_each_file_once() -> None:
    manifest = json.loads(FILES["manifest.json"])

    assert manifest["version"] == 1
    assert [each["path"] for each in manifest["files"]] == sorted(
        set(FILES) - {"manifest.json", "SHA256SUMS"}
    )
    assert repacked() == DATA


def test_the_sums_are_those_of_stock_tools() -> None:
    lines = FILES["SHA256SUMS"].decode().splitlines()

    assert lines[0].split("  ") == [sha256(FILES["chain/designs.json"]).hex(), "chain/designs.json"]
    assert len(lines) == len(FILES) - 1


def test_the_least_evidence_is_a_bundle() -> None:
    chain = ChainEvidence(pin=EVIDENCE.chain.pin, header=b"")
    least = Evidence(core=EVIDENCE.core, disclosed=Disclosures(), chain=chain)

    assert bundle.read(bundle.write(least)) == least


def test_reports_and_content_are_attached_and_never_evidence() -> None:
    attached = {"report.json": b"{}", "report.pdf": b"%PDF", "content/a.car": b"\x0a"}

    data = bundle.write(EVIDENCE, attached=attached)

    assert bundle.read(data) == EVIDENCE
    assert b"application/vnd.ipld.car" in archive.read(data)["manifest.json"]


def test_nothing_else_is_attached() -> None:
    with pytest.raises(bundle.BundleError, match=r"cannot hold a file called 'log/record\.json'"):
        bundle.write(EVIDENCE, attached={"log/record.json": b"{}"})


FATE = storage.FATES.at(LOG, Index(103))


def with_fate(fate: int) -> Evidence:
    return Simulator(words={FATE: fate}).evidence()


def nested(depth: int) -> Evidence:
    replaced = with_fate(113)
    evidence = replaced
    for _ in range(depth):
        evidence = replace(replaced, replacement=evidence)
    return evidence


def test_replacements_stand_in_one_another_up_to_a_limit() -> None:
    assert bundle.read(bundle.write(nested(4))) == nested(4)
    with pytest.raises(bundle.BundleError, match="More than 4 replacements"):
        bundle.read(bundle.write(nested(5)))


@pytest.mark.parametrize("fate", [0, storage.VOIDED])
def test_a_replacement_of_what_nothing_replaces_is_refused(fate: int) -> None:
    shown = replace(with_fate(fate), replacement=EVIDENCE)

    with pytest.raises(bundle.BundleUnneededError, match="that nothing replaces"):
        bundle.read(bundle.write(shown))


def test_a_replacement_beside_no_fate_is_refused() -> None:
    unproven = Simulator(words={FATE: 113}, unproven={FATE}).evidence()
    chain = replace(unproven.chain, accounts={})

    for shown in (unproven, replace(unproven, chain=chain)):
        with pytest.raises(bundle.BundleUnneededError):
            bundle.read(bundle.write(replace(shown, replacement=EVIDENCE)))


def with_rivals(*places: dict[str, Any]) -> Evidence:
    ours = Simulator()
    for place in places:
        stand_beside(ours, other_entry(place))
    return ours.evidence()


def test_rivals_are_read_back_by_their_place() -> None:
    shown = with_rivals(LATER, EARLIER)

    files = archive.read(bundle.write(shown))

    assert [name for name in files if name.startswith("rivals/")] == [
        "rivals/1.110.zip",
        "rivals/1.93.zip",
    ]
    assert [rival.place for rival in bundle.read(bundle.write(shown)).rivals] == [(1, 93), (1, 110)]


def test_a_rival_under_another_name_is_refused() -> None:
    files = archive.read(bundle.write(with_rivals(EARLIER)))
    moved: dict[str, bytes | None] = {**files, "rivals/1.93.zip": None}

    with pytest.raises(bundle.BundleMismatchError, match=r"rivals/x\.zip is unknown"):
        bundle.read(packed({**moved, "rivals/x.zip": files["rivals/1.93.zip"]}))


def test_a_rival_with_another_label_is_refused() -> None:
    other = Simulator(statement={"label": LABEL.replace("00025", "00026")}, record=dict(EARLIER))

    with pytest.raises(bundle.BundleUnneededError, match="no other entry of this part's label"):
        bundle.read(bundle.write(replace(EVIDENCE, rivals=(other.evidence(),))))


def test_the_part_itself_is_no_rival() -> None:
    with pytest.raises(bundle.BundleUnneededError, match=r"rivals/1\.103\.zip is no other entry"):
        bundle.read(bundle.write(replace(EVIDENCE, rivals=(EVIDENCE,))))


def test_a_rival_whose_statement_cannot_be_read_is_refused() -> None:
    unread = Simulator(envelope=b"{}", record=dict(EARLIER)).evidence()

    for ours, theirs in [(EVIDENCE, unread), (unread, EVIDENCE)]:
        with pytest.raises(bundle.BundleUnneededError):
            bundle.read(bundle.write(replace(ours, rivals=(theirs,))))


def test_rivals_stand_in_no_other_entrys_bundle() -> None:
    rival = with_rivals(EARLIER)
    outer = replace(EVIDENCE, rivals=(replace(rival.rivals[0], rivals=(EVIDENCE,)),))

    with pytest.raises(bundle.BundleUnneededError, match="rivals of its own"):
        bundle.read(bundle.write(outer))
    with pytest.raises(bundle.BundleUnneededError, match="rivals of its own"):
        bundle.read(bundle.write(replace(with_fate(113), replacement=rival)))


def test_rivals_are_read_up_to_a_limit() -> None:
    files = archive.read(bundle.write(with_rivals(EARLIER)))
    rival = files["rivals/1.93.zip"]
    more: dict[str, bytes | None] = {f"rivals/1.{number}.zip": rival for number in range(9)}

    with pytest.raises(bundle.BundleError, match="More than 8 rivals"):
        bundle.read(packed({**FILES, **more}))


def test_the_names_of_attached_files_are_told() -> None:
    data = bundle.write(EVIDENCE, attached={"report.pdf": b"%PDF", "content/a.car": b"\x0a"})

    report = verify_bundle(data, TRUST)

    sentence = "The bundle also holds content/a.car, report.pdf: no evidence, and not looked at."
    assert report.exit == 0
    assert sentence in report.notes


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_with_a_space_behind_it_is_refused(name: str) -> None:
    with pytest.raises(bundle.BundleMismatchError):
        bundle.read(archive.write({**FILES, name: FILES[name] + b" "}))


@pytest.mark.parametrize("name", [name for name in sorted(FILES) if name.endswith(".json")])
def test_a_document_in_another_form_is_refused_with_its_sums_repaired(name: str) -> None:
    if name in {"manifest.json", "statements/build.dsse.json"}:
        return
    data = packed({**FILES, name: FILES[name] + b"\n"})

    with pytest.raises(bundle.BundleMismatchError, match="not in its canonical form"):
        bundle.read(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log__record_dot_json": None}, "The bundle has no log/record.json"),
        ({"chain__header_dot_rlp": None}, "The bundle has no chain/header.rlp"),
        ({"log__record_dot_json": b"[]"}, "log/record.json must be an object"),
        ({"log__record_dot_json": b"{"}, "The bundle cannot be read"),
        ({"log__record_dot_json": b'{"a":1,"a":2}'}, "stands twice in one object"),
        ({"disclosed__key_dot_json": b'{"algorithm":1,"data":"0x00"}'}, "is wrong"),
        ({"disclosed__operator_dot_json": b'"0x00"'}, "must have 32 bytes"),
        ({"replacement_dot_zip": b"zip"}, "not canonical"),
        ({"notes_dot_txt": b"hello"}, "The file notes.txt is unknown"),
        ({"disclosed__secret_dot_json": b"1"}, "The file disclosed/secret.json is unknown"),
        ({"chain__directory_dot_json": b"{}"}, "The file chain/directory.json is unknown"),
    ],
)
def test_another_bundle_is_refused(change: dict[str, bytes | None], message: str) -> None:
    with pytest.raises(ContentError, match=message):
        bundle.read(repacked(**change))


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_a_bundle_without_its_lists_is_refused(name: str) -> None:
    files = {each: data for each, data in FILES.items() if each != name}

    with pytest.raises(bundle.BundleError, match=f"The bundle has no {name}"):
        bundle.read(archive.write(files))


def test_an_empty_archive_is_refused() -> None:
    with pytest.raises(bundle.BundleError, match=r"The bundle has no manifest\.json"):
        bundle.read(archive.write({}))


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**53 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
DOCUMENTS = [name for name in sorted(FILES) if name.endswith(".json") and "/" in name]


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Return the way to each member of a document."""
    if not isinstance(value, dict | list):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, ...]] = []
    for key, member in items:
        found += [(key,), *((key, *rest) for rest in paths(member))]
    return found


@given(st.data())
@settings(max_examples=300)
def test_a_document_with_any_other_member_is_evidence_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(DOCUMENTS))
    document = json.loads(FILES[name])
    ways = paths(document)
    if ways:
        way = data.draw(st.sampled_from(ways))
        place = document
        for key in way[:-1]:
            place = place[key]
        place[way[-1]] = data.draw(JSON)
    else:
        document = data.draw(JSON)

    changed = packed({**FILES, name: canonical(document)})

    read_or_refused(lambda: bundle.read(changed))


TRUST = Simulator().trust()
# What names and sorts, but proves nothing.
_DISPLAY = {"disclosed/profiles.json", "chain/pin.json"}
PROFILES = {
    to_hex(location.slot)
    for location in (
        *(storage.PROFILES.at(one) for one in (MAKER, SITE)),
        storage.PROFILE_TIMES.at(SITE, PROFILE_DIGEST),
    )
}


@given(st.data())
@settings(max_examples=300)
def test_a_forged_member_never_leaves_the_part_verified(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in DOCUMENTS if name not in _DISPLAY]))
    document = json.loads(FILES[name])
    ways = [way for way in paths(document) if not isinstance(at(document, way), dict | list)]
    ways = [way for way in ways if not shows_profile(document, way)]
    way = data.draw(st.sampled_from(ways or [()]))
    forged = data.draw(JSON | st.sampled_from([at(document, each) for each in ways or [()]]))
    if way:
        at(document, way[:-1])[way[-1]] = forged
    else:
        document = forged

    forged_bundle = packed({**FILES, name: canonical(document)})

    report = verify_bundle(forged_bundle, TRUST)
    assert report.exit != 0 or forged_bundle == DATA


def shows_profile(document: Any, way: tuple[Any, ...]) -> bool:
    """Return whether a member belongs to the proof of a profile, which only names somebody."""
    return way[:1] == ("slots",) and at(document, way[:2])["slot"] in PROFILES


def at(value: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        value = value[key]
    return value


def read_or_refused(read: Callable[[], Evidence]) -> None:
    try:
        evidence = read()
    except ContentError:
        return
    assert bundle.read(bundle.write(evidence)) == evidence
