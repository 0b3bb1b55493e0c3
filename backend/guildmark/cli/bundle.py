"""``guildmark bundle``: a part's evidence in one file."""

from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.evidence_http import Parts
from guildmark.bootstrap import open_node
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import write_new
from guildmark.cli.opening import enter_informed
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import UnknownPartError
from guildmark.domain.identifiers import BLOCK_MAX, Index, LogNumber, parse_hint

app = typer.Typer(help="Export evidence that verifies without us.", no_args_is_help=True)


class BundleNotThereError(UnknownPartError):
    """The node has no bundle of the part."""

    code = "bundle.notThere"
    hint = "Ask the operator of the part's log, or wait until the part is final."


@app.callback()
def bundle() -> None:
    """Export evidence that verifies without us."""


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
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write a part's evidence, ready for `guildmark verify`; print the file's name."""
    log, index = parse_hint(part)
    if node is not None:
        data = _fetched(node, log, index, block)
    else:
        data = open_node(enter_informed(home)).bundles.bundle(log, index, block=block)
    write_new(out, data)
    answer: Answer = {
        "part": part,
        "file": str(out),
        "size": len(data),
        "sha256": sha256(data).hex(),
    }
    say(answer, as_json=as_json, brief=out)


def _fetched(url: str, log: LogNumber, index: Index, block: int | None) -> bytes:
    data = Parts(url=url).bundle(log, index, block=block)
    if data is None:
        message = f"{url} has no bundle of {log}.{index}."
        raise BundleNotThereError(message, log=log, index=index)
    return data
