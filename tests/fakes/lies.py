"""Lies of a server about a part: seeded, several changes at once, sealed again as it would.

A reader asks for a part by its place, with a list of his own. What the server sends instead is made
from honest bundles: fields, members and whole documents changed, taken from others or left out, or
bytes changed. Whatever a verifier answers, it must not be *Verified* about anything else than what
honest bundles prove under the same block.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from fakes.corpus.case import Given
from fakes.corpus.fields_changed import sealed
from fakes.corpus.mutation import other
from guildmark.domain import bundle
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.encoding import archive
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.trust import serialise
from guildmark.domain.verification.report import Party, Report, Verdict
from guildmark.verify import verify_bundle
from guildmark.verify.document import document

Files = dict[str, bytes]

HEADER = "chain/header.rlp"
ENVELOPE = "statements/build.dsse.json"
_ANY_AGE = 1 << 40
_OWN = frozenset({bundle.MANIFEST, bundle.SUMS})
_WILD: tuple[Any, ...] = (None, True, 0, 1, -1, 2**40 - 1, 2**53 - 1, str(2**53), "", "0x", [], {})


@dataclass(frozen=True)
class Said:
    """What a good verdict says: block, part and parties, without the names of parties."""

    block: int
    time: int
    part: tuple[Any, ...]
    parties: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Truth:
    """An honest answer: a good bundle, its reader, and what he asks."""

    given: Given
    files: Files
    place: tuple[LogNumber, Index]

    def trust_file(self) -> bytes:
        """Return the reader's list; it lets evidence be of any age, since simulated blocks are."""
        trust = self.given.trust
        assert trust is not None
        return serialise(replace(trust, policy=replace(trust.policy, max_age=_ANY_AGE)))


@dataclass(frozen=True)
class Lie:
    """What a server sends instead of a truth; ``given.name`` is one of a kind."""

    kind: str
    truth: Truth
    given: Given


class World:
    """Honest answers, and what each block proves."""

    def __init__(self, cases: Sequence[Given]) -> None:
        self.truths: list[Truth] = []
        self._said: dict[bytes, set[Said]] = {}
        self._names: dict[str, set[str]] = {}
        self._documents: set[str] = set()
        for each in cases:
            report = verify_bundle(each.bundle, each.trust, each.question)
            if report.verdict is Verdict.VERIFIED:
                self._learn(each, report)

    def _learn(self, each: Given, report: Report) -> None:
        files = archive.read(each.bundle)
        assert report.part is not None
        place = LogNumber(report.part.log), Index(report.part.index)
        asked = replace(each, question=replace(each.question, hint=place))
        self.truths.append(Truth(given=asked, files=dict(files), place=place))
        self._said.setdefault(files[HEADER], set()).add(said(report))
        self._documents.add(_summary(document(report)))
        for party in report.parties:
            # A name that is withheld is no false one.
            self._names.setdefault(party.id, {party.id, ""}).add(party.name)

    def admits(self, lie: Lie, report: Report) -> bool:
        """Return whether a good verdict says only what honest bundles prove under its block."""
        files = archive.read(lie.given.bundle)
        found = said(report)
        asked = (report.part is not None) and (report.part.log, report.part.index)
        is_proven = found in self._said.get(files[HEADER], ())
        return is_proven and asked == lie.truth.place and all(map(self._is_named, report.parties))

    def admits_printed(self, truth: Truth, printed: Mapping[str, Any]) -> bool:
        """Return whether a good verdict, as the command prints it, is that of an honest bundle."""
        place = (printed["part"]["log"], printed["part"]["index"])
        return place == truth.place and _summary(printed) in self._documents

    def _is_named(self, party: Party) -> bool:
        return party.name in self._names[party.id]


def said(report: Report) -> Said:
    """Return what a verdict says of the part."""
    as_of, part = report.as_of, report.part
    assert as_of is not None
    assert part is not None
    return Said(
        block=as_of.block,
        time=as_of.time,
        part=tuple(getattr(part, name) for name in part.__slots__),
        parties=tuple((one.role, one.id, one.is_listed) for one in report.parties),
    )


def _summary(printed: Mapping[str, Any]) -> str:
    told = [printed[name] for name in ("asOf", "part", "parties")]
    return json.dumps(told, sort_keys=True)


def lies(world: World, *, seed: int, first: int = 0, count: int) -> Iterator[Lie]:
    """Yield lies number ``first`` and following of a seed; each is the same in any order."""
    kinds = tuple(KINDS)
    for number in range(first, first + count):
        dice = Random(f"{seed} {number}")
        kind, truth = kinds[number % len(kinds)], dice.choice(world.truths)
        data = KINDS[kind](dice, truth, world.truths)
        name = f"{kind} {seed}.{number}"
        yield Lie(kind=kind, truth=truth, given=replace(truth.given, name=name, bundle=data))


def _fields(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Change single values, the same ones of a signed statement's among them."""
    files = dict(truth.files)
    for _ in range(dice.randrange(1, 5)):
        path = dice.choice(_documents(files))
        files[path] = canonical(_with_changed_value(dice, json.loads(files[path])))
    return sealed(files)


def _members(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Leave out, double, turn round or exchange members and elements."""
    files = dict(truth.files)
    for _ in range(dice.randrange(1, 4)):
        path = dice.choice(_documents(files))
        files[path] = canonical(_with_changed_shape(dice, json.loads(files[path])))
    return sealed(files)


def _signed(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Change what was signed, and let the log's entry name the envelope that it is in now."""
    files = dict(truth.files)
    found = Envelope.parse(files[ENVELOPE])
    payload = json.loads(found.payload)
    for _ in range(dice.randrange(1, 3)):
        payload = _with_changed_value(dice, payload)
    files[ENVELOPE] = replace(found, payload=canonical(payload)).encode()
    entry = json.loads(files["log/entry.json"])
    entry["entry"]["envelope"] = f"0x{envelope_digest(files[ENVELOPE]).hex()}"
    files["log/entry.json"] = canonical(entry)
    return sealed(files)


def _spliced(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Take documents from another honest bundle."""
    files, source = dict(truth.files), dice.choice(truths).files
    names = sorted(source.keys() - _OWN)
    for path in dice.sample(names, dice.randrange(1, min(6, len(names)))):
        files[path] = source[path]
    return sealed(files)


def _left_out(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Leave documents out."""
    names = sorted(truth.files.keys() - _OWN)
    gone = set(dice.sample(names, dice.randrange(1, 4)))
    return sealed({path: data for path, data in truth.files.items() if path not in gone})


def _other_world(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Send another chain's honest bundle, as it is, under this header, or with a value changed."""
    files = dict(dice.choice(truths).files)
    if dice.random() < 0.3:
        files[HEADER] = truth.files[HEADER]
    if dice.random() < 0.3:
        path = dice.choice(_documents(files))
        files[path] = canonical(_with_changed_value(dice, json.loads(files[path])))
    return sealed(files)


def _header(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Change bytes of the block's header."""
    files = dict(truth.files)
    files[HEADER] = _flipped(dice, files[HEADER])
    return sealed(files)


def _bytes(dice: Random, truth: Truth, truths: Sequence[Truth]) -> bytes:
    """Change the archive's bytes and seal nothing again."""
    data = truth.given.bundle
    cut = dice.randrange(len(data))
    return dice.choice(
        (
            lambda: _flipped(dice, data),
            lambda: data[:cut],
            lambda: data[:cut] + data[cut + 1 :],
            lambda: data + dice.randbytes(dice.randrange(1, 9)),
            lambda: data + data,
            lambda: data[:cut] + bytes(len(data) - cut),
            lambda: b"<!doctype html><title>Verified</title>",
            lambda: b"",
            lambda: dice.randbytes(dice.randrange(1, 400)),
        )
    )()


KINDS: Mapping[str, Callable[[Random, Truth, Sequence[Truth]], bytes]] = {
    "values changed": _fields,
    "members changed": _members,
    "statement changed": _signed,
    "documents of others": _spliced,
    "documents left out": _left_out,
    "another chain": _other_world,
    "header changed": _header,
    "bytes changed": _bytes,
}


def _documents(files: Files) -> list[str]:
    return sorted(path for path in files if path.endswith(".json") and path not in _OWN)


def _with_changed_value(dice: Random, document: Any) -> Any:
    copy = deepcopy(document)
    places = list(_leaves(copy))
    if not places:
        return dice.choice(_WILD)
    holder, key = dice.choice(places)
    there, elsewhere = dice.choice(places)
    holder[key] = dice.choice(
        (other(holder[key]), other(holder[key]), dice.choice(_WILD), deepcopy(there[elsewhere]))
    )
    return copy


def _with_changed_shape(dice: Random, document: Any) -> Any:
    copy = deepcopy(document)
    holders = [one for one in _holders(copy) if one]
    if not holders:
        return dice.choice(_WILD)
    one, another = dice.choice(holders), dice.choice(holders)
    key, its = _key(dice, one), _key(dice, another)
    match dice.randrange(5):
        case 0:
            del one[key]
        case 1 if isinstance(one, list):
            one.insert(key, deepcopy(one[key]))
        case 2 if isinstance(one, list):
            one.reverse()
        case 3:
            # A copy, so that nothing comes to hold itself.
            one[key] = deepcopy(another[its])
        case _ if isinstance(one, dict):
            one[f"{key}x"] = deepcopy(one[key])
        case _:
            one.append(deepcopy(another[its]))
    return copy


def _key(dice: Random, holder: Any) -> Any:
    return dice.choice(sorted(holder)) if isinstance(holder, dict) else dice.randrange(len(holder))


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for member in value.values() if isinstance(value, dict) else value:
            yield from _holders(member)


def _leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    for holder in _holders(value):
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        yield from ((holder, key) for key in keys if not isinstance(holder[key], dict | list))


def _flipped(dice: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)
