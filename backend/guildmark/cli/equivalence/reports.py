"""Reports of equivalence: what an auditor files, publishes, brings home, and computes again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.reports.page import html, report_page
from guildmark.adapters.reports.pdf import check_installed, pdf
from guildmark.adapters.statistics import draw, evaluate
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer
from guildmark.cli.equivalence.commands import (
    PlanArgument,
    Result,
    SiteArgument,
    app,
    told_state,
)
from guildmark.cli.equivalence.files import read_result
from guildmark.cli.homes import new_folder, write_new
from guildmark.cli.nodes import asking, show_to
from guildmark.cli.opening import enter_informed
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.reporting.report import EquivalenceReport
from guildmark.domain.equivalence.reporting.shown import ShownCredential
from guildmark.domain.errors import NotFoundError
from guildmark.domain.identifiers import to_hex
from guildmark.ports.keys import KeyName
from guildmark.services.equivalence.certificates import certificate_state
from guildmark.services.equivalence.reporting import ResultDiffersError, recompute

_REPORT = "report.json"
_PLAN = "plan.json"
_RESULT = "result.json"
_DATA = "data"
_MODE = 0o600


class ReportMissingError(NotFoundError):
    """A folder holds no report of equivalence."""

    code = "equivalence.reportMissing"
    hint = "Name a folder that `guildmark equivalence report` wrote."


@app.command()
def report(
    plan: PlanArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder.")],
    with_data: Annotated[
        bool,
        typer.Option("--data", help="Add all readings, so that the report alone can be run again."),
    ] = False,
    with_pdf: Annotated[
        bool, typer.Option("--pdf", help="Add report.pdf; needs the extra `pdf`.")
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a plan: a page that prints, report.json, and the pictures as SVG."""
    if with_pdf:
        check_installed()
    made = enter_informed(home).reporting.report(plan, evaluate)
    pictures = draw(made.plan, made.dataset, made.report.result, made.names)
    new_folder(out)
    new_folder(out / "pictures")
    for name, body in pictures.items():
        write_new(out / "pictures" / name, body)
    _write_documents(out, made.report)
    if with_data:
        _write_data(out, made.data)
    write_new(out / "report.html", html(made.report, pictures))
    if with_pdf:
        write_new(out / "report.pdf", pdf(report_page(made.report, {}), pictures))
    answer: Answer = {
        "result": to_hex(made.report.result_digest),
        "page": str(out / "report.html"),
        "report": str(out / _REPORT),
        "pictures": len(pictures),
        "data": len(made.data) if with_data else 0,
    }
    say(answer, as_json=as_json)


@app.command()
def publish(
    plan: PlanArgument,
    node: Annotated[list[str], typer.Option(metavar="URL", help="A node; may be repeated.")],
    result: Result,
    with_data: Annotated[
        bool,
        typer.Option("--data", help="Add all readings, so that anybody can run it again."),
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Publish a plan and its result on nodes, for everybody; ask the sites before.

    What is on chain names the result already. Its figures, the whole plan with its salt and, with
    --data, every reading with the logged statement behind it are then open to whoever asks.
    """
    found = read_result(result)
    documents = enter_informed(home).results.documents(plan, found, with_data=with_data)
    for kind, key, body in documents:
        show_to(node, kind, key, body)
    answer: Answer = {
        "plan": to_hex(plan),
        "result": to_hex(found.digest()),
        "documents": len(documents),
        "pages": [f"{url.rstrip('/')}/equivalence/{to_hex(plan)}" for url in node],
    }
    say(answer, as_json=as_json)


@app.command()
def download(
    plan: PlanArgument,
    node: Annotated[str, typer.Option(metavar="URL", help="The node that publishes it.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder.")],
    as_json: AsJson = False,
) -> None:
    """Bring home what a node publishes of a plan; `again` then computes it here."""
    with asking(node) as client:
        report = EquivalenceReport.parse(client.equivalence_report(plan))
        named = [one.site for one in report.sites if one.root is not None]
        data = [BlindData.parse(client.equivalence_data(plan, site)) for site in named]
    new_folder(out)
    _write_documents(out, report)
    _write_data(out, data)
    write_new(out / "report.html", html(report, {}))
    answer: Answer = {
        "result": to_hex(report.result_digest),
        "page": str(out / "report.html"),
        "report": str(out / _REPORT),
        "data": len(data),
    }
    say(answer, as_json=as_json)


@app.command()
def again(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A report with its data.")
    ],
    as_json: AsJson = False,
) -> None:
    """Run a report again from its own data, without a home; print both digests.

    `plan.json` and `result.json` must be those of the report, where they lie beside it; page, PDF
    and pictures are not read.
    """
    made = _read(folder / _REPORT)
    _check_beside(folder, made)
    data = [BlindData.parse(path.read_bytes()) for path in sorted((folder / _DATA).glob("*.json"))]
    found = recompute(made, data, evaluate)
    answer: Answer = {
        "plan": to_hex(made.id),
        "planDigest": to_hex(made.plan.digest()),
        "reported": to_hex(made.result_digest),
        "again": to_hex(found),
        "equal": True,
    }
    say(answer, as_json=as_json)


@app.command()
def credential(
    plan: PlanArgument,
    site: SiteArgument,
    host: Annotated[str, typer.Option(help="The host of the DID documents, as log.example.org.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file.")],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign a certificate as a verifiable credential (VC 2.0, JOSE), as the evaluator."""
    signed = enter_informed(home).credentials(host).sign(plan, site, key=KeyName(account))
    write_new(out, signed)
    say({"credential": str(out), "size": len(signed)}, as_json=as_json)


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="What `credential` wrote.")
    ],
    node: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask this node, not the chain that the home follows."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check a credential: who signed it, what it says, and whether its certificate holds now."""
    shown = ShownCredential.parse(file.read_bytes())
    if node is None:
        with enter_informed(home).store.reading() as view:
            found = certificate_state(shown.plan, shown.site, view)
    else:
        with asking(node) as client:
            found = client.certificate_state(shown.plan, shown.site)
    shown.check(found)
    answer: Answer = {
        "plan": to_hex(shown.plan),
        "site": to_hex(shown.site),
        "evaluator": to_hex(found.evaluator),
        **told_state(found),
    }
    say(answer, as_json=as_json, brief=found.told)


def _read(path: Path) -> EquivalenceReport:
    if not path.is_file():
        message = f"{path} does not exist."
        raise ReportMissingError(message, path=str(path))
    return EquivalenceReport.parse(path.read_bytes())


def _check_beside(folder: Path, report: EquivalenceReport) -> None:
    """Check that plan and result beside a report are its own.

    Raises:
        ResultDiffersError: One of them is another.
    """
    own = {_PLAN: report.plan.encode(), _RESULT: report.result.encode()}
    for name, body in own.items():
        path = folder / name
        if path.exists() and path.read_bytes() != body:
            message = f"{name} is not the one of {_REPORT}."
            raise ResultDiffersError(message, file=name)


def _write_documents(out: Path, report: EquivalenceReport) -> None:
    write_new(out / _PLAN, report.plan.encode(), mode=_MODE)
    write_new(out / _RESULT, report.result.encode())
    write_new(out / _REPORT, report.encode(), mode=_MODE)


def _write_data(out: Path, data: Iterable[BlindData]) -> None:
    (out / _DATA).mkdir(mode=0o700)
    for one in data:
        write_new(out / _DATA / f"{to_hex(one.site)}.json", one.encode(), mode=_MODE)
