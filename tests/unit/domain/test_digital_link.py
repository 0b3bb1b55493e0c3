"""Digital Links: canonical texts, biip as the peer, and each refusal."""

import string
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import IdentityId, LaneNumber
from guildmark.domain.identity import gs1
from guildmark.domain.labels import digital_link as dl

GTIN = "09506000134352"
SET_82 = "!\"%&'()*+,-./:;<=>?_" + string.ascii_letters + string.digits
SERIALS = st.text(SET_82, min_size=1, max_size=20).filter(lambda text: text not in {".", ".."})


def own(serial: str = "1-00017") -> dl.DigitalLink:
    return dl.DigitalLink.of_own_part("id.example.org", "mfrggzdfmztwq2lk", serial)


def test_links_are_written_in_their_canonical_form() -> None:
    part = dl.DigitalLink.of_part("id.example.org", "9506000134352", "12/7")

    assert str(part) == "https://id.example.org/01/09506000134352/21/12%2F7"
    assert part.serial == "12/7"
    assert not part.is_own


@given(SERIALS, st.none() | SERIALS, st.none() | SERIALS)
def test_part_links_are_those_of_biip(serial: str, variant: str | None, batch: str | None) -> None:
    below = [("22", variant), ("10", batch), ("21", serial)]
    link = dl.DigitalLink(
        host="id.example.org",
        key="01",
        value=GTIN,
        qualifiers=tuple((name, value) for name, value in below if value is not None),
    )

    peer = GS1DigitalLinkURI.parse(str(link))

    strings = [(one.ai.ai, one.value) for one in peer.element_strings]
    assert strings == [("01", GTIN), *link.qualifiers]
    assert dl.DigitalLink.parse(str(link)) == link


@given(SERIALS)
def test_own_links_are_read_back(serial: str) -> None:
    link = own(serial)

    assert dl.DigitalLink.parse_label(str(link)) == link
    assert link.is_own
    assert link.serial == serial


@pytest.mark.parametrize(
    "text",
    [
        "https://id.example.org/00/340123450000000000",
        "https://id.example.org/253/4012345000009CERT",
        "https://id.example.org:8443/414/4012345000009/254/bench-3",
        "https://id.example.org/417/4012345000009",
        "https://id.example.org/8003/04012345000009",
        "https://id.example.org/8004/4012345MILL7",
        "https://id.example.org/8010/4012345BR-7",
        "https://example.org/some/path/01/09506000134352/22/2A/10/L7/21/12",
        "https://example.org/id/01/09506000134352",
        "https://example.org/01/09506000134352/10/id/21/x",
        "https://example.org/01/09506000134352/10/01/21/12",
        "https://localhost:5000/id/abcdef/1-00001",
    ],
)
def test_canonical_links_are_read_and_written_alike(text: str) -> None:
    assert str(dl.DigitalLink.parse_label(text)) == text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (f"HTTPS://ID.Example.ORG/01/{GTIN}/21/12", f"https://id.example.org/01/{GTIN}/21/12"),
        (f"https://id.example.org/01/{GTIN}/", f"https://id.example.org/01/{GTIN}"),
        ("https://id.example.org/01/9506000134352", f"https://id.example.org/01/{GTIN}"),
        (
            f"https://id.example.org/01/{GTIN}/21/%31%2f",
            f"https://id.example.org/01/{GTIN}/21/1%2F",
        ),
        (f"https://id.example.org/01/{GTIN}?17=271231&&x", f"https://id.example.org/01/{GTIN}"),
    ],
)
def test_other_forms_are_read_but_are_no_labels(text: str, label: str) -> None:
    assert dl.DigitalLink.parse(text).label == label
    with pytest.raises(dl.LinkNotCanonicalError) as caught:
        dl.DigitalLink.parse_label(text)
    assert caught.value.detail == {"canonical": label}


@pytest.mark.parametrize(
    "text",
    [
        f"https://id.example.org/01/04999999000006/01/{GTIN}/21/12",
        "https://id.example.org/01/04999999000006/id/abcdefgh/1",
        "https://id.example.org/8004/4012345SN17/more/id/abcdefgh/1",
    ],
)
def test_label_in_which_another_key_can_be_read_is_refused(text: str) -> None:
    assert dl.DigitalLink.parse(text).prefix[0] in {"01", "8004"}
    with pytest.raises(dl.MalformedLinkError, match="names another key"):
        dl.DigitalLink.parse_label(text)


@pytest.mark.parametrize("prefix", ["01", "some/path", "id/id", "a"])
def test_own_form_behind_a_path_is_a_link_and_no_label(prefix: str) -> None:
    text = f"https://example.org/{prefix}/id/abcdefgh/1"

    assert dl.DigitalLink.parse(text).label == text
    with pytest.raises(dl.MalformedLinkError, match="no path in front of it"):
        dl.DigitalLink.parse_label(text)


def test_own_form_is_its_operators_and_a_gs1_key_is_anybodys() -> None:
    operator, other = (IdentityId(bytes((number,)) * 32) for number in (1, 2))
    link = dl.DigitalLink.of_own_part("a.example", dl.operator_token(operator), "1")
    part = dl.DigitalLink.of_part("a.example", GTIN, "1")

    assert (link.is_of_operator(operator), link.is_of_operator(other)) == (True, False)
    assert (part.is_of_operator(operator), part.is_of_operator(other)) == (True, True)


@pytest.mark.parametrize(
    ("path", "prefixed"),
    [
        ("00/340123450000000000", "40123450000000000"),
        (f"01/{GTIN}/21/1", "9506000134352"),
        ("253/4012345000009CERT", "4012345000009CERT"),
        ("414/4012345000009", "4012345000009"),
        ("417/4012345000009", "4012345000009"),
        ("8003/04012345000009", "4012345000009"),
        ("8004/4012345MILL7", "4012345MILL7"),
        ("8010/4012345BR-7", "4012345BR-7"),
        ("id/abcdefgh/1", None),
    ],
)
def test_each_key_but_the_own_one_has_a_company_prefix(path: str, prefixed: str | None) -> None:
    assert dl.DigitalLink.parse_label(f"https://id.example.org/{path}").prefixed == prefixed


def test_query_is_kept_in_the_link_and_left_out_of_the_label() -> None:
    link = dl.DigitalLink.parse(f"https://id.example.org/01/{GTIN}?17=271231&p=3.7&x=a%26b")

    assert link.query == (("17", "271231"), ("p", "3.7"), ("x", "a&b"))
    assert str(link) == f"https://id.example.org/01/{GTIN}?17=271231&p=3.7&x=a%26b"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id.example.org/01/" + GTIN,
        f"http://id.example.org/01/{GTIN}",
        "https://id.example.org/",
        "https://id.example.org/gtin/" + GTIN,
        f"https://id_example.org/01/{GTIN}",
        f"https://-id.example.org/01/{GTIN}",
        f"https://user@id.example.org/01/{GTIN}",
        f"https://id.example.org:0/01/{GTIN}",
        f"https://{'a' * 64}.org/01/{GTIN}",
        f"https:///01/{GTIN}",
        f"https://id.example.org//01/{GTIN}",
        f"https://id.example.org/../01/{GTIN}",
        f"https://id.example.org/01/{GTIN}/21/12/10/L7",
        f"https://id.example.org/01/{GTIN}/21/12/21/13",
        f"https://id.example.org/01/{GTIN}/99/12",
        f"https://id.example.org/01/{GTIN}/21",
        f"https://id.example.org/01/{GTIN}/21/..",
        f"https://id.example.org/01/{GTIN}/21/%2E",
        f"https://id.example.org/01/{GTIN}/21/1%2",
        f"https://id.example.org/01/{GTIN}/21/1%00",
        f"https://id.example.org/01/{GTIN}/21/1%C3%A9",
        f"https://id.example.org/01/{GTIN}/21/é",
        f"https://id.example.org/01/{GTIN}/21/1\n",
        "https://id.example.org/id/abc/1",
        "https://id.example.org/id/ABCDEFGH/1",
        "https://id.example.org/8004/4012345MILL7/21/5",
        f"https://id.example.org/01/{GTIN}?x=" + "1" * 400,
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(dl.MalformedLinkError):
        dl.DigitalLink.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://id.example.org/01/09506000134353",
        "https://id.example.org/414/4012345000008",
        f"https://id.example.org/01/{GTIN}/21/" + "1" * 21,
        f"https://id.example.org/01/{GTIN}/10/%20",
        f"https://id.example.org/01/{GTIN}/21/",
        "https://id.example.org/id/abcdefgh/" + "1" * 21,
    ],
)
def test_keys_and_qualifiers_outside_their_syntax_are_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        dl.DigitalLink.parse(text)


def test_links_are_not_made_of_values_that_are_not_in_full_length() -> None:
    with pytest.raises(dl.MalformedLinkError):
        dl.DigitalLink(host="id.example.org", key="01", value="9506000134352")
    with pytest.raises(dl.MalformedLinkError):
        dl.DigitalLink(host="id.example.org", key="02", value=GTIN)
    with pytest.raises(dl.MalformedLinkError):
        dl.DigitalLink(host="id.example.org", key="id", value="abcdefgh")
    with pytest.raises(dl.MalformedLinkError):
        dl.DigitalLink(host="ID.example.org", key="01", value=GTIN)
    with pytest.raises(dl.MalformedLinkError):
        dl.DigitalLink.of_own_part("id.example.org", "ABCDEFGH", "1")
    with pytest.raises(gs1.WrongCheckDigitError):
        dl.DigitalLink.of_part("id.example.org", "9506000134353", "1")


def test_operator_token_is_eighty_bits_that_an_own_link_takes() -> None:
    token = dl.operator_token(IdentityId(bytes(range(32))))

    assert token == "aaaqeayeaudaocaj"
    assert dl.DigitalLink.of_own_part("id.example.org", token, "1-1").value == token


def test_serials_contain_their_lane() -> None:
    assert dl.serial_in_lane(LaneNumber(3), 17) == "3-00017"


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        (f"/01/{GTIN}/21/7", True),
        (f"/01/{GTIN}/235/A-7", True),
        ("/8010/4012-A/8011/7", True),
        (f"/01/{GTIN}/10/L1", False),
        ("/8010/4012-A", False),
        ("/id/mfrggzdfmztwq2lk/1-00017", True),
    ],
)
def test_a_link_names_one_thing_or_a_kind(path: str, is_one: bool) -> None:
    link = dl.DigitalLink.parse(f"https://id.example.org{path}")

    assert link.is_of_one == is_one
    assert link.path == path


def test_a_kind_is_the_primary_key_alone() -> None:
    link = dl.DigitalLink.parse(f"https://id.example.org/01/{GTIN}/10/L/21/7?p=1.2")

    assert str(link.kind) == f"https://id.example.org/01/{GTIN}"


def test_a_third_partys_serial_stands_alone() -> None:
    with pytest.raises(dl.MalformedLinkError, match="235 stands beside another one"):
        dl.DigitalLink.parse(f"https://id.example.org/01/{GTIN}/21/7/235/A")


@pytest.mark.parametrize(("size", "is_taken"), [(20, True), (28, True), (29, False)])
def test_a_third_partys_serial_has_28_characters_at_most(size: int, *, is_taken: bool) -> None:
    link = f"https://id.example.org/01/{GTIN}/235/{'x' * size}"

    with nullcontext() if is_taken else pytest.raises(gs1.MalformedGs1Error):
        assert dl.DigitalLink.parse_label(link).label == link


@pytest.mark.parametrize("serial", ["0", "7", "123456789012"])
def test_components_have_serials_of_digits(serial: str) -> None:
    assert gs1.parse_cpid_serial(serial) == serial


@pytest.mark.parametrize("serial", ["", "07", "1234567890123", "A"])
def test_other_serials_of_components_are_refused(serial: str) -> None:
    with pytest.raises(gs1.MalformedGs1Error):
        gs1.parse_cpid_serial(serial)


BEFORE = [
    "https://id.example.org/id/mfrggzdfmztwq2lk",
    f"https://id.example.org/01/{GTIN}/21",
    f"https://id.example.org/shop/01/{GTIN}/10/L7/21",
    f"https://id.example.org/01/{GTIN}/10",
    f"https://id.example.org/01/{GTIN}/235",
    f"https://id.example.org/414/4012345000009/01/{GTIN}/21",
    f"https://ID.example.org/01/{GTIN}/21",
    "https://id.example.org/8004",
    "https://id.example.org/8010/1987654ABC/8011",
    "https://id.example.org/shop/id/mfrggzdfmztwq2lk",
    "https://id.example.org",
    "",
]


@given(st.sampled_from(BEFORE), SERIALS | st.text(max_size=22) | st.sampled_from([".", "..", ""]))
def test_law_a_label_is_like_another_where_it_is_a_label_but_for_its_serial(
    before: str, serial: str
) -> None:
    text = f"{before}/{serial}"

    assert like(dl.label_like, text) == like(dl.DigitalLink.parse_label, text)


def like(read: Callable[[str], dl.DigitalLink], text: str) -> object:
    """Return why a label is refused, or all of its link but a serial."""
    try:
        link = read(text)
    except MalformedError as error:
        return error.code, error.message
    kept = [pair for pair in link.qualifiers if pair[0] != "21"]
    return link.host, link.prefix, link.key, link.value, kept, len(link.qualifiers)


@pytest.mark.parametrize("serial", ["1" * 20, "1" * 21])
@pytest.mark.parametrize("prefix", ["a" * 342, "a" * 343, "a" * 344])
def test_a_label_like_another_is_as_long_as_labels_are(prefix: str, serial: str) -> None:
    text = f"https://id.example.org/{prefix}/01/{GTIN}/21/{serial}"[: dl.LINK_MAX + 1]

    assert like(dl.label_like, text) == like(dl.DigitalLink.parse_label, text)


def test_labels_of_a_job_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = dl.label_like(str(own("1-00017")))
    monkeypatch.setattr(dl.DigitalLink, "parse_label", None)

    assert dl.label_like(str(own("1-00018"))) is first
