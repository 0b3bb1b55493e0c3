"""What an agent's owner wants to see: what waits, what is wrong, whether a job may begin."""

from collections.abc import Sequence
from dataclasses import dataclass

from guildmark.domain.shopfloor.fieldwork import (
    WAITING,
    Job,
    JobState,
    Post,
    SignedState,
    Watched,
    readiness,
)
from guildmark.ports.shopfloor import AgentReader, AgentStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a machine stands.

    Args:
        state: `running`, or `stopped` until its owner decides.
        waiting: Envelopes that have no unit yet.
        held: Jobs that wait for people.
        oldest: When the oldest that waits was signed, 0 where nothing waits.
        begin: Whether a job that begins now would count, in words.
        is_ready: The same as a fact.
        problem: What failed last, or why the machine is stopped.
        lots: What is loaded.
    """

    name: str
    state: str
    waiting: int
    held: int
    working: int
    final: int
    refused: int
    oldest: int
    begin: str
    is_ready: bool
    problem: str | None
    lots: tuple[str, ...]


def overview(store: AgentStore, posts: Sequence[Post], *, now: int) -> Sequence[Standing]:
    """Return how each machine stands.

    Args:
        store: The agent's database.
        posts: Its machines.
        now: The agent's clock.
    """
    with store.reading() as view:
        return [_standing(view, post, now) for post in posts]


def _standing(view: AgentReader, post: Post, now: int) -> Standing:
    watched, counts = view.machine(post.name), view.counts()
    jobs = view.jobs(JobState.RUNNING, JobState.HELD, machine=post.name)
    ready = readiness(
        watched.brief,
        elapsed=now - watched.briefed_at,
        delay=post.delay,
        spoken_for=view.waiting_for(post.lane),
    )
    oldest = view.oldest(post.name, *WAITING)
    return Standing(
        name=post.name,
        state="stopped" if watched.paused else "running",
        waiting=sum(counts.get((post.name, state), 0) for state in WAITING),
        held=sum(job.state is JobState.HELD for job in jobs),
        working=sum(job.state is JobState.RUNNING for job in jobs),
        final=counts.get((post.name, SignedState.FINAL), 0),
        refused=counts.get((post.name, SignedState.REFUSED), 0),
        oldest=0 if oldest is None else oldest.signed_at,
        begin=ready.text,
        is_ready=ready.hindrance is None,
        problem=_problem(watched) or _held(jobs),
        lots=watched.lots,
    )


def _held(jobs: Sequence[Job]) -> str | None:
    """Return why the first job is held that its owner did not want held."""
    found = [f"{job.code}: job {job.job}: {job.reason}" for job in jobs if job.code]
    return found[0] if found else None


def _problem(watched: Watched) -> str | None:
    if watched.paused:
        return f"{watched.paused}: {watched.reason}"
    if watched.error:
        return f"{watched.error}: {watched.error_text}"
    return None
