"""Which telemetry a plan draws of drawn builds, and whether data open it as it was logged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.telemetry import TELEMETRY, Disclosure, find_telemetry
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.logged import Sample, SampleError, build_name
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan
from guildmark.domain.equivalence.process.traces import BuildTrace, Signature, signatures
from guildmark.domain.equivalence.sampling import place_name
from guildmark.domain.identifiers import Bytes32, Digest, EquivalencePlanId, to_hex
from guildmark.domain.log.merkle import verify_inclusion
from guildmark.domain.measurement.readings import Reading

_TAG = b"guildmark/equivalence/telemetry/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What draws chunks of a site's builds.

    Args:
        plan: The plan's document.
        id: The plan.
        site: The site, in hex.
        seed: What nobody knew when the builds were logged.
    """

    plan: EquivalencePlan
    id: EquivalencePlanId
    site: str
    seed: Bytes32

    def nonce(self, root: Digest) -> Bytes32:
        """Return SHA-256(tag || seed || plan || site || root)."""
        return Bytes32(sha256(_TAG + self.seed + self.id + bytes.fromhex(self.site[2:]) + root))

    def traces(self, sample: Sample) -> Sequence[BuildTrace]:
        """Return what is asked of each measured build, nothing being opened yet.

        Raises:
            SampleError: A measured part's statement commits to no telemetry, or to other telemetry
                than a part of the same build.
        """
        if self.plan.chunks is None:
            return ()
        found: dict[str, BuildTrace] = {}
        for place in sample.measured(self.plan.units):
            said = sample.opened[place]
            trace = self._trace(place_name(place), said)
            known = found.setdefault(trace.build, trace)
            if (known.root, known.count) != (trace.root, trace.count):
                message = f"Parts of the build {trace.build} name different telemetry."
                raise SampleError(message, build=trace.build)
        return list(found.values())

    def _trace(self, part: str, said: BuildStatement) -> BuildTrace:
        named = find_telemetry(said.byproducts)
        count = "" if named is None else named.name.removeprefix(TELEMETRY)
        if named is None or not (count.isascii() and count.isdigit()):
            message = f"What was logged of the drawn part {part} commits to no telemetry."
            raise SampleError(message, part=part)
        return BuildTrace(
            part=part,
            build=build_name(said.run),
            root=named.digest,
            count=int(count),
            nonce=self.nonce(named.digest),
        )

    def answered(
        self, sample: Sample, answers: Iterable[Disclosure]
    ) -> tuple[tuple[BuildTrace, ...], tuple[Reading, ...]]:
        """Return what answers open, and the readings that follow from it.

        Raises:
            SampleError: A build is not answered for, or not as it was asked.
            ProofError: A chunk is none of its build's.
        """
        by_nonce = {one.nonce: one for one in answers}
        asked = self.traces(sample)
        traces = tuple(_with(one, by_nonce.get(one.nonce)) for one in asked)
        return traces, self.readings(sample, traces)

    def readings(self, sample: Sample, traces: Iterable[BuildTrace]) -> tuple[Reading, ...]:
        """Return a reading a build and window, each as its telemetry gives it.

        Raises:
            SampleError: Other telemetry is shown than was asked for, or a channel told nothing.
            ProofError: A chunk is none of its build's.
        """
        shown = {one.build: one for one in traces}
        asked = {one.build: one for one in self.traces(sample)}
        strange = sorted(shown.keys() ^ asked.keys())
        if strange:
            message = f"The telemetry of {strange[0]} is asked for or shown, but not both."
            raise SampleError(message, build=strange[0])
        for name, one in shown.items():
            _check(one, asked[name], self.plan.chunks or 0)
        machines = {build_name(one.run): to_hex(one.run.machine) for one in sample.opened.values()}
        told = signatures(self.plan, {self.site: tuple(shown.values())})
        return tuple(
            _reading(self.site, shown[one.build], machines[one.build], wanted, one)
            for wanted in self.plan.characteristics
            for one in told.get((self.site, wanted.path), ())
        )


def check_telemetry(
    asked: Asked, sample: Sample, traces: Iterable[BuildTrace], readings: Iterable[Reading]
) -> None:
    """Check that readings of windows are what drawn telemetry gives, and nothing else is shown.

    Raises:
        SampleError: One is missing or says something else, or other telemetry is shown than asked.
        ProofError: A chunk is none of its build's.
    """
    planned = {one.path for one in asked.plan.characteristics if one.trace is not None}
    given = sorted(_text(one) for one in readings if one.characteristic in planned)
    found = sorted(_text(one) for one in asked.readings(sample, traces))
    if given != found:
        differing = sorted({*given} ^ {*found}) or given
        message = f"The telemetry does not give what is read of it: {differing[0][:200]}."
        raise SampleError(message)


def _text(reading: Reading) -> str:
    shown = reading.to_json()
    return ", ".join(f"{name} {shown[name]}" for name in sorted(shown))


def _reading(
    site: str, shown: BuildTrace, machine: str, wanted: CharacteristicPlan, one: Signature
) -> Reading:
    if one.value is None:
        message = f"What is shown of the build {one.build} has no value of {wanted.path}."
        raise SampleError(message, build=one.build)
    return Reading(
        part=shown.part,
        build=one.build,
        site=site,
        characteristic=wanted.path,
        value=one.value,
        unit=wanted.unit,
        instrument=machine,
        raw=one.root,
    )


def _with(asked: BuildTrace, answer: Disclosure | None) -> BuildTrace:
    if answer is None:
        message = f"No answer opens the telemetry of the build {asked.build}."
        next_step = (
            "Ask which with `guildmark equivalence telemetry`, let the agent answer with "
            "`guildmark agent open`, and name each answer with --telemetry."
        )
        raise SampleError(message, next_step=next_step, build=asked.build)
    return replace(asked, opened=answer.opened)


def _check(shown: BuildTrace, asked: BuildTrace, most: int) -> None:
    """Check that chunks are some of those that are asked for."""
    places = [one.place for one in shown.opened]
    is_asked = replace(shown, opened=()) == asked and places == sorted(set(places))
    if not is_asked or not set(places) <= set(asked.drawn(most)):
        message = f"What is shown of the telemetry of {shown.build} is not what was drawn of it."
        raise SampleError(message, build=shown.build)
    for one in shown.opened:
        verify_inclusion(
            data=one.chunk, index=one.place, count=shown.count, path=one.path, root=shown.root
        )
