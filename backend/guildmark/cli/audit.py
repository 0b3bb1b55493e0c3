"""``guildmark audit``: what was licensed, opened and verified unit by unit."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.clock import SystemClock
from guildmark.adapters.evidence_http import Chain
from guildmark.adapters.peers.client import NodeClient
from guildmark.adapters.reports import audit as reports
from guildmark.adapters.reports.pdf import check_installed
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder, identity_id, license_id, moment, recipe_id
from guildmark.cli.homes import new_folder, write_new
from guildmark.cli.opening import enter_informed
from guildmark.cli.verify import read_trust
from guildmark.domain.identifiers import IdentityId, Index, LicenseId, LogNumber, RecipeId, to_hex
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import Question
from guildmark.domain.verification.report import Report
from guildmark.ports import Peer
from guildmark.services.audit.auditing import Auditor, AuditResult
from guildmark.services.audit.scope import Scope
from guildmark.verify import verify_bundle

app = typer.Typer()


@app.command()
def audit(
    node: Annotated[
        list[str],
        typer.Option(metavar="URL", help="A node to ask for evidence; repeatable, asked in turn."),
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
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", metavar="FILE", help="Your trust file; else that of your home."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="A new folder for report.json, two tables and every bundle."
        ),
    ] = None,
    with_pdf: Annotated[
        bool, typer.Option("--pdf", help="Add report.pdf there; needs the extra `pdf`.")
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open and verify every unit that was drawn; name what does not add up.

    The chain is read by your own home, the evidence comes from any node: a unit that nobody shows,
    a node that does not answer and a bundle that is no bundle are findings, and the audit goes on.
    Exit 0 where everything adds up.
    """
    if with_pdf:
        check_installed()
    scope = Scope(
        license=license_,
        organization=organization,
        machine=machine,
        recipe=recipe,
        begin=begin or 0,
        end=end or 0,
    )
    opened, trusted = enter_informed(home), read_trust(trust or [], home)
    if out is not None:
        new_folder(out)
        new_folder(out / "bundles")
    with ExitStack() as stack:
        peers: list[Peer] = [stack.enter_context(NodeClient(each)) for each in node]
        if out is not None:
            peers = [_Keeping(peer=each, folder=out / "bundles") for each in peers]
        judge = _Judge(trust=trusted, chain=Chain(url=opened.settings.chain.url))
        found = Auditor(store=opened.store, peers=peers, judge=judge.verdict).audit(scope)
    about = _words(scope)
    if out is not None:
        _write(out, found, about, with_pdf=with_pdf)
    findings = reports.finding_rows(found)
    answer: Answer = {
        "exit": found.exit,
        "block": found.block,
        "units": len(found.units),
        "states": dict(reports.states(found)),
        "findings": [dict(zip(reports.FINDING_HEADS, row, strict=True)) for row in findings],
    }
    say(answer, as_json=as_json)
    raise typer.Exit(found.exit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Verifies by the auditor's own list and his own node of the chain."""

    trust: Trust | None
    chain: Chain

    def verdict(self, data: bytes) -> Report:
        question = Question(now=SystemClock().now())
        return verify_bundle(
            data, self.trust, question, look=self.chain.sighting, source=self.chain
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keeping:
    """A peer whose bundles are kept in a folder, as they came."""

    peer: Peer
    folder: Path

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        data = self.peer.bundle(log, index)
        if data is not None:
            write_new(self.folder / f"{log}.{index}.zip", data)
        return data

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        return self.peer.positions(label)


def _write(
    folder: Path, found: AuditResult, about: Mapping[str, str | int], *, with_pdf: bool
) -> None:
    document = json.dumps(reports.document(found, about), indent=2).encode() + b"\n"
    write_new(folder / "report.json", document)
    write_new(folder / "units.csv", reports.table(reports.UNIT_HEADS, reports.unit_rows(found)))
    findings = reports.table(reports.FINDING_HEADS, reports.finding_rows(found))
    write_new(folder / "findings.csv", findings)
    if with_pdf:
        paper = import_module("guildmark.adapters.reports.pdf.audit")
        write_new(folder / "report.pdf", paper.written(found, about))


def _words(scope: Scope) -> Mapping[str, str | int]:
    """Return what an audit is about, as its options name it."""
    named = {
        "license": scope.license,
        "organization": scope.organization,
        "machine": scope.machine,
        "recipe": scope.recipe,
    }
    found: dict[str, str | int] = {
        name: to_hex(value) for name, value in named.items() if value is not None
    }
    times = {"from": scope.begin, "to": scope.end}
    return found | {name: time for name, time in times.items() if time}
