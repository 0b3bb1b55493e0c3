"""``guildmark audit``: what was licensed, opened and verified unit by unit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from guildmark.adapters.clock import SystemClock
from guildmark.adapters.evidence_http import Chain
from guildmark.adapters.peers.client import NodeClient
from guildmark.adapters.peers.evidence import EvidenceNode
from guildmark.adapters.reports import audit as reports
from guildmark.adapters.reports.book import SqliteBook
from guildmark.adapters.reports.pdf import check_installed
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import (
    AsJson,
    Folder,
    identity_id,
    license_id,
    moment,
    nonce_of,
    recipe_id,
)
from guildmark.cli.homes import new_folder, write_new, write_pieces
from guildmark.cli.opening import enter_informed
from guildmark.cli.verify import read_trust
from guildmark.domain.audit.attestation import NamedFile, attested
from guildmark.domain.audit.findings import Place
from guildmark.domain.audit.materials import LotBounds
from guildmark.domain.audit.schema import audit_schema
from guildmark.domain.audit.telemetry import Answers, Drawing
from guildmark.domain.audit.units import AuditedUnit
from guildmark.domain.builds.telemetry import ANSWER_MAX, CHUNKS_MAX
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import Digest, IdentityId, LicenseId, RecipeId, to_hex
from guildmark.domain.log.note import NoteKey
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.rights.reconciliation import Reconciliation
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import Brought, Question
from guildmark.domain.verification.choice import Choice
from guildmark.domain.verification.report import Report
from guildmark.ports.keys import KeyAlgorithm, KeyName, KeyPurposeError
from guildmark.services.audit.auditing import Auditor, AuditResult
from guildmark.services.audit.scope import Scope
from guildmark.services.audit.telemetry import Asking
from guildmark.verify import verify_bundle

app = typer.Typer()

_SHOWN_MAX = 100


class AuditFolderError(UsageError):
    """A signature or paper is asked for, and no folder to put it in."""

    code = "audit.folderMissing"
    hint = "Name a new folder: --out DIR."


class DrawingIncompleteError(UsageError):
    """Of a folder of answers and the nonce that they answer, one is named without the other."""

    code = "audit.drawingIncomplete"
    hint = "Name both --telemetry and --nonce, or neither."


def _asking(folder: Path | None, nonce: str | None, most: int) -> Asking:
    if folder is None and nonce is None:
        return Asking()
    if folder is None or nonce is None:
        message = "Telemetry is judged by answers in a folder, and by the nonce that drew them."
        raise DrawingIncompleteError(message)
    return Asking(
        drawing=Drawing(nonce=nonce_of(nonce), most=most), answers=_Handed(folder=folder).of
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handed:
    """What makers handed over about telemetry: a file a part and kind."""

    folder: Path

    def of(self, place: Place) -> Answers:
        name = f"{place[0]}.{place[1]}"
        return Answers(opened=self._read(f"{name}.opened"), kept=self._read(f"{name}.kept"))

    def _read(self, name: str) -> bytes | None:
        try:
            with (self.folder / f"{name}.json").open("rb") as file:
                # One byte more than is read of any answer: who parses it refuses it.
                return file.read(ANSWER_MAX + 1)
        except FileNotFoundError:
            return None


def _lot(text: str) -> Thing:
    return Thing.parse(RecallCause.LOT, text)


def _print_schema(is_asked: bool) -> None:
    if is_asked:
        say(audit_schema(), as_json=True)
        raise typer.Exit


@app.command()
def audit(
    node: Annotated[
        list[str],
        typer.Option(metavar="URL", help="A node to ask for evidence; repeatable, all are asked."),
    ],
    license_: Annotated[
        LicenseId | None,
        typer.Option(
            "--license",
            metavar="LICENSE",
            parser=license_id,
            help="Units of a license and of those below it.",
        ),
    ] = None,
    organization: Annotated[
        IdentityId | None,
        typer.Option(metavar="ORG", parser=identity_id, help="Units that its sites drew."),
    ] = None,
    machine: Annotated[
        IdentityId | None,
        typer.Option(metavar="MACHINE", parser=identity_id, help="Units that it built."),
    ] = None,
    recipe: Annotated[
        RecipeId | None,
        typer.Option(metavar="RECIPE", parser=recipe_id, help="Units built by it."),
    ] = None,
    lot: Annotated[
        Thing | None,
        typer.Option(metavar="MAKER:DIGEST", parser=_lot, help="Units that name this lot."),
    ] = None,
    begin: Annotated[
        int | None,
        typer.Option(
            "--from", metavar="TIME", parser=moment, help="Units recorded from this time on."
        ),
    ] = None,
    end: Annotated[
        int | None,
        typer.Option("--to", metavar="TIME", parser=moment, help="And before this one."),
    ] = None,
    log_key: Annotated[
        list[NoteKey] | None,
        typer.Option(
            metavar="KEY",
            parser=NoteKey.parse,
            help="The key of a log's checkpoints, as its operator gave it to you; repeatable.",
        ),
    ] = None,
    lots: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="JSON: of which lots you know how many parts they are enough for, and until when.",
        ),
    ] = None,
    telemetry: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Answers of `agent open` to --nonce: LOG.INDEX.opened.json, LOG.INDEX.kept.json.",
        ),
    ] = None,
    nonce: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="With --telemetry: the 32 bytes that you drew by."),
    ] = None,
    chunks: Annotated[
        int,
        typer.Option(min=1, max=CHUNKS_MAX, help="With --telemetry: how many chunks a part."),
    ] = 3,
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", metavar="FILE", help="Your trust file; else that of your home."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A new folder for report.json, two tables, every bundle and every statement.",
        ),
    ] = None,
    sign: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Sign the report there with this Ed25519 key, as DSSE."),
    ] = None,
    with_pdf: Annotated[
        bool, typer.Option("--pdf", help="Add report.pdf there; needs the extra `pdf`.")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            is_eager=True,
            callback=_print_schema,
            help="Print the JSON Schema of report.json, and end.",
        ),
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open and verify every unit that was drawn; name what does not add up.

    What is named together holds together: a license and a machine are the units of both. The
    chain is read by your own home, the evidence comes from any node: a unit that nobody shows, a
    node that does not answer and a bundle that is no bundle are findings, and the audit goes on.
    Exit 0 where everything adds up.
    """
    del schema
    _check_folder(out, sign, with_pdf=with_pdf)
    scope = Scope(
        license=license_,
        organization=organization,
        machine=machine,
        recipe=recipe,
        lot=lot,
        begin=begin or 0,
        end=end or 0,
    )
    asking = _asking(telemetry, nonce, chunks)
    opened, trusted = enter_informed(home), read_trust(trust or [], home)
    bounds = LotBounds() if lots is None else LotBounds.parse(lots.read_bytes())
    signer = None if sign is None else _Signer.of(opened, KeyName(sign))
    folder = None if out is None else _Folder.new(out)
    with ExitStack() as stack:
        book = stack.enter_context(SqliteBook())
        choice = Choice.of_notices_and_inspections(trusted)
        clients = {url: stack.enter_context(NodeClient(url)) for url in node}
        auditor = Auditor(
            store=opened.store,
            pin=opened.ledger.pin(),
            sources={url: EvidenceNode(client=one, choice=choice) for url, one in clients.items()},
            judge=_Judge(
                trust=trusted, chain=Chain(url=opened.settings.chain.url), nodes=", ".join(clients)
            ).verdict,
            book=book,
            trust=trusted,
            log_keys=log_key or [],
            lots=bounds,
            asking=asking,
            reconciled=_Reconciled(home=opened).of,
        )
        if folder is not None:
            auditor = replace(auditor, keep=folder.keep)
        found, about = auditor.audit(scope), _words(scope)
        if folder is not None:
            folder.write(found, about, with_pdf=with_pdf)
        if folder is not None and signer is not None:
            folder.sign(found, about, signer)
        heads = reports.FINDING_HEADS if as_json else reports.FINDING_HEADS[:-1]
        first = map(reports.finding_row, islice(book.findings(), _SHOWN_MAX))
        # A terminal has no room for the next steps, too.
        findings = [dict(zip(heads, row, strict=False)) for row in first]
    answer: Answer = {**_brief(found), "findings": findings}
    say(answer, as_json=as_json)
    raise typer.Exit(found.exit)


def _check_folder(out: Path | None, sign: str | None, *, with_pdf: bool) -> None:
    if out is None and (sign is not None or with_pdf):
        message = "There is no folder for what --sign and --pdf write."
        raise AuditFolderError(message)
    if with_pdf:
        check_installed()


def _brief(found: AuditResult) -> Answer:
    """Return the sums that a terminal has room for."""
    accounts = found.accounts
    return {
        "exit": found.exit,
        "block": 0 if found.block is None else found.block.number,
        "units": accounts.units,
        "states": dict(sorted(accounts.states.items())),
        "flaws": {flaw.value: count for flaw, count in accounts.counted().items()},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Verifies by the auditor's own list and his own node of the chain.

    Args:
        nodes: Who was asked for what inspectors said.
    """

    trust: Trust | None
    chain: Chain
    nodes: str

    def verdict(self, data: bytes, others: Sequence[Brought]) -> Report:
        question = Question(now=SystemClock().now(), inspections_from=self.nodes)
        return verify_bundle(
            data,
            self.trust,
            question,
            look=self.chain.sighting,
            source=self.chain,
            others=lambda _: others,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reconciled:
    """The receipts of released keys that a home holds, own ones and those it was shown."""

    home: Home

    def of(self, license_id: LicenseId) -> Reconciliation | None:
        """Return a license's reconciliation, None where no receipt is here."""
        found = self.home.reconciling.of(license_id)
        return found if any(row.released for row in found.rows) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    """The auditor's key."""

    public_key: bytes
    sign: Callable[[bytes], bytes]

    @classmethod
    def of(cls, home: Home, name: KeyName) -> "_Signer":
        """Return a key of a home.

        Raises:
            KeyMissingError: There is no such key.
            KeyPurposeError: It is no Ed25519 key: stock tools read those signatures as they are.
        """
        key = home.keys.public_key(name)
        if key.algorithm is not KeyAlgorithm.ED25519:
            message = f"An audit is signed with an Ed25519 key; {name} is {key.algorithm}."
            raise KeyPurposeError(message, name=name)
        return cls(public_key=key.value, sign=lambda data: home.keys.sign_payload(name, data))

    def pem(self) -> bytes:
        """Return the public key for tools that read PEM."""
        key = Ed25519PublicKey.from_public_bytes(self.public_key)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(slots=True, kw_only=True)
class _Folder:
    """Where an audit's files go."""

    path: Path
    files: list[NamedFile] = field(default_factory=list)

    @classmethod
    def new(cls, path: Path) -> "_Folder":
        """Make the folder.

        Raises:
            OutputFolderError: It is there already, or cannot be made.
        """
        for each in (path, path / "bundles", path / "dsse"):
            new_folder(each)
        return cls(path=path)

    def keep(self, one: AuditedUnit, data: bytes, envelope: bytes) -> None:
        """Keep a unit's bundle as it came, and its signed statement."""
        log, index = one.unit.place
        write_new(self.path / "bundles" / f"{log}.{index}.zip", data)
        write_new(self.path / "dsse" / f"{log}.{index}.dsse.json", envelope)

    def write(self, found: AuditResult, about: Mapping[str, JsonValue], *, with_pdf: bool) -> None:
        """Write report and tables, piece by piece."""
        self._add("report.json", reports.pieces(found, about))
        units = map(reports.unit_row, found.book.units())
        self._add("units.csv", reports.table(reports.UNIT_HEADS, units))
        findings = map(reports.finding_row, found.book.findings())
        self._add("findings.csv", reports.table(reports.FINDING_HEADS, findings))
        if with_pdf:
            paper = import_module("guildmark.adapters.reports.pdf.audit")
            self._add("report.pdf", iter([paper.written(found, about)]))

    def sign(self, found: AuditResult, about: Mapping[str, JsonValue], signer: _Signer) -> None:
        """Sign what was written."""
        made = attested(
            self.files,
            reports.summary(found, about),
            public_key=signer.public_key,
            sign=signer.sign,
        )
        write_new(self.path / "dsse" / "audit.dsse.json", made)
        write_new(self.path / "dsse" / "auditor.pem", signer.pem())

    def _add(self, name: str, pieces: Iterator[bytes]) -> None:
        write_pieces(self.path / name, pieces)
        with (self.path / name).open("rb") as file:
            digest = file_digest(file, "sha256").digest()
        self.files.append(NamedFile(name=name, digest=Digest(digest)))


def _words(scope: Scope) -> Mapping[str, JsonValue]:
    """Return what an audit is about, as its options name it."""
    named = {
        "license": scope.license,
        "organization": scope.organization,
        "machine": scope.machine,
        "recipe": scope.recipe,
    }
    found: dict[str, JsonValue] = {
        name: to_hex(value) for name, value in named.items() if value is not None
    }
    if scope.lot is not None:
        found["lot"] = scope.lot.text()
    times = {"from": scope.begin, "to": scope.end}
    return found | {name: time for name, time in times.items() if time}
