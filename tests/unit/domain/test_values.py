"""Values of a statement under salted roots: each opens alone, and no guess finds a closed one."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fakes.simulator import Simulator, measured
from guildmark.domain.builds.delivery import (
    RESULTS_ALONE,
    SHOWN_MAX,
    Delivery,
    OpenedValues,
    ShownPathError,
    ValuesMissingError,
    recorded_measurements,
    recorded_settings,
    seal,
)
from guildmark.domain.builds.dsse import ENVELOPE_LIMITS, envelope_digest
from guildmark.domain.builds.predicate import (
    MalformedStatementError,
    Measurement,
    Resource,
    Setting,
)
from guildmark.domain.builds.statement import (
    SALTED_PREDICATE_TYPE,
    SALTED_SCRAP_PREDICATE_TYPE,
    SETTINGS_DEPENDENCY,
    BuildStatement,
    ValueRoots,
)
from guildmark.domain.builds.statement_reader import StatementReader
from guildmark.domain.builds.values import (
    VALUES_MAX,
    MalformedValuesError,
    MeasurementsDisclosure,
    OpenedMeasurement,
    OpenedSetting,
    SettingsDisclosure,
    ValuesMismatchError,
    root_of,
)
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import DocumentError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import Bytes32, Digest, KeyId
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.verification.checks.recipe import settings_digest

CLEAR = Simulator().make_statement()
ALL = ("/process", "/tolerance")


def salts(name: str = "salt") -> Callable[[], Bytes32]:
    numbers = itertools.count()
    return lambda: Bytes32(sha256(f"{name} {next(numbers)}".encode()))


def sealed(shown: tuple[str, ...] = ALL) -> tuple[BuildStatement, OpenedValues]:
    return seal(CLEAR, salts(), shown)


def read(statement: BuildStatement) -> BuildStatement:
    return BuildStatement.parse(statement.encode())


def settings_of(values: OpenedValues) -> SettingsDisclosure:
    assert values.settings is not None
    return values.settings


def measurements_of(values: OpenedValues) -> MeasurementsDisclosure:
    assert values.measurements is not None
    return values.measurements


def test_a_salted_statement_says_its_roots_and_none_of_its_values() -> None:
    statement, values = sealed()

    payload = statement.encode()

    assert parse_object(payload)["predicateType"] == SALTED_PREDICATE_TYPE
    assert read(statement).roots == values.roots
    assert read(statement).settings == ()
    assert read(statement).measurements == ()
    for secret in (b"layer_height", b"0.20", b"10.01", b'"settings"', b'"measurements"'):
        assert secret not in payload


def test_what_opens_all_values_gives_the_statement_that_was_sealed() -> None:
    statement, values = sealed()

    opened = values.open(read(statement))

    assert (opened.settings, opened.measurements) == (CLEAR.settings, CLEAR.measurements)
    assert opened.encode() == statement.encode()


def test_scrap_is_salted_too() -> None:
    statement, values = seal(replace(CLEAR, scrap="warped", measurements=()), salts(), ALL)

    assert parse_object(statement.encode())["predicateType"] == SALTED_SCRAP_PREDICATE_TYPE
    assert (values.roots.measurements, read(statement).scrap) == (None, "warped")


def test_a_statement_without_values_commits_to_nothing() -> None:
    statement, values = seal(replace(CLEAR, settings=(), measurements=()), salts(), ALL)

    assert read(statement).roots == values.roots == ValueRoots()
    assert values.for_everybody() == (None, None)
    assert values.open(read(statement)).settings == ()


def test_the_plain_digest_of_settings_is_left_out_and_refused() -> None:
    plain = Resource(name=SETTINGS_DEPENDENCY, digest=settings_digest(CLEAR.settings))
    committing = replace(CLEAR, resolved=(*CLEAR.resolved, plain))

    statement, _ = seal(committing, salts(), ALL)

    assert statement.resource(SETTINGS_DEPENDENCY) is None
    with pytest.raises(MalformedStatementError, match="names no digest of them"):
        replace(statement, resolved=committing.resolved)


@pytest.mark.parametrize("kind", ["build/v3", "scrap/v0", "build"])
def test_another_version_is_refused(kind: str) -> None:
    document = dict(parse_object(CLEAR.encode()))
    document["predicateType"] = f"https://guildmark.org/{kind}"

    with pytest.raises(DocumentError, match="predicateType"):
        BuildStatement.parse(canonical(document))


def test_two_seals_of_equal_values_have_nothing_in_common() -> None:
    _, one = seal(CLEAR, salts("one"), ALL)
    _, other = seal(CLEAR, salts("other"), ALL)

    assert not {*settings_of(one).leaves} & {*settings_of(other).leaves}
    assert one.roots != other.roots


def guesses() -> Iterator[Setting]:
    for hundredths in range(5, 40):
        yield Setting(
            path=ClausePath("/process/layer_height"), value=f"0.{hundredths:02}", unit="mm"
        )


def test_a_dictionary_finds_an_unsalted_setting_and_never_a_salted_one() -> None:
    infill, secret = CLEAR.settings
    digest = settings_digest(CLEAR.settings)
    statement, values = sealed(("/process/infill",))
    shown, _ = values.for_everybody()
    assert shown is not None
    assert [one.value for one in shown.opened] == [infill]

    unsalted = [one for one in guesses() if settings_digest((infill, one)) == digest]
    known_salts = [one.salt for one in shown.opened] + [statement.salt, Bytes32(bytes(32))]
    salted = [
        one
        for one in guesses()
        for salt in known_salts
        if OpenedSetting(leaf=1, salt=salt, value=one).leaf_data() in shown.leaves
    ]

    assert unsalted == [secret]
    assert salted == []


def test_every_member_of_a_value_is_under_its_leaf() -> None:
    whole = Measurement(
        characteristic=ClausePath("/tolerance/bore"),
        value="10.01",
        unit="mm",
        instrument="gauge",
        uncertainty="0.01",
        coverage_factor="2",
        resolution="0.001",
        raw_data=sha256(b"raw"),
        operator="op",
        measured_on=5,
    )
    changes: list[dict[str, object]] = [
        {"characteristic": ClausePath("/tolerance/bores")},
        {"value": "10.010"},
        {"unit": "cm"},
        {"instrument": "gauges"},
        {"uncertainty": "0.02"},
        {"coverage_factor": "3"},
        {"resolution": "0.01"},
        {"resolution": None},
        {"raw_data": sha256(b"other")},
        {"operator": None},
        {"operator": "other"},
        {"measured_on": None},
        {"measured_on": 6},
    ]
    salt = Bytes32(bytes(32))
    found = {
        OpenedMeasurement(leaf=0, salt=salt, value=one).leaf_data()
        for one in (whole, *(replace(whole, **change) for change in changes))  # type: ignore[arg-type]
    }

    assert len(found) == len(changes) + 1


def test_a_setting_and_a_measurement_of_the_same_texts_have_other_leaves() -> None:
    salt = Bytes32(bytes(32))
    text = Setting(path=ClausePath("/process/mode"), value="fast")
    unit = Setting(path=ClausePath("/process/mode"), value="1", unit="mm")

    leaves = {OpenedSetting(leaf=0, salt=salt, value=one).leaf_data() for one in (text, unit)}

    assert len(leaves) == 2


def test_one_value_opens_alone_and_the_others_stay_closed() -> None:
    statement, values = sealed(("/tolerance/height",))
    settings, measurements = values.for_everybody()

    recorded = recorded_measurements(read(statement), measurements)
    closed = recorded_settings(read(statement), settings)

    assert recorded.values == (measured("height", "20.0"),)
    assert (recorded.count, recorded.is_complete, recorded.is_none) == (2, False, False)
    assert recorded.may_hide("/tolerance/bore")
    assert not recorded.may_hide("/tolerance/z")
    assert (closed.values, closed.count, closed.may_hide("/process/infill")) == ((), 2, True)


def test_where_nothing_is_shown_everything_may_be_hidden() -> None:
    statement, _ = sealed()

    recorded = recorded_settings(read(statement), None)

    assert (recorded.count, recorded.is_none, recorded.is_complete) == (None, False, False)
    assert recorded.may_hide("/any/path")


def test_values_in_clear_hide_nothing() -> None:
    recorded = recorded_settings(CLEAR, None)

    assert recorded.is_complete
    assert not recorded.may_hide("/process/infill")


def test_what_is_shown_beside_values_in_clear_is_refused() -> None:
    _, values = sealed()

    with pytest.raises(ValuesMismatchError, match="commits to no salted settings"):
        recorded_settings(CLEAR, values.settings)
    with pytest.raises(ValuesMismatchError, match="commits to no salted measurements"):
        recorded_measurements(CLEAR, values.measurements)


def test_values_of_another_statement_are_refused() -> None:
    statement, _ = sealed()
    _, other = seal(CLEAR, salts("other"), ALL)

    with pytest.raises(ValuesMismatchError, match="do not lead to"):
        other.open(read(statement))


def test_a_log_takes_a_statement_only_with_all_of_its_values() -> None:
    statement, values = sealed(())
    settings, measurements = values.for_everybody()

    for partly in (
        replace(values, settings=None),
        replace(values, measurements=None),
        replace(values, settings=settings),
        replace(values, measurements=measurements),
    ):
        with pytest.raises(ValuesMissingError):
            partly.open(read(statement))


@pytest.mark.parametrize(("leaf", "taken"), [(0, True), (1, False), (2, False)])
def test_a_value_is_taken_at_its_own_leaf_alone(leaf: int, *, taken: bool) -> None:
    statement, values = sealed()
    settings = settings_of(values)
    shown = replace(settings, opened=(replace(settings.opened[0], leaf=leaf),))

    if taken:
        assert recorded_settings(read(statement), shown).values == CLEAR.settings[:1]
    else:
        with pytest.raises(ValuesMismatchError, match=f"is not leaf {leaf}"):
            recorded_settings(read(statement), shown)


def test_values_in_another_order_are_refused_where_two_show_it() -> None:
    turned = [
        OpenedSetting(leaf=n, salt=Bytes32(bytes(32)), value=one)
        for n, one in enumerate(reversed(CLEAR.settings))
    ]
    shown = SettingsDisclosure(
        leaves=tuple(one.leaf_data() for one in turned), opened=tuple(turned)
    )

    with pytest.raises(ValuesMismatchError, match="order of their paths"):
        shown.verify(shown.root())


def test_a_disclosure_opens_each_leaf_once_in_order_and_not_too_many() -> None:
    _, values = sealed()
    settings = settings_of(values)
    first, second = settings.opened
    leaf = Digest(bytes(32))

    SettingsDisclosure(leaves=(leaf,) * VALUES_MAX, opened=(replace(first, leaf=VALUES_MAX - 1),))
    for leaves, opened in [
        ((), ()),
        ((leaf,) * (VALUES_MAX + 1), ()),
        (settings.leaves, (first, first)),
        (settings.leaves, (second, first)),
        (settings.leaves, (replace(first, leaf=-1),)),
        (settings.leaves, (replace(first, leaf=VALUES_MAX),)),
    ]:
        with pytest.raises(MalformedValuesError):
            SettingsDisclosure(leaves=leaves, opened=opened)


def test_a_root_is_that_of_rfc_9162() -> None:
    one, other = Digest(bytes(32)), Digest(bytes([1]) * 32)
    left, right = (sha256(b"\0" + leaf) for leaf in (one, other))

    assert root_of((one, other)) == sha256(b"\1" + left + right)


def test_a_path_is_shown_by_itself_or_by_what_stands_above_it() -> None:
    values = OpenedValues(shown=(*RESULTS_ALONE, "/process/infill"))

    shown = [
        path
        for path in (
            "/tolerance/bore",
            "/tolerances/bore",
            "/process/infill",
            "/process/infill2",
            "/process",
        )
        if values.is_shown(path)
    ]

    assert shown == ["/tolerance/bore", "/process/infill"]


def test_values_name_no_more_shown_paths_than_are_read() -> None:
    OpenedValues(shown=("/tolerance",) * SHOWN_MAX)
    with pytest.raises(ShownPathError):
        OpenedValues(shown=("/tolerance",) * (SHOWN_MAX + 1))


@pytest.mark.parametrize("path", ["", "/", "tolerance", "/tolerance/", "/a b", "/a" * 9, "/*"])
def test_what_is_no_path_and_no_beginning_of_one_is_not_shown(path: str) -> None:
    OpenedValues(shown=("/a", "/a" * 8))
    with pytest.raises(ShownPathError):
        OpenedValues(shown=(path,))


def test_a_delivery_is_its_envelope_where_the_values_stand_in_it() -> None:
    envelope = Simulator().make_envelope()

    delivery = Delivery.parse(envelope)

    assert (delivery.encode(), delivery.values) == (envelope, None)
    assert delivery.digest == envelope_digest(envelope)
    assert delivery.statement() == CLEAR


def test_a_delivery_brings_what_opens_the_values() -> None:
    simulator = Simulator(shown=ALL)
    _, values = seal(CLEAR, salts(), ALL)
    statement = CLEAR.committing(values.roots)
    envelope = Simulator(payload=statement.encode()).make_envelope()

    delivery = Delivery.parse(Delivery(envelope=envelope, values=values).encode())

    assert (delivery.envelope, delivery.values) == (envelope, values)
    assert delivery.statement() == statement
    assert b"\n" not in delivery.encode()
    with pytest.raises(ValuesMissingError):
        Delivery(envelope=simulator.make_envelope()).statement()


def test_values_survive_their_document() -> None:
    _, values = sealed()

    assert OpenedValues.parse(values.encode()) == values
    assert repr(settings_of(values).opened[0].salt) not in repr(values)


@pytest.mark.parametrize("envelope", ["no base64", "A" * (4 * (ENVELOPE_LIMITS.size // 3 + 2))])
def test_a_delivery_whose_envelope_cannot_be_read_is_refused(envelope: str) -> None:
    data = canonical({"envelope": envelope, "values": {}})

    with pytest.raises(MalformedValuesError):
        Delivery.parse(data)


def test_an_envelope_may_be_as_long_as_its_limit() -> None:
    whole = Delivery(envelope=bytes(ENVELOPE_LIMITS.size), values=OpenedValues())

    assert Delivery.parse(whole.encode()) == whole


def test_the_quick_reader_reads_salted_statements_as_the_strict_one() -> None:
    reader, key = StatementReader(), KeyId(bytes(32))
    forms = set()
    for number in range(3):
        statement, _ = seal(CLEAR, salts(f"part {number}"), ALL)
        found = reader.read(statement.encode(), key)

        assert found.statement == read(statement)
        forms.add(id(found.form))
    bare, _ = seal(replace(CLEAR, measurements=()), salts(), ALL)
    assert reader.read(bare.encode(), key).statement == read(bare)
    assert reader.read(CLEAR.encode(), key).statement == CLEAR
    assert len(forms) == 1
    empty, _ = seal(replace(CLEAR, settings=(), measurements=()), salts(), ALL)
    assert reader.read(empty.encode(), key).statement == read(empty)


def test_measurements_are_sealed_under_the_order_of_their_paths() -> None:
    turned = replace(CLEAR, measurements=CLEAR.measurements[::-1])

    _, values = seal(turned, salts(), ALL)

    paths = [one.path for one in measurements_of(values).opened]
    assert paths == sorted(paths)
