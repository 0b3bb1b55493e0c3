"""``guildmark verify``: check a part's bundle."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import click
import typer

from guildmark.adapters.clock import SystemClock
from guildmark.adapters.home import TRUST_FILE, default_home
from guildmark.cli.arguments import AsJson, Folder, identity_id, moment
from guildmark.cli.verdict import show
from guildmark.cli.verify_choices import block_by, with_issuers
from guildmark.domain import bundle
from guildmark.domain import trust as trust_file
from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.chain.ethproof.header import HeaderError, decode_header
from guildmark.domain.encoding.archive import DEFAULT_LIMITS
from guildmark.domain.errors import (
    ContentError,
    GuildmarkError,
    MalformedError,
    NetworkError,
    NotFinalError,
    SettingsError,
    UncheckableError,
    UnknownPartError,
    UsageError,
)
from guildmark.domain.identifiers import (
    BLOCK_MAX,
    Address,
    ChainId,
    IdentityId,
    Index,
    LogNumber,
    bytes32_from_hex,
)
from guildmark.domain.labels.activation import ChipAnswer, Claimed, ClaimFile
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.labels.proof import BEGIN as PROOF
from guildmark.domain.labels.proof import ProofCode
from guildmark.domain.labels.typed import (
    TypedLink,
    TypedPlace,
    TypedSerial,
    TypedToken,
    read_typed,
)
from guildmark.domain.log.note import NoteKey
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import Brought, Question, Unsearched
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.domain.verification.evidence import ENTRIES_MAX, Evidence, statement_of
from guildmark.domain.verification.proof_code import verify_proof_code
from guildmark.domain.verification.report import Lack, Report
from guildmark.verify import verify_bundle, without_evidence
from guildmark.verify.document import document

if TYPE_CHECKING:
    from guildmark.adapters.evidence_http import Chain, Parts

app = typer.Typer()


_LINKS = ("http://", "https://")
# How PNG and JPEG begin.
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_BEGIN = 8
# No operator: a label with a GTIN is not about anybody's own serials.
_NOBODY = "000000"


class TargetInvalidError(UsageError):
    """What is to be verified is no file, no link, no position and no token."""

    code = "verify.targetInvalid"
    hint = "Name a bundle, a picture or a scanned link; log.index, a token or a serial with --node."


class TargetOnlineError(UsageError):
    """A part on a node was named, and no connection is allowed."""

    code = "verify.targetOnline"
    hint = "Save the part's bundle and verify the file, or leave --offline out."


class TrustUnreadError(SettingsError):
    """The trust file that was named is not there, or may not be read."""

    code = "trust.unread"
    hint = "Name a file that `guildmark trust init` made."


class BesideUnreadError(ContentError):
    """A file beside which the part is to be held, or a node's answer, is no bundle."""

    code = "verify.besideUnread"
    hint = "Leave it out, or ask for that bundle again; without it the label is not compared."


class SecondFactorError(UsageError):
    """A claim, a chip's answer or an option to it that cannot be used."""

    code = "verify.secondFactorInvalid"
    hint = "Give --claim FILE with --claim-key KEY, or --chip FILE with --challenge HEX."


class PartNotThereError(UnknownPartError):
    """The node that was asked knows no such part."""

    code = "verify.partNotThere"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What the reader typed or scanned: a link, a position, or both; or a serial alone."""

    link: DigitalLink | None = None
    hint: tuple[LogNumber, Index] | None = None
    serial: TypedSerial | None = None

    def question(self, data: bytes) -> Question:
        """Return what is asked about the part in a bundle."""
        link = self.link if self.serial is None else _meant(self.serial, data)
        return Question(link=link, hint=self.hint, now=SystemClock().now())

    def fetch(self, node: "Parts", block: int | None, choice: Choice) -> bytes:
        """Fetch the part's bundle.

        Raises:
            PartNotThereError: The node knows no such part.
            NetworkError: The node could not be reached.
            NotFinalError: The part is not final at that block.
        """
        hint = self.hint or self._found(node)
        found = None if hint is None else node.bundle(*hint, block=block, choice=choice)
        if found is None:
            message = f"{node.url} knows no such part."
            raise PartNotThereError(message)
        return found

    def _found(self, node: "Parts") -> tuple[LogNumber, Index] | None:
        if self.serial is not None:
            return node.find_serial(self.serial.serial, self.serial.gtin)
        return node.find("" if self.link is None else self.link.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rivals:
    """Where other entries of a part's label are looked for: named files, and the node asked.

    Args:
        files: Further bundles that the reader holds.
        node: The node that is asked, too.
        inspected: Whose inspections of the part itself the node is asked for; nobody where the
            bundle is the node's own answer.
        block: The block at which it is asked for these.
    """

    files: Sequence[Path]
    node: "Parts | None"
    inspected: Choice = ANYBODY
    block: int | None = None

    def of(self, evidence: Evidence) -> Iterator[Brought | Unsearched]:
        """Yield other entries, and what the node did not give out.

        Raises:
            BesideUnreadError: What is named, or given out, is no bundle.
        """
        for path in self.files:
            yield _brought(str(path), read_whole(path, BesideUnreadError))
        statement = statement_of(evidence.core)
        if self.node is None or statement is None:
            return
        if self.inspected.inspectors:
            yield from self._same(self.node, evidence)
        # A header that is none is a finding of (0).
        with suppress(HeaderError):
            block = decode_header(evidence.chain.header).number
            yield from _asked(self.node, evidence, statement.label, block)

    def _same(self, node: "Parts", evidence: Evidence) -> Iterator[Brought | Unsearched]:
        """Yield what the node knows of this very entry; of one that does not say it, only that."""
        place = evidence.place
        name = f"{place[0]}.{place[1]} at {node.url}"
        try:
            found = node.bundle(*place, block=self.block, choice=self.inspected)
        except (NetworkError, NotFinalError, UncheckableError) as error:
            reason = f"{node.url} did not say how inspectors found the part. {error.message}"
            yield Unsearched(reason=reason)
            return
        if found is not None:
            yield _brought(name, found)


def _asked(
    node: "Parts", evidence: Evidence, label: str, block: int
) -> Iterator[Brought | Unsearched]:
    """Yield the label's other entries at a node; of a node that does not answer, only that."""
    try:
        places = [place for place in node.positions(label) if place != evidence.place]
        for place in places[:ENTRIES_MAX]:
            yield _entry(node, place, block)
    except (NetworkError, NotFinalError) as error:
        reason = f"{node.url} did not give out the label's other entries. {error.message}"
        yield Unsearched(reason=reason, lack=Lack.SOURCE)
        return
    if len(places) > ENTRIES_MAX:
        reason = f"{node.url} names {len(places)} other entries of the label, {ENTRIES_MAX} at most"
        yield Unsearched(reason=f"{reason} are looked at.", lack=Lack.EVIDENCE)


def _entry(node: "Parts", place: tuple[LogNumber, Index], block: int) -> Brought | Unsearched:
    name = f"{place[0]}.{place[1]} at {node.url}"
    try:
        found = node.bundle(*place, block=block)
    except UncheckableError as error:
        reason = f"Could not compare with {name}: {error.message}"
        return Unsearched(reason=reason, lack=Lack.SOURCE)
    except NotFinalError as error:
        # It is younger than the block, so not the earlier one.
        return Unsearched(reason=f"Did not compare with {name}: {error.message}")
    if found is None:
        reason = f"{name} claims the label too, and the node does not give it out."
        return Unsearched(reason=reason, lack=Lack.SOURCE)
    return _brought(name, found)


def _brought(name: str, data: bytes) -> Brought:
    try:
        return Brought(name=name, evidence=bundle.read(data))
    except ContentError as error:
        message = f"{name} is no bundle that can be read. {error.message}"
        raise BesideUnreadError(message, name=name) from error


@app.command()
def verify(
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URI|SERIAL",
            help="A bundle; a part's link, or a picture of its code; with --node its serial (and "
            "GTIN), log.index or token (CAIP-19); or a proof code's text.",
        ),
    ],
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Whom you trust; else trust.json in your home. Given again: several lists count.",
        ),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The node to ask; else the one that the link names."),
    ] = None,
    rpc: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Your own node of the chain, for its newest state."),
    ] = None,
    at: Annotated[
        int | None,
        typer.Option(
            metavar="BLOCK", min=0, max=BLOCK_MAX, help="Ask for the state of this block."
        ),
    ] = None,
    as_of: Annotated[
        int | None,
        typer.Option(
            metavar="TIME",
            parser=moment,
            help="Ask for the state of the newest block by then that your list or --rpc has.",
        ),
    ] = None,
    issuer: Annotated[
        list[IdentityId] | None,
        typer.Option(
            metavar="ISSUER",
            parser=identity_id,
            help="Who names the parties, instead of your list's issuers; repeatable.",
        ),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Another bundle that claims the same label; may be given again.",
        ),
    ] = None,
    claim: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your first claim, as `part activate` wrote it."),
    ] = None,
    claim_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="By whose key you believe it: that of the log's notes."),
    ] = None,
    chip: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON: algorithm, key and signature of the part's chip."),
    ] = None,
    challenge: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="What you asked the chip, by `part challenge`."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Open no connection.")] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check a part's bundle, from a file, by its code, or by what names the part."""
    second = _second(claim, claim_key, chip, challenge)
    trusted = with_issuers(read_trust(trust or [], home), issuer or [])
    own = None if rpc is None or offline else _chain(rpc)
    look = None if own is None else own.sighting
    choice, block = Choice.of_notices_and_inspections(trusted), _block(at, trusted, rpc)
    if as_of is not None:
        block = block_by(as_of, at, trusted, own)
    try:
        target = _code_in(Path(target)) or target
        if target.startswith(PROOF):
            _tell(
                verify_proof_code(ProofCode.parse(target), trusted),
                as_json=as_json,
                offline=offline,
            )
        if _is_file(target):
            data, question = read_whole(Path(target)), Question(now=SystemClock().now())
            place = None if node is None or offline else _parts(node)
        else:
            named, place = _named(target, node, trusted, offline=offline)
            data = named.fetch(place, block, choice)
            question = replace(named.question(data), inspections_from=place.url)
            choice = ANYBODY
        question = replace(question, second=second)
        rivals = _Rivals(files=beside or [], node=place, inspected=choice, block=block)
        report = verify_bundle(data, trusted, question, look=look, source=own, others=rivals.of)
    except (UnknownPartError, NetworkError, NotFinalError, UncheckableError) as error:
        report = without_evidence(error)
    _tell(report, as_json=as_json, offline=offline)


def _tell(report: Report, *, as_json: bool, offline: bool) -> NoReturn:
    """Print a report and leave with its exit code."""
    try:
        _print(report, as_json=as_json, offline=offline)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has read enough. What is left unwritten must not fail at the end, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(report.exit)


def _parts(url: str) -> "Parts":
    # What opens connections is imported where one is opened: files are checked without it.
    from guildmark.adapters.evidence_http import Parts  # noqa: PLC0415

    return Parts(url=url)


def _chain(url: str) -> "Chain":
    # As with a node of parts.
    from guildmark.adapters.evidence_http import Chain  # noqa: PLC0415

    return Chain(url=url)


def _is_file(target: str) -> bool:
    try:
        return Path(target).is_file()
    except OSError:
        # Longer than any name of a file.
        return False


def _second(
    claim: Path | None, claim_key: str | None, chip: Path | None, challenge: str | None
) -> Claimed | ChipAnswer | None:
    """Return what the reader holds beside the label, None for nothing.

    Raises:
        SecondFactorError: Options that do not belong together, or a file that is none.
    """
    if (claim is None and claim_key) or (chip is None) != (challenge is None) or (claim and chip):
        message = "--claim-key belongs to --claim, --challenge to --chip, and one of them counts."
        raise SecondFactorError(message)
    try:
        if claim is not None:
            key = None if claim_key is None else NoteKey.parse(claim_key)
            return Claimed(file=ClaimFile.parse(read_whole(claim, SecondFactorError)), key=key)
        if chip is not None and challenge is not None:
            asked = bytes32_from_hex(challenge)
            return ChipAnswer.parse(read_whole(chip, SecondFactorError), asked)
    except MalformedError as error:
        message = f"What you hold cannot be read. {error.message}"
        raise SecondFactorError(message) from error
    return None


def read_trust(paths: Sequence[Path], home: Path | None) -> Trust | None:
    """Return the trust of the named files together, else of the reader's own, else none.

    Raises:
        TrustUnreadError: A named file is not there.
        TrustFileError: A file cannot be used.
        TrustConflictError: The files contradict one another.
    """
    if not paths:
        own = (home or default_home(os.environ)) / TRUST_FILE
        if not own.is_file():
            return None
        paths = [own]
    return trust_file.combine(
        [trust_file.parse(read_whole(each, TrustUnreadError)) for each in paths]
    )


def read_whole(path: Path, refused: type[GuildmarkError] = TargetInvalidError) -> bytes:
    """Return what a file holds, up to one byte more than any reader takes.

    Raises:
        GuildmarkError: It cannot be read; the class is the one that is named.
    """
    try:
        with path.open("rb") as file:
            return file.read(DEFAULT_LIMITS.size + 1)
    except OSError as error:
        message = f"{path} cannot be read."
        raise refused(message, path=str(path)) from error


def _block(at: int | None, trusted: Trust | None, rpc: str | None) -> int | None:
    """Return the block to ask for: the named one, else one that the trust file believes."""
    newest = None if trusted is None else trusted.newest_block()
    if at is not None or newest is None or rpc is not None:
        return at
    return newest.number


def _code_in(file: Path) -> str | None:
    """Return what the code in a picture says, None for what is no picture.

    Raises:
        UsageError: The picture has no code that can be read, or the extra `scan` is missing.
    """
    try:
        with file.open("rb") as source:
            if not source.read(_BEGIN).startswith(_PICTURES):
                return None
            # Only who brings a picture waits for what reads it.
            from guildmark.adapters.labels.photos import code_in  # noqa: PLC0415

            return code_in(source)
    except (OSError, ValueError):
        # A folder, a link, a serial: whatever it is, it is no picture.
        return None


def _named(
    target: str, node: str | None, trusted: Trust | None, *, offline: bool
) -> "tuple[_Named, Parts]":
    """Return what a link, a position, a token or a serial names, and the node to ask."""
    is_link = target.startswith(_LINKS)
    if not is_link and node is None:
        message = f"{target[:80]!r} is no file, no link, and nothing that names a part on a node."
        raise TargetInvalidError(message, target=ascii(target[:80]))
    if offline:
        message = f"{target[:80]!r} is a part on a node."
        raise TargetOnlineError(message, target=ascii(target[:80]))
    match read_typed(target):
        case TypedLink(link=link, hint=hint):
            scheme, _, rest = target.partition("://")
            host = f"{scheme}://{rest.partition('/')[0]}"
            return _Named(link=link, hint=hint), _parts(node or host)
        case TypedPlace(log=log, index=index):
            return _Named(hint=(log, index)), _parts(node or "")
        case TypedToken() as token:
            return _Named(hint=_place(token, trusted)), _parts(node or "")
        case TypedSerial() as serial:
            return _Named(serial=serial), _parts(node or "")


def _place(token: TypedToken, trusted: Trust | None) -> tuple[LogNumber, Index]:
    """Return the position of the part that a token stands for.

    Raises:
        TokenElsewhereError: The trusted chain has no such token.
        MalformedPartIdError: Its number is no part's.
    """
    chain, contract = (token.chain, token.contract) if trusted is None else _tokens(trusted.chain)
    return token.place(chain, contract)


def _meant(serial: TypedSerial, data: bytes) -> DigitalLink | None:
    """Return the link that a serial means: the node may have answered with another part.

    Hosts are not compared, and the statement says whose own serials it is about.
    """
    try:
        statement = statement_of(bundle.read(data).core)
        label = None if statement is None else DigitalLink.parse_label(statement.label)
    except GuildmarkError:
        # What cannot be read is a finding of its own.
        return None
    if label is None:
        return None
    return serial.link(label.host, label.value if label.is_own else _NOBODY)


def _tokens(pin: ChainPin) -> tuple[ChainId, Address]:
    """Return the chain and the contract of parts' tokens."""
    return pin.chain_id, pin.contracts[ContractName.PARTS].address


def _print(report: Report, *, as_json: bool, offline: bool) -> None:
    if as_json:
        click.echo(json.dumps(document(report), indent=2))
        return
    show(report, offline=offline, plain="NO_COLOR" in os.environ)
