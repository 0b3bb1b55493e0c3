"""Alarms: what an operator must look at now, each with the command that mends it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.errors import ConflictError, GuildmarkError, NetworkError, NotFinalError
from guildmark.domain.identifiers import Address, to_hex
from guildmark.domain.trust import Trust, TrustFileError
from guildmark.ports.chain import Ledger, Vitals
from guildmark.ports.clock import Clock
from guildmark.ports.store import NodeStore
from guildmark.services.neighbours.cosigning import WitnessState
from guildmark.services.neighbours.mirroring import MirrorState

RECORD_GAS = 200_000
"""What a record of a few lanes costs at most."""

RECORDS_LEAST = 100
_LAG_MOST = 120
# Of ten handles that a process may hold, so many are enough.
_HELD_MOST = 9
_SLACK = 600
# What is normal on a good day, three times over.
_LATE = 3


class FinalityStalledError(NotFinalError):
    """The chain grows, and nothing of it becomes final."""

    code = "chain.finalityStalled"
    hint = (
        "Compare with another node of the chain; where this one never says what is final, set "
        "chain.finality in guildmark.toml."
    )


class CoinLowError(ConflictError):
    """The account that writes records has coin for few more."""

    code = "node.coinLow"
    hint = "Send it coin; on a local chain: `guildmark chain fund ACCOUNT`."


class TransactionStuckError(ConflictError):
    """A transaction is neither final nor refused for longer than the chain takes."""

    code = "transaction.stuck"
    hint = "Look at `guildmark tx list`, then `guildmark tx bump ID` or `guildmark tx cancel ID`."


class HandlesShortError(ConflictError):
    """The process has nearly as many files and connections open as it may."""

    code = "node.handlesShort"
    hint = (
        "Let it have more (LimitNOFILE= of its unit, `ulimit -n`), and look who holds connections."
    )


class TrustOlderError(ConflictError):
    """The list of whom a home trusts was changed after its node began, which judges by the old."""

    code = "node.trustOlder"
    hint = "Start the node again: it reads its list when it starts."


class IndexBehindError(NetworkError):
    """The index does not keep up with the chain's final blocks."""

    code = "index.behind"
    hint = "Look at the node's log; `guildmark index follow` shows what stops it."


class MirrorFailingError(NetworkError):
    """Another operator's log is not mirrored any more."""

    code = "mirror.failing"
    hint = "Look at `guildmark mirror status --now` and ask the log's operator."


class WitnessFailingError(NetworkError):
    """A witness does not cosign this log any more."""

    code = "witness.failing"
    hint = "Ask the witness's operator; on `witness.forked` stop and compare with `guildmark fsck`."


class LettersDeadError(NetworkError):
    """Letters about recalls were tried for days, and are not sent again."""

    code = "letter.dead"
    hint = (
        "Look at `guildmark recall watch letters --dead`; when the receiver works, "
        "`guildmark recall watch resend WATCH`, else `guildmark recall watch remove WATCH`."
    )


ALARMS: Sequence[type[GuildmarkError]] = (
    FinalityStalledError,
    CoinLowError,
    TransactionStuckError,
    HandlesShortError,
    TrustOlderError,
    IndexBehindError,
    MirrorFailingError,
    WitnessFailingError,
    LettersDeadError,
)
"""Beside them: that the chain does not answer, and what a comparison with it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured; None where it could not be.

    Args:
        behind: Seconds between the newest block and the newest final one.
        lag: Seconds between the newest final block and the newest one of the index.
        balance: The writer's coin.
        records: For how many records that is enough at today's price.
        oldest: Seconds for which the oldest open transaction has been open, 0 without one.
    """

    behind: int | None = None
    lag: int | None = None
    balance: int | None = None
    records: int | None = None
    oldest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One look at everything."""

    figures: Figures
    alarms: tuple[GuildmarkError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What rounds beside the log showed last.

    Args:
        replay: The first difference between the index and the chain, None without one.
    """

    mirrors: Sequence[MirrorState] = ()
    witnesses: Sequence[WitnessState] = ()
    replay: GuildmarkError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Use cases around what an operator must look at.

    Args:
        writer: The account that writes records.
        seconds: How long a block takes at most until it is final, while nothing is wrong.
        trust: Whom the node trusts, as it began.
        listed: Reads the list that a node would begin with now.
    """

    ledger: Ledger
    store: NodeStore
    vitals: Vitals
    clock: Clock
    writer: Address
    seconds: int
    trust: Trust
    listed: Callable[[], Trust]

    def watch(self, beside: Beside) -> Watch:
        """Look at chain, index, coin and outbox, and at what rounds showed."""
        alarms: list[GuildmarkError] = []
        try:
            figures = self._measured()
        except NetworkError as error:
            # That the chain is away is an alarm by itself, and hides the others that it tells.
            alarms.append(error)
            figures = Figures(oldest=self._oldest())
        alarms += [*self._raised(figures), *self._short(), *self._relisted(), *self._dead()]
        alarms += _beside(beside)
        return Watch(figures=figures, alarms=tuple(alarms))

    def _short(self) -> Iterator[GuildmarkError]:
        handles = self.vitals.handles()
        if handles.held * 10 > handles.most * _HELD_MOST:
            message = f"{handles.held} of {handles.most} files and connections are open."
            yield HandlesShortError(message, held=handles.held, most=handles.most)

    def _relisted(self) -> Iterator[GuildmarkError]:
        try:
            listed = self.listed()
        except TrustFileError as error:
            # The next start would fail by it.
            yield error
            return
        if listed != self.trust:
            message = "The node judges by the list of whom it trusts that it began with."
            yield TrustOlderError(message)

    def _dead(self) -> Iterator[GuildmarkError]:
        with self.store.reading_letters() as letters:
            count = letters.dead_count()
        if count:
            message = f"{count} letters about recalls reached nobody and are not sent again."
            yield LettersDeadError(message, count=count)

    def _measured(self) -> Figures:
        newest, final = self.ledger.head(final=False), self.ledger.head(final=True)
        purse = self.vitals.purse(self.writer)
        with self.store.reading() as view:
            cursor = view.facts.cursor()
        return Figures(
            behind=max(0, newest.time - final.time),
            lag=None if cursor is None else max(0, final.time - cursor.time),
            balance=purse.balance,
            records=purse.balance // max(1, purse.price * RECORD_GAS),
            oldest=self._oldest(),
        )

    def _oldest(self) -> int:
        since = self.vitals.oldest()
        return 0 if since is None else max(0, self.clock.now() - since)

    def _raised(self, figures: Figures) -> Iterator[GuildmarkError]:
        if figures.behind is not None and figures.behind > _LATE * self.seconds:
            message = f"The newest final block is {figures.behind} s older than the newest one."
            yield FinalityStalledError(message, seconds=figures.behind)
        if figures.records is not None and figures.records < RECORDS_LEAST:
            account = to_hex(self.writer)
            message = f"The account {account} has coin for {figures.records} records."
            yield CoinLowError(message, account=account, records=figures.records)
        if figures.oldest is not None and figures.oldest > _LATE * self.seconds + _SLACK:
            message = f"A transaction has been open for {figures.oldest} s."
            yield TransactionStuckError(message, seconds=figures.oldest)
        if figures.lag is not None and figures.lag > _LAG_MOST:
            message = f"The index is {figures.lag} s behind the newest final block."
            yield IndexBehindError(message, seconds=figures.lag)


def _beside(beside: Beside) -> Iterator[GuildmarkError]:
    for mirror in beside.mirrors:
        if mirror.code is not None:
            message = f"Log {mirror.log} is not mirrored: {mirror.code}."
            yield MirrorFailingError(message, log=mirror.log, reason=mirror.code)
    for witness in beside.witnesses:
        if witness.code is not None:
            message = f"The witness {witness.name} does not cosign: {witness.code}."
            yield WitnessFailingError(message, witness=witness.name, reason=witness.code)
    if beside.replay is not None:
        yield beside.replay
