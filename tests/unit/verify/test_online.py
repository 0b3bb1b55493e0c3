"""Bundles and blocks over HTTP: what is fetched, and each way in which it may not be."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fakes.corpus.good import good_cases
from fakes.inspecting import INSPECTOR, Inspecting
from fakes.lies import World
from fakes.lying_node import lying
from fakes.newer import rpc_header, rpc_proof
from fakes.rivals import EARLIER, LATER, other_entry, stand_beside
from fakes.simulator import ISSUER, LABEL, LOOKED, OPERATOR, Simulator, identity
from fakes.web import Web, serving
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.evidence_http import (
    Chain,
    DirectoryMissingError,
    Parts,
    SourceAddressError,
    SourceAnswerError,
    SourceErasedError,
    SourceNotFinalError,
    SourceUnreachableError,
)
from guildmark.cli import main
from guildmark.domain import bundle
from guildmark.domain import trust as trust_file
from guildmark.domain.builds.inspection import Result
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ChainClass, ContractName
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.encoding.archive import ArchiveLimits
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Address, Index, LogNumber, to_hex
from guildmark.domain.trust import Listed, TrustedBlock
from guildmark.domain.verification.case import Sighting
from guildmark.domain.verification.evidence import ENTRIES_MAX

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

HONEST = Simulator()
BUNDLE = bundle.write(HONEST.evidence())
BLOCK = HONEST.trust().blocks[0]
PART = (LogNumber(1), Index(103))
PATH = "/v1/parts/1.103/bundle"
CHAIN = (HONEST.pin.chain_id, HONEST.pin.genesis)
FOUND = f"/v1/parts?label={quote(LABEL, safe='')}"
DIRECTORY = Address(b"\xd1" * 20)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as server:
        yield server


def rpc_block(number: int, digest: bytes, time: int = LOOKED) -> dict[str, str]:
    return {"number": hex(number), "hash": to_hex(digest), "timestamp": hex(time)}


def blocks(tag: str, full: bool) -> dict[str, str] | None:
    known = {
        "0x0": rpc_block(0, HONEST.pin.genesis, 1),
        hex(BLOCK.number): rpc_block(BLOCK.number, BLOCK.hash),
        "finalized": rpc_block(BLOCK.number, BLOCK.hash),
    }
    return known.get(tag)


@pytest.fixture
def chain(web: Web) -> Web:
    built = ("identities", "designs", "licenses", "recipes", "log", "parts")
    order = (*built, "equivalence", "recalls")
    words = [HONEST.pin.contracts[ContractName(name)].address for name in order]
    web.results = {
        "eth_chainId": hex(HONEST.pin.chain_id),
        "eth_getBlockByNumber": blocks,
        "eth_call": "0x" + "".join(word.rjust(32, b"\0").hex() for word in words),
        "eth_getCode": lambda *params: params[0],
    }
    return web


def test_a_bundle_is_fetched(web: Web) -> None:
    web.pages = {PATH: (200, BUNDLE), f"{PATH}?block=77": (200, b"at 77")}

    node = Parts(url=web.url + "/")

    assert node.bundle(*PART, block=None) == BUNDLE
    assert node.bundle(*PART, block=77) == b"at 77"
    assert node.bundle(LogNumber(1), Index(104), block=None) is None


def test_a_node_may_stand_below_a_path(web: Web) -> None:
    web.pages = {f"/guildmark{PATH}": (200, BUNDLE)}

    assert Parts(url=f"{web.url}/guildmark/").bundle(*PART, block=None) == BUNDLE


def test_a_label_is_found(web: Web) -> None:
    web.pages = {FOUND: (200, b'{"log":1,"index":103,"others":[]}')}

    assert Parts(url=web.url).find(LABEL) == PART
    assert Parts(url=web.url).find("https://other.example.org/id/abcdef/1") is None


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"log":1,"index":"103"}', b'{"log":true,"index":1}', b'{"log":1,'],
)
def test_an_answer_that_is_none_is_refused(web: Web, body: bytes) -> None:
    web.pages = {FOUND: (200, body)}

    with pytest.raises(SourceAnswerError):
        Parts(url=web.url).find(LABEL)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, SourceAnswerError),
        (400, SourceAnswerError),
        (409, SourceNotFinalError),
        (410, SourceErasedError),
        (500, SourceUnreachableError),
        (503, SourceUnreachableError),
    ],
)
def test_other_statuses_are_told_apart(web: Web, status: int, error: type[Exception]) -> None:
    web.pages = {PATH: (status, b"")}

    with pytest.raises(error):
        Parts(url=web.url).bundle(*PART, block=None)


@pytest.mark.parametrize("lie", ["dripping", "silence"])
def test_who_sends_a_byte_now_and_then_holds_up_nobody(lie: str) -> None:
    with lying(World([next(good_cases())])) as node:
        place = node.lies(lie, "any").place

        with pytest.raises(SourceUnreachableError):
            Parts(url=node.url, timeout=0.2, deadline=0.3).bundle(*place, block=None)


def test_what_came_before_an_answer_was_cut_off_counts_for_nothing() -> None:
    with lying(World([next(good_cases())])) as node:
        place = node.lies("without an end", "any").place

        with pytest.raises((SourceAnswerError, SourceUnreachableError)):
            Parts(url=node.url, deadline=0.01).bundle(*place, block=None)


def test_a_bundle_has_a_limit(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = ArchiveLimits(size=len(BUNDLE) - 1)
    monkeypatch.setattr("guildmark.adapters.evidence_http.DEFAULT_LIMITS", limits)
    web.pages = {PATH: (200, BUNDLE)}

    with pytest.raises(SourceAnswerError, match=f"more than {len(BUNDLE) - 1} bytes"):
        Parts(url=web.url).bundle(*PART, block=None)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "example.org", "http://", "http://[", "http://a:b", "ftp://a"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SourceAddressError):
        Parts(url=url).find(LABEL)


def test_nobody_listening_is_unreachable() -> None:
    with serving(Web()) as gone:
        url = gone.url

    with pytest.raises(SourceUnreachableError, match=r"127\.0\.0\.1 could not be reached"):
        Parts(url=url).find(LABEL)
    assert Chain(url=url).sighting(77) == Sighting(is_reached=False)


def test_a_secure_address_is_not_asked_in_the_clear(web: Web) -> None:
    with pytest.raises(SourceUnreachableError):
        Parts(url=web.url.replace("http:", "https:")).find(LABEL)
    assert web.asked == []


def test_the_own_node_sees_a_block(chain: Web) -> None:
    node = Chain(url=chain.url)

    assert node.sighting(77) == Sighting(
        is_reached=True, hash=BLOCK.hash, is_final=True, chain=CHAIN
    )
    assert node.sighting(78) == Sighting(is_reached=True, chain=CHAIN)
    assert node.final_block() == BLOCK


def test_a_node_without_final_blocks_calls_none_final(chain: Web) -> None:
    chain.results["eth_getBlockByNumber"] = lambda tag, full: (
        None if tag == "finalized" else blocks(tag, full)
    )

    assert Chain(url=chain.url).sighting(77) == Sighting(
        is_reached=True, hash=BLOCK.hash, chain=CHAIN
    )


def test_a_chain_is_pinned(chain: Web) -> None:
    pin = Chain(url=chain.url).pin(DIRECTORY, ChainClass.PUBLIC)

    assert (pin.chain_id, pin.genesis) == (HONEST.pin.chain_id, HONEST.pin.genesis)
    assert pin.chain_class is ChainClass.PUBLIC
    assert set(pin.contracts) == set(ContractName)
    assert pin.contracts[ContractName.DIRECTORY].address == DIRECTORY
    for name in set(ContractName) - {ContractName.DIRECTORY}:
        address = HONEST.pin.contracts[name].address
        assert pin.contracts[name].address == address
        assert pin.contracts[name].code_hash == keccak256(address)


@pytest.mark.parametrize("change", [{"eth_call": "0x"}, {"eth_getCode": "0x"}])
def test_a_directory_that_is_none_is_refused(chain: Web, change: dict[str, str]) -> None:
    chain.results |= change

    with pytest.raises(DirectoryMissingError):
        Chain(url=chain.url).pin(DIRECTORY, ChainClass.LOCAL)


@pytest.mark.parametrize(
    "change",
    [
        {"eth_chainId": None},
        {"eth_chainId": "seven"},
        {"eth_chainId": ValueError("no")},
        {"eth_call": 5},
        {"eth_getBlockByNumber": None},
        {"eth_getBlockByNumber": "block"},
        {"eth_getBlockByNumber": {"number": "0x0", "hash": "0x00", "timestamp": "0x0"}},
        {"eth_getBlockByNumber": {"number": "0x0", "timestamp": "0x0"}},
    ],
)
def test_a_chain_that_answers_nonsense_is_refused(chain: Web, change: dict[str, object]) -> None:
    chain.results |= change

    with pytest.raises(SourceAnswerError):
        Chain(url=chain.url).pin(DIRECTORY, ChainClass.LOCAL)


def test_a_chains_answer_that_is_no_json_is_refused(chain: Web) -> None:
    chain.raw = b"{"

    with pytest.raises(SourceAnswerError, match="cannot be read"):
        Chain(url=chain.url).final_block()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(SystemClock, "now", _now)
    monkeypatch.setenv("GUILDMARK_HOME", str(tmp_path))
    (tmp_path / "trust.json").write_bytes(trust_file.serialise(HONEST.trust()))
    return tmp_path


def _now(clock: SystemClock) -> int:
    return 3_000


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code


def link(web: Web, hint: str = "?p=1.103") -> str:
    return web.url + LABEL.removeprefix("https://id.example.org") + hint


def test_a_scanned_link_is_verified_at_the_block_of_the_trust_file(web: Web, folder: Path) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE)}

    assert run("verify", link(web)) == 0
    assert web.asked == [f"{PATH}?block=77", FOUND]


@pytest.mark.parametrize(
    ("time", "code"), [(LOOKED, 0), (LOOKED + 1, 0), (LOOKED - 1, 2), ("1970-01-01", 2)]
)
def test_a_part_is_verified_as_of_a_time(
    web: Web, folder: Path, time: int | str, code: int
) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE)}

    assert run("verify", link(web), "--as-of", str(time)) == code


def test_the_own_node_finds_the_block_of_a_time(chain: Web, folder: Path) -> None:
    times = {"finalized": 7, **{hex(number): number for number in range(8)}}
    chain.results["eth_getBlockByNumber"] = lambda tag, _: rpc_block(
        times[tag], HONEST.pin.genesis, 100 + 10 * times[tag]
    )
    node = Chain(url=chain.url)

    found = [node.block_by(time) for time in (99, 100, 109, 110, 165, 170, 999)]

    assert found == [None, 0, 0, 1, 6, 7, 7]
    chain.results["eth_getBlockByNumber"] = lambda *_: None
    assert node.block_by(100) is None


def test_a_node_that_lacks_a_block_below_its_newest_is_refused(chain: Web) -> None:
    chain.results["eth_getBlockByNumber"] = lambda tag, _: (
        rpc_block(7, HONEST.pin.genesis) if tag == "finalized" else None
    )

    with pytest.raises(SourceAnswerError, match="it lacks block"):
        Chain(url=chain.url).block_by(LOOKED)


def test_a_time_and_a_block_are_not_both_asked_for(chain: Web, folder: Path) -> None:
    words = ("verify", link(chain), "--as-of", str(LOOKED))

    assert run(*words, "--at", "77") == 2


def test_an_issuer_stands_for_those_of_the_list(web: Web, folder: Path) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE)}
    stranger = to_hex(bytes([7]) * 32)

    assert run("verify", link(web), "--issuer", to_hex(ISSUER)) == 0
    assert run("verify", link(web), "--issuer", stranger) == 16
    assert run("verify", link(web), "--issuer", stranger, "--issuer", to_hex(ISSUER)) == 0


def test_an_issuer_needs_a_trust_file(web: Web, empty: Path) -> None:
    assert run("verify", link(web), "--issuer", to_hex(ISSUER)) == 2


@dataclass(frozen=True)
class Claimed:
    """Two entries of one label: the part's own, and the one beside it."""

    own: bytes
    other: bytes

    @classmethod
    def make(cls, place: dict[str, Any], folder: Path) -> "Claimed":
        """Return both, and let the reader trust the block that they are proven under."""
        ours = Simulator()
        stand_beside(ours, other_entry(place))
        (other,) = ours.rivals
        ours.rivals = ()
        (folder / "trust.json").write_bytes(trust_file.serialise(ours.trust()))
        return cls(own=bundle.write(ours.evidence()), other=bundle.write(other))


ALONE = b'{"log":1,"index":103,"others":[]}'
BOTH = b'{"log":1,"index":103,"others":[{"log":1,"index":93}]}'
OTHER = "/v1/parts/1.93/bundle?block=77"


def test_an_earlier_entry_that_the_node_knows_is_looked_at(web: Web, folder: Path) -> None:
    claimed = Claimed.make(EARLIER, folder)
    web.pages = {f"{PATH}?block=77": (200, claimed.own), FOUND: (200, ALONE)}

    assert run("verify", link(web)) == 0
    web.pages |= {FOUND: (200, BOTH), OTHER: (200, claimed.other)}
    assert run("verify", link(web)) == 19
    assert run("verify", "1.103", "--node", web.url) == 19


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, 3), (409, 0), (410, 3), (503, 3)],
)
def test_an_entry_that_the_node_names_and_does_not_give_out_is_told(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    claimed = Claimed.make(EARLIER, folder)
    web.pages = {f"{PATH}?block=77": (200, claimed.own), FOUND: (200, BOTH), OTHER: (status, b"")}

    assert run("verify", link(web), "--json") == code
    told = json.loads(capsys.readouterr().out)
    place = told["checks"][3]
    assert place["state"] == ("ok" if code == 0 else "unknown")
    assert place.get("code") == (None if code == 0 else "verify.labelSourceSilent")
    said = [place["reason"], *told["notes"]]
    assert any("1.93" in one or "did not give out" in one for one in said)


@pytest.mark.parametrize(("others", "code"), [(ENTRIES_MAX, 0), (ENTRIES_MAX + 1, 23)])
def test_more_entries_than_are_looked_at_are_told(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], others: int, code: int
) -> None:
    claimed = Claimed.make(LATER, folder)
    named = [{"log": 1, "index": 200 + at} for at in range(others)]
    answer = {"log": 1, "index": 103, "others": named}
    web.pages = {f"{PATH}?block=77": (200, claimed.own), FOUND: (200, json.dumps(answer).encode())}
    web.pages |= {
        f"/v1/parts/1.{one['index']}/bundle?block=77": (200, claimed.other) for one in named
    }

    assert run("verify", link(web), "--json") == code
    told = json.loads(capsys.readouterr().out)
    assert told["checks"][3].get("code") == ("verify.labelEntriesBeyond" if code else None)
    assert len(web.asked) == ENTRIES_MAX + 2


def test_a_file_is_compared_with_what_a_named_node_knows(web: Web, folder: Path) -> None:
    claimed, file = Claimed.make(EARLIER, folder), folder / "part.zip"
    file.write_bytes(claimed.own)
    web.pages = {FOUND: (200, BOTH), OTHER: (200, claimed.other)}

    assert run("verify", file) == 0
    assert run("verify", file, "--node", web.url, "--offline") == 0
    assert web.asked == []
    assert run("verify", file, "--node", web.url) == 19


def test_bundles_are_compared_by_hand(folder: Path) -> None:
    claimed = Claimed.make(EARLIER, folder)
    own, other = (folder / name for name in ("own.zip", "other.zip"))
    own.write_bytes(claimed.own)
    other.write_bytes(claimed.other)

    assert run("verify", own, "--beside", other) == 19
    assert run("verify", other, "--beside", own, "--offline") == 0


def test_what_cannot_be_held_beside_the_part_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = Claimed.make(EARLIER, folder)
    own, other, none = (folder / name for name in ("own.zip", "other.zip", "none.zip"))
    own.write_bytes(claimed.own)
    none.write_bytes(b"no bundle")
    foreign = Simulator(statement={"label": LABEL.replace("00025", "00026")}, record=EARLIER)
    other.write_bytes(bundle.write(foreign.evidence()))

    assert run("verify", own, "--beside", other) == 0
    assert f"Did not compare with {other}: it is about another label." in capsys.readouterr().out
    assert run("verify", own, "--beside", other, "--beside", none, "--json") == 14
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == "verify.besideUnread"
    assert told["reason"].startswith(f"{none} is no bundle that can be read.")

    opened = Path.open

    def refuse(path: Path, *mode: Any) -> Any:
        if path == none:
            raise PermissionError(13, "no")
        return opened(path, *mode)

    monkeypatch.setattr(Path, "open", refuse)
    assert run("verify", own, "--beside", none, "--json") == 14
    assert json.loads(capsys.readouterr().out)["reason"] == f"{none} cannot be read."


def test_a_node_that_gives_out_junk_for_another_entry_is_named(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claimed = Claimed.make(EARLIER, folder)
    web.pages = {f"{PATH}?block=77": (200, claimed.own), FOUND: (200, BOTH), OTHER: (200, b"junk")}

    assert run("verify", link(web), "--json") == 14
    assert f"1.93 at {web.url} is no bundle" in capsys.readouterr().out


def test_a_bundle_of_another_block_is_judged_by_that_block(
    chain: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, other = Simulator(), other_entry(EARLIER)
    stand_beside(ours, other)
    ours.rivals, other.block = (), 78
    own, file, headless = (folder / name for name in ("own.zip", "other.zip", "headless.zip"))
    shown, block = other.evidence(), other.trust().blocks[0]
    own.write_bytes(bundle.write(ours.evidence()))
    file.write_bytes(bundle.write(shown))
    headless.write_bytes(bundle.write(replace(shown, chain=replace(shown.chain, header=b""))))
    (folder / "trust.json").write_bytes(trust_file.serialise(ours.trust()))

    def known(tag: str, full: bool) -> dict[str, str] | None:
        later = rpc_block(block.number, block.hash)
        return later if tag in {hex(block.number), "finalized"} else blocks(tag, full)

    chain.results["eth_getBlockByNumber"] = known
    assert run("verify", own, "--beside", file) == 0
    assert "Could not compare with 1.93" in capsys.readouterr().out
    assert run("verify", own, "--beside", file, "--rpc", chain.url) == 19
    assert run("verify", own, "--beside", headless, "--rpc", chain.url) == 0
    trust = ours.trust().with_block(block)
    (folder / "trust.json").write_bytes(trust_file.serialise(trust))
    assert run("verify", own, "--beside", file, "--offline") == 19


@pytest.mark.parametrize("answer", [(200, ALONE), (404, b"")])
def test_a_node_that_knows_no_other_entry_takes_nothing_from_a_part(
    web: Web, folder: Path, answer: tuple[int, bytes]
) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE), FOUND: answer}

    assert run("verify", link(web)) == 0


@pytest.mark.parametrize("answer", [(200, b"{}"), (409, b""), (503, b"")])
def test_a_node_that_does_not_say_who_else_claims_the_label_leaves_it_open(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], answer: tuple[int, bytes]
) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE), FOUND: answer}

    assert run("verify", link(web), "--json") == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["failed"]) == ("uncheckable", [])
    assert told["checks"][3]["code"] == "verify.labelSourceSilent"
    assert told["checks"][3]["reason"].startswith(f"{web.url} did not give out")


def test_nothing_is_asked_about_a_label_that_cannot_be_read(web: Web, folder: Path) -> None:
    unread = bundle.write(Simulator(envelope=b"{}").evidence())
    web.pages = {f"{PATH}?block=77": (200, unread)}

    assert run("verify", link(web)) != 0
    assert web.asked == [f"{PATH}?block=77"]


def test_nothing_is_asked_at_a_block_that_is_none(web: Web, folder: Path) -> None:
    evidence = HONEST.evidence()
    headless = bundle.write(replace(evidence, chain=replace(evidence.chain, header=b"")))
    web.pages = {f"{PATH}?block=77": (200, headless)}

    assert run("verify", link(web)) == 16
    assert web.asked == [f"{PATH}?block=77"]


def test_a_link_without_a_position_is_searched(web: Web, folder: Path) -> None:
    at_node = quote(LABEL.replace("id.example.org", web.url.removeprefix("http://")), safe="")
    web.pages = {
        f"/v1/parts?label={at_node}": (200, b'{"log":1,"index":103,"others":[]}'),
        f"{PATH}?block=5": (200, BUNDLE),
    }

    assert run("verify", link(web, ""), "--at", "5") == 0


def test_a_position_is_verified_on_the_node_that_is_named(web: Web, folder: Path) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE)}

    assert run("verify", "1.103", "--node", web.url) == 0


def test_a_link_to_another_part_is_not_in_its_place(web: Web, folder: Path) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE)}

    assert run("verify", link(web).replace("00025", "00026")) == 19


def test_the_own_node_brings_the_block(chain: Web, folder: Path) -> None:
    trust = replace(HONEST.trust(), blocks=())
    (folder / "trust.json").write_bytes(trust_file.serialise(trust))
    chain.pages = {PATH: (200, BUNDLE)}

    assert run("verify", link(chain)) == 23
    assert run("verify", link(chain), "--rpc", chain.url) == 0


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (404, 11, "notFound"),
        (409, 17, "uncheckable"),
        (410, 23, "uncheckable"),
        (503, 3, "uncheckable"),
    ],
)
def test_without_a_bundle_there_is_a_verdict_too(
    web: Web,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    status: int,
    code: int,
    verdict: str,
) -> None:
    web.pages = {f"{PATH}?block=77": (status, b"")}

    assert run("verify", link(web), "--json") == code
    shown = json.loads(capsys.readouterr().out)
    assert (shown["verdict"], shown["exit"], shown["checks"]) == (verdict, code, [])
    assert run("verify", link(web)) == code


def test_an_erased_part_is_said_to_be_withheld(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web.pages = {f"{PATH}?block=77": (410, b"")}

    run("verify", link(web), "--json")

    told = json.loads(capsys.readouterr().out)
    assert told["headline"].startswith("Withheld (erased)")
    assert told["fault"]["code"] == "source.erased"


def test_a_label_that_nobody_knows_is_not_found(web: Web, folder: Path) -> None:
    assert run("verify", link(web, "")) == 11


def test_offline_asks_nobody(chain: Web, folder: Path) -> None:
    (folder / "part.zip").write_bytes(BUNDLE)
    trust = replace(HONEST.trust(), blocks=())
    (folder / "trust.json").write_bytes(trust_file.serialise(trust))

    assert run("verify", folder / "part.zip", "--offline", "--rpc", chain.url) == 23
    assert chain.asked == []


def init(chain: Web, *words: str) -> int:
    return run("trust", "init", "--rpc", chain.url, "--directory", to_hex(DIRECTORY), *words)


@pytest.fixture
def empty(folder: Path) -> Path:
    (folder / "trust.json").unlink()
    return folder / "trust.json"


def test_a_trust_file_is_made_and_closed(chain: Web, empty: Path) -> None:
    assert init(chain, "--class", "consortium", "--operator", to_hex(OPERATOR)) == 0
    assert run("trust", "close", "--rpc", chain.url) == 0

    made = trust_file.parse(empty.read_bytes())

    assert made.chain.chain_class is ChainClass.CONSORTIUM
    assert [each.id for each in made.operators] == [OPERATOR]
    assert made.blocks == (BLOCK,)


def test_a_trust_file_is_not_overwritten(chain: Web, empty: Path) -> None:
    assert init(chain) == 0
    before = empty.read_bytes()

    assert init(chain, "--operator", to_hex(OPERATOR)) == 1
    assert empty.read_bytes() == before


def test_a_block_is_believed_by_its_number(
    chain: Web, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(chain)

    assert run("trust", "close", "--rpc", chain.url, "--block", "77", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"number": 77, "hash": to_hex(BLOCK.hash), "time": LOOKED}


@pytest.mark.parametrize("number", ["78", "5"])
def test_a_block_that_is_not_final_is_not_believed(chain: Web, empty: Path, number: str) -> None:
    init(chain)

    assert run("trust", "close", "--rpc", chain.url, "--block", number) == 17


def test_a_node_without_a_final_block_closes_nothing(chain: Web, empty: Path) -> None:
    init(chain)
    chain.results["eth_getBlockByNumber"] = lambda tag, full: (
        None if tag == "finalized" else blocks(tag, full)
    )

    assert run("trust", "close", "--rpc", chain.url) == 17


def test_a_node_of_another_chain_closes_nothing(chain: Web, empty: Path) -> None:
    init(chain)
    chain.results["eth_chainId"] = "0x1"

    assert run("trust", "close", "--rpc", chain.url) == 16


def test_a_second_block_of_a_number_is_not_believed(chain: Web, empty: Path) -> None:
    init(chain)
    made = trust_file.parse(empty.read_bytes())
    other = TrustedBlock(number=77, hash=sha256(b"other"), time=LOOKED)
    empty.write_bytes(trust_file.serialise(made.with_block(other)))

    assert run("trust", "close", "--rpc", chain.url) == 2


def test_parties_are_added_and_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = to_hex(sha256(b"new"))

    added = run(
        "trust", "add", "--issuer", new, "--name", "New", "--from", "5", "--to", "1970-01-02"
    )
    shown_code = run("trust", "show", "--json")

    assert (added, shown_code) == (0, 0)
    shown = json.loads(capsys.readouterr().out)
    assert shown["issuers"][-1] == {"id": new, "name": "New", "from": 5, "to": 86400}
    assert len(shown["operators"]) == 1
    assert shown["required"] == [f"({number})" for number in (*range(11), 12)]


def test_a_trust_file_is_shown_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("trust", "show") == 0
    assert "consortium" in capsys.readouterr().out


def test_a_trust_file_that_is_not_there_is_named(
    empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("trust", "show", "--json") == 4
    assert json.loads(capsys.readouterr().out)["code"] == "trust.missing"
    assert run("trust", "add", "--operator", to_hex(OPERATOR)) == 4


def test_a_trust_file_that_cannot_be_read_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("trust", "show", "--trust", folder, "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == "trust.unreadable"


@pytest.fixture
def own(web: Web) -> Web:
    """Return the reader's own node, at a block where nothing is said against the part."""
    stand(web, Simulator(block=80), Simulator(block=84))
    return web


def stand(web: Web, final: Simulator, latest: Simulator) -> None:
    known = {"finalized": final, "latest": latest, hex(latest.block): latest} | {
        hex(final.block): final
    }

    def block(tag: str, full: bool) -> dict[str, str] | None:
        return rpc_header(known[tag]) if tag in known else blocks(tag, full)

    web.results = {
        "eth_chainId": hex(HONEST.pin.chain_id),
        "eth_getBlockByNumber": block,
        "eth_getProof": lambda address, slots, tag: rpc_proof(known[tag], address, slots),
    }


def test_a_file_is_asked_anew_at_the_readers_own_node(
    own: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "part.zip"
    file.write_bytes(BUNDLE)

    assert run("verify", file, "--rpc", own.url) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  state     as of block 80 (") for line in lines)
    assert lines[-1].startswith("  newest    bad news looked for up to block 84 (")

    voided = Simulator(block=84)
    voided.words[storage.FATES.at(*PART)] = storage.VOIDED
    stand(own, Simulator(block=80), voided)
    assert run("verify", file, "--rpc", own.url, "--json") == 19
    told = json.loads(capsys.readouterr().out)
    assert told["failed"][0] == {"check": 4, "code": "verify.partVoided"}
    assert (told["asOf"]["block"], told["newest"]["block"]) == (80, 84)
    assert run("verify", file, "--rpc", own.url, "--offline") == 0


def test_a_bundle_is_renewed_beside_the_old_one(
    own: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, renewed = folder / "part.zip", folder / "part.80.zip"
    file.write_bytes(BUNDLE)

    assert run("bundle", "renew", file, "--rpc", own.url, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["before"], told["block"]) == (str(renewed), 77, 80)
    assert told["verdict"].startswith("Verified")
    assert told["sha256"] == sha256(renewed.read_bytes()).hex()
    assert file.read_bytes() == BUNDLE
    # A list that believes the newer block alone: no connection is needed.
    block = decode_header(bundle.read(renewed.read_bytes()).chain.header)
    believed = TrustedBlock(number=block.number, hash=block.hash, time=block.time)
    trust = folder / "newer.json"
    trust.write_bytes(trust_file.serialise(replace(HONEST.trust(), blocks=(believed,))))
    assert run("verify", renewed, "--trust", trust, "--offline") == 0
    assert run("verify", file, "--trust", trust, "--offline") == 23
    assert run("bundle", "renew", file, "--rpc", own.url, "--out", file) == 1
    assert run("bundle", "renew", file, "--rpc", own.url) == 1
    assert file.read_bytes() == BUNDLE


def test_what_would_say_less_is_not_written(
    own: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = folder / "part.zip", folder / "new.zip"
    file.write_bytes(BUNDLE)
    command = ("bundle", "renew", file, "--rpc", own.url, "--out", out, "--json")

    voided = Simulator(block=84)
    voided.words[storage.FATES.at(*PART)] = storage.VOIDED
    stand(own, Simulator(block=80), voided)
    codes = [run(*command)]
    stand(own, Simulator(), Simulator(block=84))
    codes.append(run(*command))
    own.results["eth_chainId"] = "0x5"
    codes.append(run(*command))
    missing = run("bundle", "renew", folder / "none.zip", "--rpc", own.url)

    said = [json.loads(line)["code"] for line in capsys.readouterr().out.splitlines()]
    assert said == ["bundle.notBetter", "bundle.notNewer", "bundle.otherChain"]
    assert (codes, missing) == ([23, 17, 16], 2)
    assert list(folder.glob("new*")) == []


def test_a_node_that_is_away_is_told_and_the_bundle_answers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "part.zip"
    file.write_bytes(BUNDLE)
    with serving(Web()) as gone:
        url = gone.url

    assert run("verify", file, "--rpc", url) == 0
    out = capsys.readouterr().out
    assert "Could not check the newest state, only that of the bundle." in out
    assert "  state     as of block 77 (" in out
    assert "newest    bad news" not in out


@pytest.mark.parametrize(
    "change",
    [
        {"eth_getBlockByNumber": None},
        {"eth_getBlockByNumber": {"number": "0x60", "hash": "0x" + "11" * 32}},
        {"eth_getProof": None},
        {"eth_getProof": ValueError("missing trie node")},
        {"eth_getProof": {"accountProof": []}},
        {"eth_getProof": {"storageProof": "none"}},
    ],
)
def test_a_node_that_proves_nothing_is_told(
    own: Web, folder: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    file, usual = folder / "part.zip", own.results["eth_getBlockByNumber"]
    file.write_bytes(BUNDLE)
    if "eth_getBlockByNumber" in change:
        wrong = change["eth_getBlockByNumber"]
        change = {
            "eth_getBlockByNumber": lambda tag, full: usual(tag, full) if tag == "0x0" else wrong
        }
    elif isinstance(change["eth_getProof"], dict):
        missing = change["eth_getProof"]
        change = {
            "eth_getProof": lambda address, slots, tag: (
                rpc_proof(Simulator(block=int(tag, 16)), address, slots) | missing
            )
        }
    own.results |= change

    assert run("verify", file, "--rpc", own.url) == 0
    assert "Could not check the newest state" in capsys.readouterr().out


def test_many_slots_are_asked_for_in_parts(own: Web) -> None:
    slots = [bytes([at]) * 32 for at in range(130)]
    calls: list[int] = []

    def proof(address: str, wanted: list[str], tag: str) -> dict[str, Any]:
        calls.append(len(wanted))
        return rpc_proof(Simulator(block=84), address, wanted)

    own.results["eth_getProof"] = proof

    shown = Chain(url=own.url).proof(
        HONEST.pin, 84, {ContractName.PARTS: slots, ContractName.LOG: []}
    )

    assert calls == [64, 64, 2, 0]
    assert [one.slot for one in shown[ContractName.PARTS].slots] == slots
    assert shown[ContractName.LOG].slots == ()


def listing(folder: Path, simulator: Simulator, **more: Any) -> None:
    listed = replace(simulator.trust(), inspectors=(Listed(id=INSPECTOR),), **more)
    (folder / "trust.json").write_bytes(trust_file.serialise(listed))


ASKED = f"{PATH}?block=77&inspectors={to_hex(INSPECTOR)}"


def test_a_named_node_is_asked_for_inspections_that_the_file_leaves_out(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, whole = folder / "part.zip", Simulator()
    Inspecting(simulator=whole, said={"result": Result.FAILED}).show()
    lean = replace(whole.evidence(), disclosed=whole.make_disclosures())
    lean = replace(lean, disclosed=replace(lean.disclosed, inspections=()))
    file.write_bytes(bundle.write(lean))
    listing(folder, whole)
    web.pages = {ASKED: (200, bundle.write(whole.evidence())), FOUND: (200, ALONE)}

    assert run("verify", file) == 0
    assert "Only the 0 inspections in the bundle were looked at" in capsys.readouterr().out
    assert run("verify", file, "--node", web.url, "--json") == 15
    told = json.loads(capsys.readouterr().out)
    assert told["failed"] == [{"check": 8, "code": "verify.inspectionFailed"}]
    assert run("verify", link(web)) == 15
    assert "Only the" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "note"),
    [
        (404, ""),
        (409, "did not say how"),
        (410, "did not say how"),
        (503, "did not say how"),
    ],
)
def test_a_node_that_says_nothing_of_inspections_is_told(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], status: int, note: str
) -> None:
    file = folder / "part.zip"
    file.write_bytes(BUNDLE)
    listing(folder, HONEST)
    web.pages = {ASKED: (status, b""), FOUND: (200, ALONE)}

    assert run("verify", file, "--node", web.url) == 0
    out = capsys.readouterr().out
    assert note in out
    assert "Only the 0 inspections in the bundle were looked at" in out


def test_an_export_names_whom_a_list_names(web: Web, folder: Path) -> None:
    authority, out = Listed(id=identity("authority")), folder / "out.zip"
    listing(folder, HONEST, authorities=(authority,))
    named = (
        f"authorities={to_hex(authority.id)}&issuers={to_hex(ISSUER)}"
        f"&inspectors={to_hex(INSPECTOR)}"
    )
    web.pages = {f"{PATH}?{named}": (200, BUNDLE), f"{PATH}?block=77&{named}": (200, BUNDLE)}
    words = ("bundle", "export", "1.103", "--node", web.url, "--trust", folder / "trust.json")

    assert run(*words, "--out", out) == 0
    assert run(*words, "--out", folder / "at.zip", "--block", "77") == 0
    assert out.read_bytes() == BUNDLE


def test_an_export_for_too_long_a_list_is_refused(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = tuple(Listed(id=identity(f"{number}")) for number in range(17))
    listing(folder, HONEST, authorities=many)
    words = ("bundle", "export", "1.103", "--node", web.url, "--out", folder / "out.zip")

    assert run(*words, "--trust", folder / "trust.json", "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == "bundle.choiceTooLong"
    assert web.asked == []


PARTS = to_hex(HONEST.pin.contracts[ContractName.PARTS].address)
TOKEN = f"eip155:{HONEST.pin.chain_id}/erc721:{PARTS}/{PART[0] << 64 | PART[1]}"


@pytest.mark.parametrize("token", [TOKEN, TOKEN.replace(PARTS, "0x" + PARTS[2:].upper())])
def test_a_part_is_found_by_its_token(web: Web, folder: Path, token: str) -> None:
    web.pages = {f"{PATH}?block=77": (200, BUNDLE)}

    assert run("verify", token, "--node", web.url) == 0


@pytest.mark.parametrize(
    ("token", "said", "code"),
    [
        (TOKEN.replace("eip155:", "eip155:1"), "verify.tokenElsewhere", 16),
        (TOKEN.replace(PARTS, "0x" + "11" * 20), "verify.tokenElsewhere", 16),
        (TOKEN[: TOKEN.rindex("/")] + f"/{1 << 128}", "id.malformedPart", 2),
        (TOKEN + "x", "typed.tokenMalformed", 2),
    ],
    ids=["chain", "contract", "number", "form"],
)
def test_a_token_that_is_no_parts_is_refused(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], token: str, said: str, code: int
) -> None:
    assert run("verify", token, "--node", web.url, "--json") == code
    assert web.asked == []
    told = capsys.readouterr()
    assert said in told.out + told.err


def test_without_a_trust_file_a_token_names_a_place_alone(web: Web, folder: Path) -> None:
    (folder / "trust.json").unlink()
    web.pages = {PATH: (200, BUNDLE)}

    assert run("verify", TOKEN.replace(PARTS, "0x" + "11" * 20), "--node", web.url) == 16


PUBLISHED = "/.well-known/guildmark-trust.json"


@pytest.fixture
def publishing(web: Web, folder: Path) -> Web:
    (folder / "trust.json").unlink()
    web.pages = {PUBLISHED: (200, trust_file.serialise(HONEST.trust()))}
    return web


def answering(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(text))


def test_a_published_list_is_taken_after_it_was_shown(
    publishing: Web,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering(monkeypatch, "y\n")

    assert run("trust", "take", publishing.url) == 0
    told = capsys.readouterr()
    assert to_hex(OPERATOR) in told.out
    assert "Believe these, as the host does?" in told.err
    assert trust_file.parse((folder / "trust.json").read_bytes()) == HONEST.trust()
    assert run("trust", "take", publishing.url, "--yes") != 0
    assert "trust.exists" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "code"), [("n\n", 130), ("", 130)])
def test_a_list_that_is_declined_is_not_taken(
    publishing: Web, folder: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    answering(monkeypatch, typed)

    assert run("trust", "take", publishing.url) == code
    assert not (folder / "trust.json").exists()


def test_a_program_takes_a_list_without_being_asked(
    publishing: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("trust", "take", publishing.url, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["chain"] == HONEST.pin.chain_id
    assert (folder / "trust.json").exists()


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (None, "trust.unpublished"),
        ((200, b"{}"), "trust.malformed"),
        ((200, b" " * ((1 << 20) + 1)), "source.answerInvalid"),
    ],
    ids=["none", "malformed", "too long"],
)
def test_what_is_no_list_is_refused(
    publishing: Web,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    page: tuple[int, bytes] | None,
    said: str,
) -> None:
    publishing.pages = {} if page is None else {PUBLISHED: page}

    assert run("trust", "take", publishing.url, "--yes") != 0
    assert said in capsys.readouterr().err
    assert not (folder / "trust.json").exists()


@pytest.mark.parametrize("url", ["http://node.example.org", "http://10.0.0.1:8480"])
def test_no_list_is_taken_that_could_be_changed_on_its_way(
    folder: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert run("trust", "take", url, "--yes") == 2
    assert "source.insecure" in capsys.readouterr().err
