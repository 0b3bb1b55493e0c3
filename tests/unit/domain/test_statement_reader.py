"""The quick reader says what the strict one says, of every payload; it only says it sooner."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.builds import statement_reader
from guildmark.domain.builds.predicate import (
    Beacon,
    ExternalParameters,
    Measurement,
    Resource,
    RunDetails,
    Setting,
    SignerRole,
)
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.statement_reader import FORMS_MAX, StatementReader
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Bytes32,
    DesignId,
    Digest,
    IdentityId,
    KeyId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    SiteRecipeId,
    UnitNumber,
)
from guildmark.domain.recipes.clause import ClausePath


def word(number: int) -> bytes:
    return bytes([number]) * 32


KEY = KeyId(word(99))
FIRST = BuildStatement(
    label="https://id.example.org/id/aaaqeayeaudaocaj/3-00017",
    salt=Bytes32(word(1)),
    signer_role=SignerRole.MACHINE,
    external=ExternalParameters(
        license=LicenseId(word(2)),
        recipe=RecipeId(word(3)),
        site_recipe=SiteRecipeId(word(4)),
        design=DesignId(word(5)),
        revision=1,
        log=LogNumber(1),
        lane=LaneNumber(3),
        unit=UnitNumber(17),
    ),
    run=RunDetails(
        maker=IdentityId(word(6)),
        site=IdentityId(word(7)),
        machine=IdentityId(word(8)),
        counter=4,
        started_on=1_800_000_000,
        finished_on=1_800_000_060,
    ),
    beacon=Beacon(log=LogNumber(1), seq=Seq(9), record_digest=Digest(word(9))),
    resolved=(Resource(name="design", digest=Digest(word(10))),),
    settings=(Setting(path=ClausePath("/process/height"), value="0.2", unit="mm"),),
    measurements=(
        Measurement(
            characteristic=ClausePath("/tolerance/bore"), value="22.2", unit="mm", instrument="i"
        ),
    ),
)
PAYLOAD = FIRST.encode()
UINT40 = st.integers(min_value=0, max_value=UINT40_MAX)
WORDS = st.binary(min_size=32, max_size=32)


def outcome(read: Callable[[bytes], BuildStatement], payload: bytes) -> object:
    """Return the statement, or what the refusal says."""
    try:
        return read(payload)
    except GuildmarkError as error:
        return type(error), error.code, error.message, error.detail


def trained(statement: BuildStatement = FIRST) -> Callable[[bytes], BuildStatement]:
    """Return a reader that knows a statement's form."""
    reader = StatementReader()
    assert reader.read(statement.encode(), KEY).statement == statement
    return lambda payload: reader.read(payload, KEY).statement


@pytest.fixture
def no_full_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let nothing be read in full any more."""

    def parse(_: bytes) -> BuildStatement:
        pytest.fail("read in full")

    return lambda: monkeypatch.setattr(BuildStatement, "parse", parse)


NEXT = replace(
    FIRST,
    label="https://id.example.org/id/aaaqeayeaudaocaj/3-00018",
    salt=Bytes32(word(21)),
    external=replace(FIRST.external, unit=UnitNumber(18)),
    run=replace(FIRST.run, counter=5, started_on=0, finished_on=UINT40_MAX),
    beacon=Beacon(log=LogNumber(2), seq=Seq(0), record_digest=Digest(word(22))),
    measurements=(replace(FIRST.measurements[0], value="-0.001"),),
)


def test_the_next_statement_of_a_form_is_not_read_in_full(
    no_full_reading: Callable[[], None],
) -> None:
    read = trained()
    no_full_reading()

    assert read(NEXT.encode()) == NEXT


def test_a_form_without_a_unit_or_measurements_is_learned_too(
    no_full_reading: Callable[[], None],
) -> None:
    plain = replace(FIRST, external=replace(FIRST.external, unit=None), measurements=())
    read = trained(plain)
    no_full_reading()

    after = replace(plain, run=replace(plain.run, counter=6))
    assert read(after.encode()) == after


def stating(raw: int, time: int) -> tuple[Measurement, ...]:
    (bore,) = FIRST.measurements
    full = replace(bore, uncertainty="0.01", coverage_factor="2", operator="op-7")
    slot = replace(full, characteristic=ClausePath("/tolerance/slot"))
    return (replace(full, raw_data=Digest(word(raw)), measured_on=time), slot)


def test_files_and_times_of_values_differ_from_part_to_part(
    no_full_reading: Callable[[], None],
) -> None:
    read = trained(replace(FIRST, measurements=stating(40, 7)))
    no_full_reading()

    after = replace(NEXT, measurements=stating(41, UINT40_MAX))
    assert read(after.encode()) == after


def test_a_file_or_time_of_another_form_is_judged_as_in_full() -> None:
    first = replace(FIRST, measurements=stating(40, 7))
    read = trained(first)
    shown = first.encode()

    for found, instead in (
        (b'"measuredOn":7', b'"measuredOn":1099511627776'),
        (b'"measuredOn":7', b'"measuredOn":-1'),
        (word(40).hex().encode(), word(40).hex().upper().encode()[:-1] + b"F"),
    ):
        payload = shown.replace(found, instead)
        assert payload != shown
        assert outcome(read, payload) == outcome(BuildStatement.parse, payload)


@pytest.mark.parametrize(
    "other",
    [
        replace(FIRST, firmware="2"),
        replace(FIRST, measurements=()),
        replace(FIRST, label="https://id.example.org/id/aaaqeayeaudaocaj/ä"),
        replace(FIRST, label='quoted " and \\ escaped'),
        replace(FIRST, external=replace(FIRST.external, unit=None)),
    ],
)
def test_another_form_is_read_in_full_and_learned(
    other: BuildStatement, no_full_reading: Callable[[], None]
) -> None:
    read = trained()

    assert read(other.encode()) == other


def test_the_newest_form_of_a_key_counts(no_full_reading: Callable[[], None]) -> None:
    read = trained()
    other = replace(FIRST, firmware="2")
    read(other.encode())
    no_full_reading()

    assert read(replace(other, salt=Bytes32(word(30))).encode()).salt == word(30)


def test_forms_of_other_keys_are_forgotten_in_their_turn(
    monkeypatch: pytest.MonkeyPatch, no_full_reading: Callable[[], None]
) -> None:
    reader = StatementReader()
    keys = [KeyId(number.to_bytes(32, "big")) for number in range(FORMS_MAX + 1)]
    monkeypatch.setattr(statement_reader, "FORMS_MAX", 2)
    for key in keys[:3]:
        reader.read(PAYLOAD, key)
    no_full_reading()

    assert [reader.read(PAYLOAD, key).statement for key in keys[1:3]] == [FIRST, FIRST]
    with pytest.raises(pytest.fail.Exception, match="read in full"):
        reader.read(PAYLOAD, keys[0])


@pytest.mark.parametrize(("count", "forms"), [(296, 1), (297, 0), (400, 0)])
def test_of_many_values_with_files_and_times_no_form_is_learned(count: int, forms: int) -> None:
    (bore,) = FIRST.measurements
    stated = tuple(
        replace(
            bore,
            characteristic=ClausePath(f"/tolerance/bore_{at}"),
            raw_data=Digest(word(40)),
            measured_on=at,
        )
        for at in range(count)
    )
    payload = replace(FIRST, measurements=stated).encode()
    reader = StatementReader()

    assert outcome(lambda data: reader.read(data, KEY).statement, payload) == outcome(
        BuildStatement.parse, payload
    )
    assert len(reader._forms) == forms


@pytest.mark.parametrize(
    "payload",
    [
        PAYLOAD.replace(b'"counter":4', b'"counter": 4'),
        PAYLOAD.replace(b'"order"', b'"order"') + b"\n",
        replace(FIRST, firmware="9007199254740003").encode(),
    ],
)
def test_payload_that_makes_no_form_is_read_in_full_every_time(payload: bytes) -> None:
    reader = StatementReader()

    for _ in range(2):
        assert reader.read(payload, KEY).statement == BuildStatement.parse(payload)
    assert not reader._forms


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (b'"counter":4', b'"counter":04'),
        (b'"counter":4', b'"counter":-4'),
        (b'"counter":4', b'"counter":4.0'),
        (b'"counter":4', b'"counter":"4"'),
        (b'"counter":4', b'"counter":'),
        (b'"counter":4', b'"counter":1099511627775'),
        (b'"counter":4', b'"counter":1099511627776'),
        (b'"counter":4', b'"counter":10995116277760000'),
        (b'"counter":4', b'"counter":4,"counter":4'),
        (b'"unit":17', b'"unit":0'),
        (b'"unit":17', b'"unit":1'),
        (b'"startedOn":1800000000', b'"startedOn":1800000061'),
        (b'"startedOn":1800000000', b'"startedOn":1800000060'),
        (b'"value":"22.2"', b'"value":"22.20"'),
        (b'"value":"22.2"', b'"value":"022.2"'),
        (b'"value":"22.2"', b'"value":"\\u0032"'),
        (b'"value":"22.2"', b'"value":"\xc3\xa4"'),
        (b'"value":"22.2"', b'"value":"\xff"'),
        (b'"value":"22.2"', b'"value":"2\x002"'),
        (b'"salt":"0x01', b'"salt":"0x02'),
        (b'"salt":"0x01', b'"salt":"0x0G'),
        (b'"salt":"0x01', b'"salt":"0x 1'),
        (b'"salt":"0x01', b'"salt":"1x01'),
        (b'"salt":"0x0101', b'"salt":"0x01'),
        (b'"name":"https', b'"name":"httpS'),
        (b'{"_type', b' {"_type'),
        (b'00017"}]}', b'00017"}] }'),
        (b'00017"}]}', b'00017"}]}}'),
        (b'00017"}]}', b"00017"),
    ],
)
def test_what_departs_from_a_form_is_read_or_refused_as_ever(before: bytes, behind: bytes) -> None:
    assert PAYLOAD.count(before) == 1
    payload = PAYLOAD.replace(before, behind)

    assert outcome(trained(), payload) == outcome(BuildStatement.parse, payload)


def test_a_label_may_have_400_characters_and_no_more() -> None:
    longest, longer = (replace(FIRST, label="x" * size) for size in (400, 401))

    assert trained()(longest.encode()) == longest
    refused = outcome(trained(), longer.encode())
    assert refused == outcome(BuildStatement.parse, longer.encode())
    assert isinstance(refused, tuple)


def test_a_payload_beyond_the_limit_is_refused_by_its_size() -> None:
    payload = PAYLOAD.replace(b'"22.2"', b'"' + b"2" * (1 << 19) + b'"')

    assert outcome(trained(), payload) == outcome(BuildStatement.parse, payload)


@given(
    label=st.text(min_size=1, max_size=40),
    words=st.tuples(WORDS, WORDS),
    numbers=st.tuples(UINT40, UINT40, UINT40, UINT40),
    value=st.decimals(-(10**6), 10**6, places=3).map(lambda number: f"{number:f}"),
)
def test_law_any_statement_of_a_form_is_read_as_it_was_written(
    label: str, words: tuple[bytes, bytes], numbers: tuple[int, int, int, int], value: str
) -> None:
    started, finished = sorted(numbers[:2])
    statement = replace(
        FIRST,
        label=label,
        salt=Bytes32(words[0]),
        run=replace(FIRST.run, counter=numbers[2], started_on=started, finished_on=finished),
        beacon=Beacon(log=LogNumber(1), seq=Seq(numbers[3]), record_digest=Digest(words[1])),
    )
    payload = statement.encode().replace(b'"22.2"', f'"{value}"'.encode())

    assert outcome(trained(), payload) == outcome(BuildStatement.parse, payload)


@given(
    place=st.integers(0, len(PAYLOAD) - 1),
    removed=st.integers(0, 3),
    inserted=st.one_of(
        st.binary(max_size=3), st.sampled_from([b'"', b",", b"}", b"0", b"9", b"\\", b" ", b"-"])
    ),
)
def test_law_any_change_of_bytes_is_read_or_refused_as_ever(
    place: int, removed: int, inserted: bytes
) -> None:
    payload = PAYLOAD[:place] + inserted + PAYLOAD[place + removed :]

    assert outcome(trained(), payload) == outcome(BuildStatement.parse, payload)
