"""One mutation each over every field: of a bundle's documents, of the statement, of the trust."""

from collections.abc import Iterator, Mapping
from typing import Any

from fakes.corpus.case import Given
from fakes.corpus.mutation import decoded, mutations
from fakes.simulator import Simulator
from guildmark.domain import bundle, trust
from guildmark.domain.encoding import archive
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.trust import Trust

_SHOWN = ("/process", "/tolerance")
_VALUES = ("disclosed/settings.json", "disclosed/measurements.json")
_MEDIA_TYPES = {
    "json": "application/json",
    "rlp": "application/octet-stream",
    "note": "text/plain",
    "zip": "application/zip",
}


def changed_fields() -> Iterator[Given]:
    """Yield bundles in which one field differs and manifest and sums fit again."""
    honest = Simulator()
    files = archive.read(bundle.write(honest.evidence()))
    documents = [name for name in sorted(files) if name.endswith(".json")]
    for path in documents:
        if path != bundle.MANIFEST:
            for field, changed in mutations(decoded(files[path])):
                yield _case(honest, f"field.{path}:{field}", {**files, path: canonical(changed)})
    for path in sorted(files.keys() - {bundle.MANIFEST, bundle.SUMS}):
        left = {name: data for name, data in files.items() if name != path}
        yield _case(honest, f"without.{path}", left)


def changed_values() -> Iterator[Given]:
    """Yield bundles in which one field of a shown setting or measured value differs."""
    honest = Simulator(shown=_SHOWN)
    files = archive.read(bundle.write(honest.evidence()))
    for path in _VALUES:
        for field, changed in mutations(decoded(files[path])):
            yield _case(honest, f"field.{path}:{field}", {**files, path: canonical(changed)})
        shown = decoded(files[path])
        twice = {**shown, "opened": [shown["opened"][0], *shown["opened"]]}
        yield _case(honest, f"twice.{path}", {**files, path: canonical(twice)})


def changed_statements() -> Iterator[Given]:
    """Yield parts whose machine signed, and whose log holds, a statement with one other field."""
    honest = decoded(Simulator().make_statement().encode())
    for field, changed in mutations(honest):
        simulator = Simulator(payload=canonical(changed))
        yield Given(f"signed.{field}", bundle.write(simulator.evidence()), simulator.trust())
    for name, changed in _salted_statements(honest):
        simulator = Simulator(payload=canonical(changed), shown=_SHOWN)
        yield Given(f"salted.{name}", bundle.write(simulator.evidence()), simulator.trust())


def _salted_statements(clear: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield statements that commit to salted values and are not as they should be."""
    salted = decoded(Simulator(shown=_SHOWN).make_statement().encode())
    inside, said = salted["predicate"], clear["predicate"]
    internal = inside["internalParameters"]
    changes: Mapping[str, Mapping[str, Any]] = {
        "root-and-list-of-settings": {
            "internalParameters": {**internal, "settings": said["internalParameters"]["settings"]}
        },
        "root-and-list-of-measurements": {"measurements": said["measurements"]},
        "settings-in-clear": {"internalParameters": said["internalParameters"]},
        "root-in-capitals": {"measurementsRoot": inside["measurementsRoot"].upper()},
        "short-root": {"internalParameters": {"settingsRoot": internal["settingsRoot"][:-2]}},
        "without-roots-and-values-shown": {"internalParameters": {}},
        "plain-digest-of-settings": {
            "resolvedDependencies": [
                *inside["resolvedDependencies"],
                {"name": "settings", "digest": {"sha256": "11" * 32}},
            ]
        },
    }
    for name, change in changes.items():
        yield name, {**salted, "predicate": {**inside, **change}}
    yield "of-version-1", {**salted, "predicateType": clear["predicateType"]}
    yield "of-version-3", {**salted, "predicateType": "https://guildmark.org/build/v3"}
    yield "clear-of-version-2", {**clear, "predicateType": salted["predicateType"]}


def changed_trust() -> Iterator[Given]:
    """Yield readers whose trust file differs in one field from the one that fits."""
    honest = Simulator()
    data = bundle.write(honest.evidence())
    for field, changed in mutations(decoded(trust.serialise(honest.trust()))):
        try:
            other: Trust = trust.parse(canonical(changed))
        except GuildmarkError:
            # No trust file: no verifier begins.
            continue
        yield Given(f"trust.{field}", data, other)


def _case(honest: Simulator, name: str, files: Mapping[str, bytes]) -> Given:
    return Given(name, sealed(files), honest.trust())


def sealed(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of some files, with the manifest and the sums that they have."""
    own = {bundle.MANIFEST, bundle.SUMS}
    listed = {name: data for name, data in files.items() if name not in own}
    described = [
        {
            "path": name,
            "digest": f"0x{sha256(listed[name]).hex()}",
            "mediaType": _MEDIA_TYPES[name.rpartition(".")[2]],
        }
        for name in sorted(listed)
    ]
    listed[bundle.MANIFEST] = canonical({"version": bundle.VERSION, "files": described})
    sums = "".join(f"{sha256(listed[name]).hex()}  {name}\n" for name in sorted(listed))
    return archive.write({**listed, bundle.SUMS: sums.encode()})
