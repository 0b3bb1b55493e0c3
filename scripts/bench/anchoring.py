"""P11: what a record asks of the chain's writer: HTTP requests, and its own time on a core."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

from bench.chain import open_chain
from bench.rows import Better, Judged, Metric, Round, Row, Target
from guildmark.adapters.chain.artifacts import load
from guildmark.adapters.chain.opening import open_ledger, open_outbox
from guildmark.adapters.chain.proxy import FUND
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.store.engine import open_database
from guildmark.bootstrap import Home
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, Digest, LogNumber, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.chain import Call, TransactionState
from guildmark.ports.keys import KeyName

_ACCOUNT = KeyName("account")
_RIVAL = sha256(b"rival")
# A local chain's clock may lead by 120 s, a block each: beyond it a record would wait for a second.
_RECORDS, _PEER_RECORDS = 12, 6
_GAS = 150_000
_PEER = "web3's transact, its account's key in the process"

_REQUESTS = Metric(
    id="P11.requests",
    text="HTTP requests that sign and send a record",
    unit="requests",
    against=_PEER,
    target=Target(of=Judged.OURS, bound=1),
)
_TIME = Metric(
    id="P11.x_cpu",
    text="records signed, stored and sent in a second of the writer's own time",
    unit="records/s",
    against=_PEER,
    better=Better.HIGHER,
    target=Target(of=Judged.RATIO, bound=10),
)


@dataclass(slots=True)
class Wire:
    """A door before a chain's node that counts what comes through."""

    url: str = ""
    requests: int = 0


@dataclass(slots=True, kw_only=True)
class Line:
    """A log and what appends a record to it.

    Args:
        append: Sends the record of an entry, named by its place, and says whether it stands.
        next: The place of the next record.
    """

    log: LogNumber
    append: Callable[[LogNumber, int], Callable[[], bool]]
    next: int = 0

    def timed(self, count: int, wire: Wire) -> "_Used":
        """Append records and return what one of them took."""
        before, started = wire.requests, time.thread_time()
        sent = [self.append(self.log, self.next + number) for number in range(count)]
        seconds, requests = time.thread_time() - started, wire.requests - before
        self.next += count
        stand = all(stands() for stands in sent)
        return _Used(requests=requests / count, a_second=count / seconds, all_stand=stand)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Used:
    """What a record took, and whether all of them stand on chain as they were meant."""

    requests: float
    a_second: float
    all_stand: bool


def measure(rounds: int) -> Sequence[Row]:
    """Append records to one log as a node does, and to another one as web3 does."""
    with open_chain("anchoring", [_ACCOUNT]) as home, _counted(home.settings.chain.url) as wire:
        ours, peer = _lines(home, wire)
        # Whoever begins has to learn of the chain first, on both sides.
        ours.timed(1, wire)
        peer.timed(1, wire)
        found = [
            (ours.timed(_RECORDS, wire), peer.timed(_PEER_RECORDS, wire)) for _ in range(rounds)
        ]
    return [
        _row(_REQUESTS, [(mine, theirs, "requests") for mine, theirs in found]),
        _row(_TIME, [(mine, theirs, "a_second") for mine, theirs in found]),
    ]


def _row(metric: Metric, found: Sequence[tuple[_Used, _Used, str]]) -> Row:
    rounds = [
        Round(
            ours=getattr(mine, name),
            reference=getattr(theirs, name),
            same_answer=mine.all_stand and theirs.all_stand,
        )
        for mine, theirs, name in found
    ]
    return Row(metric=metric, rounds=rounds)


def _lines(home: Home, wire: Wire) -> tuple[Line, Line]:
    operator = home.identities(_ACCOUNT).register(IdentityKind.ORGANIZATION, {"name": "Operator"})
    rival = Account.from_key(_RIVAL)
    address = Address(bytes.fromhex(rival.address[2:]))
    with Rpc(url=home.settings.chain.url) as rpc:
        rpc.call(FUND, to_hex(address))
    logs = home.logs(_ACCOUNT)
    mine, theirs = (logs.open(operator, one) for one in (home.keys.address(_ACCOUNT), address))
    return Line(log=mine, append=_outbox(home, wire)), Line(log=theirs, append=_web3(home, wire))


def _outbox(home: Home, wire: Wire) -> Callable[[LogNumber, int], Callable[[], bool]]:
    """Return what appends by an outbox as a node's, over the door that counts."""
    chain = home.settings.chain
    ledger = open_ledger(
        wire.url,
        chain_id=chain.chain_id,
        genesis=chain.genesis,
        chain_class=chain.chain_class,
        directory=chain.directory,
        finality=chain.finality,
    )
    engine = open_database(home.settings.home / "outbox.db")
    outbox = open_outbox(engine, ledger=ledger, keys=home.keys, clock=SystemClock())

    def append(log: LogNumber, seq: int) -> Callable[[], bool]:
        args = (log, seq, 1, _root(seq), ())
        call = Call(contract=ContractName.LOG, function="append", args=args, gas=_GAS)
        sent = outbox.submit(call, key=_ACCOUNT, idempotency=f"append:{seq}")

        def stands() -> bool:
            status = outbox.status(sent)
            is_final = status.state is TransactionState.FINAL and status.code is None
            return is_final and status.event("RecordAppended").args["record"]["root"] == _root(seq)

        return stands

    return append


def _web3(home: Home, wire: Wire) -> Callable[[LogNumber, int], Callable[[], bool]]:
    """Return what appends as web3's documentation does it, over the door that counts."""
    account = Account.from_key(_RIVAL)
    web3 = Web3(HTTPProvider(wire.url))
    web3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    place = home.ledger.pin().contracts[ContractName.LOG].address
    contract = web3.eth.contract(
        Web3.to_checksum_address(place), abi=list(load(ContractName.LOG).abi)
    )

    def append(log: LogNumber, seq: int) -> Callable[[], bool]:
        called = contract.functions.append(log, seq, 1, _root(seq), [])
        sent = called.transact({"from": account.address})

        def stands() -> bool:
            receipt = web3.eth.wait_for_transaction_receipt(sent)
            (event,) = contract.events.RecordAppended().process_receipt(receipt)
            return bool(event["args"]["record"]["root"] == _root(seq))

        return stands

    return append


def _root(seq: int) -> Digest:
    return sha256(b"%d" % seq)


@contextmanager
def _counted(url: str) -> Iterator[Wire]:
    """Open a door before a node, in threads of its own: their time is not the writer's."""
    wire, upstream = Wire(), urlsplit(url)

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            wire.requests += 1
            body = self.rfile.read(int(self.headers["content-length"]))
            node = HTTPConnection(str(upstream.hostname), upstream.port)
            node.request("POST", "/", body, {"content-type": "application/json"})
            answer = node.getresponse().read()
            node.close()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    wire.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
