"""One mutation each over every field: of a bundle's documents, of the statement, of the trust."""

from collections.abc import Iterator, Mapping

from fakes.corpus.case import Given
from fakes.corpus.mutation import decoded, mutations
from fakes.simulator import Simulator
from guildmark.domain import bundle, trust
from guildmark.domain.encoding import archive
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.trust import Trust

_MEDIA_TYPES = {"json": "application/json", "rlp": "application/octet-stream"}


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


def changed_statements() -> Iterator[Given]:
    """Yield parts whose machine signed, and whose log holds, a statement with one other field."""
    honest = decoded(Simulator().make_statement().encode())
    for field, changed in mutations(honest):
        simulator = Simulator(payload=canonical(changed))
        yield Given(f"signed.{field}", bundle.write(simulator.evidence()), simulator.trust())


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
