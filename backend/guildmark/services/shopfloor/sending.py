"""Sending: what was signed goes to the node of its log in order, until each unit is final."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.chain.refusals import KeyUnknownError, LaneLogError
from guildmark.domain.errors import ConflictError, GuildmarkError, MalformedError
from guildmark.domain.identifiers import KeyId, UnitNumber
from guildmark.domain.identity.identity import key_id
from guildmark.domain.shopfloor.fieldwork import (
    PENDING,
    UNDERWAY,
    Brief,
    Note,
    Post,
    Signed,
    SignedState,
    Watched,
)
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.shopfloor import AgentStore, AgentWriter, BuildNode
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.log.admission import (
    BeaconUnknownError,
    ClockAheadError,
    KeyOutsideWindowError,
    LinkOutsideWindowError,
    NotDisclosedError,
)
from guildmark.services.log.ingest import CounterReusedError, IndexEmptyError, UnitMismatchError

BATCH = 100
"""Envelopes of one request: small enough that a slow line finishes it."""

UNKNOWN_BUILD = "build.unknown"

# The node cannot say yes now; the same bytes may do later.
_LATER = frozenset(
    kind.code
    for kind in (
        IndexEmptyError,
        NotDisclosedError,
        ClockAheadError,
        BeaconUnknownError,
        UnitMismatchError,
        LaneLogError,
    )
)
# Nothing of this machine will be taken, or another one uses its key: its owner must look.
_ALARMS = frozenset(
    kind.code
    for kind in (
        CounterReusedError,
        KeyUnknownError,
        KeyOutsideWindowError,
        LinkOutsideWindowError,
    )
)
_STATES: Mapping[str, SignedState] = {
    "accepted": SignedState.ACCEPTED,
    "included": SignedState.INCLUDED,
    "final": SignedState.FINAL,
    "refused": SignedState.REFUSED,
}


class CounterAheadError(ConflictError):
    """The log has a counter of the machine that this agent never took."""

    code = "agent.counterAhead"
    hint = (
        "Stop the other agent with this machine's key, or, where this one was set back to an older "
        "state, go on behind the log: `guildmark agent adopt`."
    )


class ForeignUnitError(ConflictError):
    """A unit was drawn from a lane that only this agent should draw from."""

    code = "agent.unitForeign"
    hint = (
        "Ask the log's operator who drew it; where others may, set `alone = false`, then "
        "`guildmark agent adopt`."
    )


class BriefMismatchError(MalformedError):
    """A brief is of another machine, lane or site recipe."""

    code = "agent.briefMismatch"
    hint = "Ask the node for the machine, lane and site recipe that agent.toml names."


class AnswerMalformedError(PeerUnavailableError):
    """A node answers something else than what was asked."""

    code = "agent.answerMalformed"
    hint = "Look at the node's address and its version."


class SentElsewhereError(ConflictError):
    """What left for the node of one log is answered by that of another one."""

    code = "agent.sentElsewhere"
    hint = (
        "Name the node of that log again (`node` in agent.toml), then `guildmark agent resume`; "
        "where its operator says that he never got it, `guildmark agent adopt`."
    )


class NotRefusedError(ConflictError):
    """An envelope is to be sent again that was not refused."""

    code = "agent.notRefused"
    hint = "What waits is sent by itself; see `guildmark agent show JOB`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Use cases between an agent and the node of its log."""

    store: AgentStore
    node: BuildNode
    keys: KeyStore
    clock: Clock

    def inform(self, post: Post) -> Brief:
        """Ask the node what a machine must know, keep it, and compare it with what was signed.

        A counter or a unit that this agent does not know pauses the machine: its key is used
        elsewhere, or this agent was set back to an older state.

        Raises:
            PeerUnavailableError: The node does not answer.
            KeyMissingError: There is no such key.
            GuildmarkError: The node refuses.
        """
        brief = self.node.brief(
            post.machine,
            key=self._key(post),
            lane=post.lane,
            site_recipe=post.site_recipe,
        )
        self.take(post, brief)
        return brief

    def take(self, post: Post, brief: Brief) -> None:
        """Keep what a node said of a machine, however it came here, and compare it.

        Raises:
            BriefMismatchError: It is of another machine, lane or site recipe.
        """
        _check_fit(post, brief)
        with self.store.writing() as work:
            watched = work.machine(post.name)
            book = work.lane(post.lane)
            if watched.brief is None and not watched.counter:
                watched = replace(watched, counter=brief.counter)
            if not book.first_unit:
                serial = max(book.serial, brief.following - 1)
                book = replace(book, first_unit=brief.following, serial=serial)
                work.keep_lane(book)
            watched = replace(watched, brief=brief, briefed_at=self.clock.now())
            work.keep_machine(watched)
            self._compare(post, watched, brief, work)

    def send(self) -> int:
        """Send what waits, the oldest first; return how many envelopes the node took.

        Each is marked as sent before it leaves, and what the answer says is kept in one step.

        Raises:
            PeerUnavailableError: The node does not answer; everything is sent again.
        """
        taken = 0
        while batch := self._mark():
            answers = self.node.submit([envelope for _, envelope in batch])
            if len(answers) != len(batch):
                message = f"The node answers {len(answers)} times to {len(batch)} envelopes."
                raise AnswerMalformedError(message)
            rows = [row for row, _ in batch]
            good = self._keep_answers(rows, answers)
            taken += good
            if good < len(rows):
                # What was not taken now must not be asked again and again at once.
                break
        return taken

    def follow(self) -> int:
        """Ask what became of what the node took; return how many got their unit.

        Raises:
            PeerUnavailableError: The node does not answer.
        """
        with self.store.reading() as view:
            rows = view.signed(*UNDERWAY, most=BATCH)
        final = 0
        for row in rows:
            found = self._ask(row)
            with self.store.writing() as work:
                final += self._settle(row, found, work)
        return final

    def show(self) -> int:
        """Show the node which lots are in parts that are on record; return how many parts.

        Bundles then say of each what it can be recalled by.

        Raises:
            PeerUnavailableError: The node does not answer.
            GuildmarkError: The node refuses.
        """
        with self.store.reading() as view:
            rows = view.unshown(most=BATCH)
        due = [(row, declared) for row in rows if (declared := row.to_show) is not None]
        found = [self._show(row, declared) for row, declared in due]
        refusals = [error for error in found if error is not None]
        if refusals:
            raise refusals[0]
        return len(found)

    def _show(self, row: Signed, declared: Declaration) -> GuildmarkError | None:
        """Return why the node did not take what a part declares; others are shown all the same."""
        try:
            self.node.disclose(DocumentKind.DEPENDENCIES, row.digest, declared.encode())
        except PeerUnavailableError:
            raise
        except GuildmarkError as error:
            return error
        with self.store.writing() as work:
            work.change_signed(replace(row, is_shown=True))
        return None

    def retry(self, post: Post, job: str) -> int:
        """Send refused envelopes of a job again, as they are; return how many.

        Raises:
            NotRefusedError: None of them was refused.
        """
        with self.store.writing() as work:
            rows = [
                row for row in work.signed_of(post.name, job) if row.state is SignedState.REFUSED
            ]
            if not rows:
                message = f"No envelope of job {job[:80]} was refused."
                raise NotRefusedError(message, job=job[:80])
            for row in rows:
                work.change_signed(replace(row, state=SignedState.SIGNED, code=None, reason=None))
        return len(rows)

    def pause(self, name: str, *, code: str, reason: str) -> None:
        """Stop signing and sending for a machine until its owner decides."""
        with self.store.writing() as work:
            self._pause(name, code, reason, work)

    def resume(self, name: str) -> None:
        """Go on with a machine as it is."""
        with self.store.writing() as work:
            watched = work.machine(name)
            work.keep_machine(replace(watched, paused=None, reason=None))
            self._note(name, "resumed", "its owner lets it go on", work)

    def adopt(self, post: Post, *, counter: int | None = None) -> int:
        """Take up a machine whose key was used elsewhere: its counter goes on behind that use.

        What was signed under counters that the log gave away is refused, so that it can be signed
        again under new ones; so is what left for the node of another log, which the owner says has
        not got it. Nothing is thrown away.

        Args:
            post: The machine.
            counter: The last counter that was used anywhere; by default what the node knows.

        Returns:
            The counter that the machine goes on behind.
        """
        with self.store.writing() as work:
            watched = work.machine(post.name)
            known = 0 if watched.brief is None else watched.brief.counter
            last = max(watched.counter, known if counter is None else counter)
            work.keep_machine(replace(watched, counter=last, paused=None, reason=None))
            if watched.brief is not None:
                book = work.lane(post.lane)
                work.keep_lane(replace(book, first_unit=watched.brief.drawn))
            for row in work.signed(SignedState.SENT):
                if row.machine == post.name and row.code == LaneLogError.code:
                    work.change_signed(replace(row, state=SignedState.REFUSED))
            self._note(post.name, "adopted", f"it goes on behind counter {last}", work)
        return last

    def fail(self, name: str, error: GuildmarkError | None) -> None:
        """Remember what failed last for a machine, or that nothing does any more."""
        code, text = (None, None) if error is None else (error.code, error.message)
        with self.store.reading() as view:
            if view.machine(name).error == code:
                return
        with self.store.writing() as work:
            work.keep_machine(replace(work.machine(name), error=code, error_text=text))
            if code is not None:
                self._note(name, code, str(text), work)

    def _key(self, post: Post) -> KeyId:
        return key_id(post.machine, signing_key(self.keys, KeyName(post.key)))

    def _compare(self, post: Post, watched: Watched, brief: Brief, work: AgentWriter) -> None:
        if brief.counter > watched.counter:
            message = (
                f"The log has counter {brief.counter}; the last one here is {watched.counter}."
            )
            self._pause(post.name, CounterAheadError.code, message, work)
        if not post.is_alone:
            return
        first = work.lane(post.lane).first_unit
        foreign = work.first_unnamed(post.lane, range(first, brief.drawn))
        if foreign is not None:
            message = f"Unit {foreign} of lane {post.lane} was drawn, and not signed here."
            self._pause(post.name, ForeignUnitError.code, message, work)

    def _mark(self) -> list[tuple[Signed, bytes]]:
        """Mark what leaves now, and return it with its bytes."""
        with self.store.writing() as work:
            paused = [one.name for one in work.machines() if one.paused]
            rows = work.signed(*PENDING, most=BATCH, without=paused)
            for row in rows:
                if row.state is not SignedState.SENT:
                    work.change_signed(replace(row, state=SignedState.SENT))
            return [(row, work.envelope(row.digest)) for row in rows]

    def _keep_answers(self, rows: Sequence[Signed], answers: Sequence[Mapping[str, Any]]) -> int:
        with self.store.writing() as work:
            return sum(
                self._keep_answer(row, answer, work)
                for row, answer in zip(rows, answers, strict=True)
            )

    def _keep_answer(self, row: Signed, answer: Mapping[str, Any], work: AgentWriter) -> int:
        if answer.get("reception") != "refused":
            build = answer.get("build")
            self._settle(row, build if isinstance(build, Mapping) else {}, work)
            return 1
        code, reason = str(answer.get("code")), str(answer.get("reason"))
        if code in _ALARMS:
            self._pause(row.machine, code, reason, work)
        state = _refused(row, code)
        if state is SignedState.SENT:
            message = f"Counter {row.counter} left for log {row.log}; the node answers: {reason}"
            self._pause(row.machine, SentElsewhereError.code, message, work)
        work.change_signed(replace(row, state=state, code=code, reason=reason))
        if row.code != code:
            self._note(row.machine, code, f"counter {row.counter}: {reason}", work)
        return 0

    def _ask(self, row: Signed) -> Mapping[str, Any]:
        try:
            return self.node.build(row.digest)
        except PeerUnavailableError:
            raise
        except GuildmarkError as error:
            if UNKNOWN_BUILD not in {error.code, error.detail.get("reason")}:
                raise
            # The node was set back to an older state, or is another one: it gets the envelope once
            # more, and until it answers nobody knows who has it.
            return {"state": "unknown"}

    def _settle(self, row: Signed, build: Mapping[str, Any], work: AgentWriter) -> int:
        state = _STATES.get(str(build.get("state", "accepted")), SignedState.SENT)
        if state is row.state:
            return 0
        unit, index = build.get("unit"), build.get("index")
        is_final = state is SignedState.FINAL
        code = build.get("code")
        work.change_signed(
            replace(
                row,
                state=state,
                granted=UnitNumber(unit) if is_final and isinstance(unit, int) else None,
                index=index if isinstance(index, int) else None,
                code=None if code is None else str(code),
                reason=None,
            )
        )
        if state in {SignedState.FINAL, SignedState.REFUSED}:
            text = f"counter {row.counter} is {state.value}" + (f", unit {unit}" * is_final)
            self._note(row.machine, state.value, text, work)
        return int(is_final)

    def _pause(self, name: str, code: str, reason: str, work: AgentWriter) -> None:
        watched = work.machine(name)
        if watched.paused is None:
            work.keep_machine(replace(watched, paused=code, reason=reason))
            self._note(name, code, reason, work)

    def _note(self, name: str, code: str, text: str, work: AgentWriter) -> None:
        work.note(Note(at=self.clock.now(), machine=name, code=code, text=text))


def _refused(row: Signed, code: str) -> SignedState:
    """Return how far an envelope is that a node refused.

    Args:
        row: As it was before it left this time.
        code: Why.
    """
    if code == LaneLogError.code and row.state is SignedState.SENT:
        # It left before, for the node of the log that it names: what another node says of it, or
        # of its own log, is no answer to that.
        return SignedState.SENT
    waits = code in _LATER or code in _ALARMS
    return SignedState.SIGNED if waits else SignedState.REFUSED


def _check_fit(post: Post, brief: Brief) -> None:
    found = (brief.machine, brief.external.lane, brief.external.site_recipe)
    if found != (post.machine, post.lane, post.site_recipe):
        message = f"The brief is not about {post.name}, its lane and its site recipe."
        raise BriefMismatchError(message, machine=post.name)
