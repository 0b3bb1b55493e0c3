"""P5: the index made anew from the chain's events, against the bare answer of `eth_getLogs`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from web3 import HTTPProvider, Web3

from bench.chain import open_chain
from bench.rows import Better, Judged, Metric, Round, Row, Target
from guildmark.adapters.chain.artifacts import load
from guildmark.adapters.chain.codec import function
from guildmark.adapters.chain.eip1559 import Fees, Transaction
from guildmark.adapters.chain.fees import suggested
from guildmark.adapters.chain.rpc import Request, Rpc
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.bootstrap import Home
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest, LogNumber, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.chain import Call
from guildmark.ports.keys import KeyName
from guildmark.services.index.indexing import Indexing

_OPERATOR, _WRITER = KeyName("operator"), KeyName("writer")
_EVENTS, _A_BLOCK = 10_000, 200
_GAS = 150_000
_TEXT = "the index made anew from 10,000 events, 200 a block, headers and receipts hashed"

_RAW = Metric(
    id="P5",
    text=_TEXT,
    unit="events/s",
    against="the bytes of eth_getLogs for the same blocks, not read",
    better=Better.HIGHER,
    target=Target(of=Judged.RATIO, bound=0.4),
)
_PEER = Metric(
    id="P5.x_web3",
    text=_TEXT,
    unit="events/s",
    against="web3's get_logs, decoded, kept nowhere",
    better=Better.HIGHER,
    target=Target(of=Judged.RATIO, bound=30),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What one way of reading the log gave: its rate, and the roots that it saw, in order."""

    rate: float
    roots: Sequence[bytes]


def measure(rounds: int) -> Sequence[Row]:
    """Fill a local chain with records, and read all of them in three ways."""
    with open_chain("rebuilding", [_OPERATOR, _WRITER]) as home:
        log = _filled(home)
        head = home.ledger.head(final=True).number
        found = [(_indexed(home, log), _raw(home, head), _web3(home, head)) for _ in range(rounds)]
    expected = [_root(seq) for seq in range(_EVENTS)]
    return [
        Row(
            metric=metric,
            rounds=[
                Round(
                    ours=one[0].rate,
                    reference=one[at].rate,
                    same_answer=one[0].roots == expected == one[2].roots,
                )
                for one in found
            ],
        )
        for at, metric in ((1, _RAW), (2, _PEER))
    ]


def _filled(home: Home) -> LogNumber:
    """Put records on chain, many a block, past any outbox."""
    operator = home.identities(_OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "Operator"})
    log = home.logs(_OPERATOR).open(operator, home.keys.address(_WRITER))
    with Rpc(url=home.settings.chain.url) as rpc:
        fees = suggested(rpc)
        for first in range(0, _EVENTS, _A_BLOCK):
            numbers = range(first, first + _A_BLOCK)
            rpc.batch([_sending(home, log, number, fees) for number in numbers])
    return log


def _sending(home: Home, log: LogNumber, seq: int, fees: Fees) -> Request:
    call = Call(contract=ContractName.LOG, function="append", args=(log, seq, 1, _root(seq), ()))
    pin = home.ledger.pin()
    transaction = Transaction(
        chain_id=pin.chain_id,
        nonce=seq,
        fees=fees,
        gas=_GAS,
        to=pin.contracts[ContractName.LOG].address,
        data=function(call).encode(call.args),
    )
    signature = home.keys.sign_digest(_WRITER, transaction.digest())
    return "eth_sendRawTransaction", [to_hex(transaction.signed(signature))]


def _indexed(home: Home, log: LogNumber) -> _Told:
    """Make the index anew in an empty database, as a node does, and read the records from it."""
    path = home.settings.home / "anew.db"
    path.unlink(missing_ok=True)
    engine = open_database(path)
    store = SqlNodeStore(engine)
    indexing = Indexing(ledger=home.ledger, store=store, naming=home.naming)
    started = time.perf_counter()
    indexing.follow()
    took = time.perf_counter() - started
    with store.reading() as view:
        roots = [fact.record.root for fact in view.facts.each(RecordFact, log)]
    engine.dispose()
    return _Told(rate=len(roots) / took, roots=roots)


def _raw(home: Home, head: int) -> _Told:
    """Ask for the logs of the same blocks, and read nothing of them but that they came."""
    place = to_hex(home.ledger.pin().contracts[ContractName.LOG].address)
    filtered = {"fromBlock": "0x0", "toBlock": hex(head), "address": place}
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [filtered]}
    with httpx.Client() as client:
        started = time.perf_counter()
        answer = client.post(home.settings.chain.url, json=body).content
        took = time.perf_counter() - started
    # The log's opening is one more event of that contract.
    return _Told(rate=(answer.count(b"transactionHash") - 1) / took, roots=())


def _web3(home: Home, head: int) -> _Told:
    place = home.ledger.pin().contracts[ContractName.LOG].address
    web3 = Web3(HTTPProvider(home.settings.chain.url))
    contract = web3.eth.contract(
        Web3.to_checksum_address(place), abi=list(load(ContractName.LOG).abi)
    )
    started = time.perf_counter()
    found = contract.events.RecordAppended().get_logs(from_block=0, to_block=head)
    took = time.perf_counter() - started
    roots = [bytes(event["args"]["record"]["root"]) for event in found]
    return _Told(rate=len(roots) / took, roots=roots)


def _root(seq: int) -> Digest:
    return sha256(b"%d" % seq)
