"""Releases over HTTP: who may see a license's reconciliation, and that requests are counted."""

import httpx
import pytest

from guildmark.adapters.peers.client import PeerRefusedError
from guildmark.domain.identifiers import to_hex
from guildmark.ports.keys import KeyName
from guildmark.services.release.receipts import verified
from stages import Played, reconciliation

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

ACCOUNT = KeyName("account")


def test_licensor_sees_receipts_and_page(web: httpx.Client, played: Played) -> None:
    home, operator = played.scene.designer.home, played.scene.operators[0].party.id
    license_id = played.workshops[0].assignment.external.license
    query = home.reconciling.query(license_id, releaser=operator, key=ACCOUNT)

    proofs, page = played.node.receipts(query)
    home.reconciling.keep(license_id, proofs)
    home.indexing.follow()
    found = home.reconciling.of(license_id)

    requests = {verified(proof, home.ledger).request for proof in proofs}
    assert {workshop.request for workshop in played.workshops} <= requests
    assert found.alerts == ()
    assert [row.released > 0 for row in found.rows] == [True] * 3
    shown = web.get(page)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    assert "Files opened and copies made fit" in shown.text
    counted = web.get("/metrics").text
    assert 'guildmark_releases_total{outcome="released"}' in counted
    assert "guildmark_release_differences" in counted


def test_nobody_else_sees_them(web: httpx.Client, played: Played) -> None:
    license_id = played.workshops[0].assignment.external.license
    operator = played.scene.operators[0].party.id
    stranger = played.workshops[0].maker.party.home.reconciling

    with pytest.raises(PeerRefusedError) as caught:
        played.node.receipts(stranger.query(license_id, releaser=operator, key=ACCOUNT))

    assert caught.value.detail["reason"] == "reconciliation.licensorOnly"
    bare = web.get(f"/licenses/{to_hex(license_id)}/reconciliation")
    other = web.get(reconciliation(played).replace(to_hex(license_id), "0x" + "12" * 32))
    assert [bare.status_code, other.status_code] == [403, 403]


def test_receipt_is_no_part_of_any_page(web: httpx.Client, played: Played) -> None:
    log = played.workshops[0].operator.log
    # The first entries of the log are the receipts of the sites' releases.
    answers = [
        web.get(f"/v1/parts/{log}.0{path}") for path in ("", "/bundle", "/label.svg", "/label.png")
    ]

    assert [one.json()["code"] for one in answers] == ["part.unknown"] * 4
    assert "urn:guildmark:release" not in web.get("/").text
