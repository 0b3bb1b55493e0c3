"""Content stores by their addresses, and rounds of challenges over them."""

import sys
from pathlib import Path

import pytest

from guildmark.adapters.clock import SystemEntropy
from guildmark.adapters.content.store import LocalContent
from guildmark.adapters.content.stores import StoreAddressError, Stores, open_stores
from guildmark.ports.content import Availability, StoreAnswer
from guildmark.ports.store import StoreUnavailableError
from guildmark_ipfs.gateway import Gateway
from guildmark_ipfs.replicas import BlockReplica, KuboReplica, PinnedReplica


def opened(folder: Path, *addresses: str, copies: int | None = None) -> Stores:
    return open_stores(folder / "own", addresses, copies=copies, entropy=SystemEntropy())


def files(folder: Path) -> list[Path]:
    return list((folder / "blocks").glob("??/*"))


def test_each_kind_of_address_opens_its_store(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")

    stores = opened(
        tmp_path,
        f"file:{tmp_path}/other",
        "kubo+http://user:password@127.0.0.1:5001",
        "ipfshttp:/ip4/127.0.0.1/tcp/5001/http",
        "gateway+https://gateway.example",
        f"pin+https://pins.example/api?token_file={tmp_path}/token"
        "&gateway=https://gateway.example&origin=/ip4/127.0.0.1/tcp/4001",
    )

    kinds = [type(each) for each in stores.blocks.replicas]
    assert kinds == [BlockReplica, KuboReplica, BlockReplica, PinnedReplica]
    names = [each.name for each in stores.blocks.replicas]
    assert names == ["file 1", "kubo 2", "ipfshttp 3", "pin 4"]
    assert [type(each) for each in stores.blocks.sources] == [Gateway]
    pins = stores.blocks.replicas[3]
    assert isinstance(pins, PinnedReplica)
    assert pins.origins == ("/ip4/127.0.0.1/tcp/4001",)
    stores.close()


def test_two_copies_are_wanted_where_there_are_two_stores(tmp_path: Path) -> None:
    other = f"file:{tmp_path}/other"

    assert opened(tmp_path).blocks.copies == 1
    assert opened(tmp_path, other).blocks.copies == 2
    assert opened(tmp_path, other, f"file:{tmp_path}/third").blocks.copies == 2
    assert opened(tmp_path, other, copies=1).blocks.copies == 1
    assert opened(tmp_path, "gateway+https://gateway.example").blocks.copies == 1


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "of no known kind"),
        ("kubo", "of no known kind"),
        ("http://127.0.0.1:5001", "of no known kind"),
        ("s3+https://bucket", "of no known kind"),
        ("file:", "of no known kind"),
        ("kubo:/ip4/127.0.0.1", "no http address"),
        ("kubo+http://", "no http address"),
        ("kubo+http://host:port", "no http address"),
        ("gateway+https://[", "no http address"),
        ("pin+https://pins.example", "needs token_file and gateway"),
        ("pin+https://pins.example?token_file=/none/such&gateway=https://g", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, address: str, reason: str) -> None:
    with pytest.raises(StoreAddressError, match=reason):
        opened(tmp_path, address)


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(StoreAddressError) as caught:
        opened(tmp_path, "kubo+http://user:password@:5001")

    assert "password" not in str(caught.value)


def test_without_its_extra_ipfshttp_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "guildmark_ipfs.ipfshttp", None)

    with pytest.raises(StoreAddressError, match="the extra `ipfshttp` is not installed"):
        opened(tmp_path, "ipfshttp:/ip4/127.0.0.1/tcp/5001/http")


def test_a_file_goes_to_every_store_and_comes_back_from_any(tmp_path: Path) -> None:
    stores = opened(tmp_path, f"file:{tmp_path}/other")
    content = LocalContent(stores.blocks)
    cid = content.put([b"a file"])
    assert len(files(tmp_path / "other")) == 1
    for path in files(tmp_path / "own"):
        path.unlink()

    assert content.has(cid)
    assert b"".join(content.get(cid)) == b"a file"
    assert len(files(tmp_path / "own")) == 1


def test_who_asks_for_any_address_starts_no_search(tmp_path: Path) -> None:
    elsewhere = LocalContent(
        open_stores(tmp_path / "other", (), copies=None, entropy=SystemEntropy()).blocks
    )
    cid = elsewhere.put([b"never put here"])

    # Nothing listens there, and a test that tried would be stopped.
    assert not LocalContent(opened(tmp_path, "kubo:http://127.0.0.1:1").blocks).has(cid)


def test_a_host_answers_for_the_folder_that_hosts_share(tmp_path: Path) -> None:
    elsewhere = LocalContent(
        open_stores(tmp_path / "other", (), copies=None, entropy=SystemEntropy()).blocks
    )
    here = LocalContent(opened(tmp_path, f"file:{tmp_path}/other").blocks)

    assert here.has(elsewhere.put([b"put there"]))


def test_too_few_copies_are_no_success(tmp_path: Path) -> None:
    stores = opened(tmp_path, f"file:{tmp_path}/other", copies=3)

    with pytest.raises(StoreUnavailableError, match="2 of 3 stores gave"):
        LocalContent(stores.blocks).put([b"a file"])


def test_a_round_tells_what_was_found_and_mended(tmp_path: Path) -> None:
    stores = opened(tmp_path, f"file:{tmp_path}/other")
    cid = LocalContent(stores.blocks).put([b"a file"])
    assert [each.state for each in stores.round()] == [Availability.OK] * 2

    (path,) = files(tmp_path / "other")
    path.write_bytes(b"changed")

    own, other = stores.round()
    assert own == StoreAnswer(store="own", cid=cid, state=Availability.OK)
    assert other == StoreAnswer(store="file 1", cid=cid, state=Availability.OK, mended=True)


def test_what_every_store_lost_is_unavailable(tmp_path: Path) -> None:
    stores = opened(tmp_path, f"file:{tmp_path}/other")
    cid = LocalContent(stores.blocks).put([b"a file"])
    for path in (*files(tmp_path / "own"), *files(tmp_path / "other")):
        path.unlink()

    found = list(stores.round())

    assert found == [
        StoreAnswer(store=name, cid=cid, state=Availability.UNAVAILABLE, code="content.notFound")
        for name in ("own", "file 1")
    ]
