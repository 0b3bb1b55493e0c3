"""``guildmark bundle``: a part's evidence in one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.clock import SystemClock
from guildmark.adapters.evidence_http import Chain, Parts
from guildmark.bootstrap import open_node
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import write_new
from guildmark.cli.opening import enter_informed
from guildmark.cli.verify import read_trust, read_whole
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import UnknownPartError
from guildmark.domain.identifiers import BLOCK_MAX, Index, LogNumber, parse_hint
from guildmark.domain.verification.case import Question
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.verify.keeping import renew_bundle

app = typer.Typer(
    help="Export evidence that verifies without us, and renew its proofs.", no_args_is_help=True
)


class BundleNotThereError(UnknownPartError):
    """The node has no bundle of the part."""

    code = "bundle.notThere"
    hint = "Ask the operator of the part's log, or wait until the part is final."


@app.callback()
def bundle() -> None:
    """Export evidence that verifies without us, and renew its proofs."""


@app.command()
def export(
    part: Annotated[str, typer.Argument(metavar="LOG.INDEX", help="The part's position.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the bundle is written.")],
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="The node to ask, else this operator's home.")
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(min=0, max=BLOCK_MAX, help="The block of the proofs; the newest final one."),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A reader's list: what it names is proven first. Given again: several lists.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write a part's evidence, ready for `guildmark verify`; print the file's name."""
    log, index = parse_hint(part)
    choice = read_choice(trust)
    if node is not None:
        data = _fetched(Parts(url=node), (log, index), block, choice)
    else:
        bundles = open_node(enter_informed(home)).bundles
        data = bundles.bundle(log, index, block=block, choice=choice)
    write_new(out, data)
    answer: Answer = {
        "part": part,
        "file": str(out),
        "size": len(data),
        "sha256": sha256(data).hex(),
    }
    say(answer, as_json=as_json, brief=out)


@app.command()
def renew(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle; it stays as it is.")],
    rpc: Annotated[
        str, typer.Option(metavar="URL", help="Any node of the chain that gives proofs.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The new bundle; FILE with the block in its name."),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="By whose list both are judged; else trust.json in your home, else nobody's.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write a bundle again, its proofs made anew at the newest final block; print its name.

    It is not written where it would say less of the part than the old one.
    """
    question = Question(now=SystemClock().now())
    trusted = read_trust(trust or [], home)
    made = renew_bundle(read_whole(file), Chain(url=rpc), trusted, question)
    new = out or file.with_name(f"{file.stem}.{made.block.number}{file.suffix}")
    write_new(new, made.data)
    answer: Answer = {
        "file": str(new),
        "size": len(made.data),
        "sha256": sha256(made.data).hex(),
        "block": made.block.number,
        "before": made.before,
        "verdict": made.report.headline,
    }
    say(answer, as_json=as_json, brief=new)


def read_choice(trust: Sequence[Path] | None) -> Choice:
    """Return whom trust files list together, nobody where none is named."""
    listed = read_trust(trust, None) if trust else None
    return ANYBODY if listed is None else Choice.of(listed)


def _fetched(
    node: Parts, place: tuple[LogNumber, Index], block: int | None, choice: Choice
) -> bytes:
    log, index = place
    data = node.bundle(log, index, block=block, choice=choice)
    if data is None:
        message = f"{node.url} has no bundle of {log}.{index}."
        raise BundleNotThereError(message, log=log, index=index)
    return data
