"""The text of link QR codes."""

import pytest

from guildmark.domain.identifiers import Address, ChainId, Index, LogNumber, PartId
from guildmark.domain.labels import qr
from guildmark.domain.labels.digital_link import LinkNotCanonicalError

LABEL = "https://id.example.org/id/aaaqeayeaudaocaj/3-00017"
PART = PartId(chain_id=ChainId(1), build_log=Address(bytes(20)), log=LogNumber(2), index=Index(41))


def test_link_carries_the_label_and_the_position_as_a_hint() -> None:
    text = qr.link_text(LABEL, PART)

    assert text == LABEL + "?p=2.41"
    assert len(text) <= 60
    assert qr.read_link(text) == (LABEL, (2, 41))


def test_link_without_a_position_is_the_label() -> None:
    assert qr.link_text(LABEL) == LABEL
    assert qr.read_link(LABEL) == (LABEL, None)


def test_a_base_takes_the_place_of_the_host() -> None:
    text = qr.link_text(LABEL, PART, base="http://192.0.2.7:8000")

    assert text == "http://192.0.2.7:8000/id/aaaqeayeaudaocaj/3-00017?p=2.41"


def test_only_labels_are_printed() -> None:
    with pytest.raises(LinkNotCanonicalError):
        qr.link_text(LABEL + "?p=1.1")


@pytest.mark.parametrize(("size", "fits"), [(84, True), (85, False)])
def test_links_are_limited_to_what_a_small_code_holds(size: int, fits: bool) -> None:
    label = LABEL.replace("example", "e" * (size - len(LABEL) + len("example")))

    if fits:
        assert qr.link_text(label) == label
    else:
        with pytest.raises(qr.LinkTooLongError) as caught:
            qr.link_text(label)
        assert caught.value.detail == {"link": label, "limit": 84}
