"""``guildmark trust``: say whom you trust."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import click
import typer

from guildmark.adapters.evidence_http import Chain, Parts
from guildmark.adapters.files import create_durably, write_durably
from guildmark.adapters.home import TRUST_FILE, default_home
from guildmark.cli.answers import Answer, Moment, note, say
from guildmark.cli.arguments import AsJson, Folder, address, identity_id, moment
from guildmark.domain import trust as trust_file
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.errors import (
    ConflictError,
    NotFinalError,
    NotFoundError,
    SettingsError,
    UntrustedError,
    UsageError,
)
from guildmark.domain.identifiers import BLOCK_MAX, Address, IdentityId, to_hex
from guildmark.domain.log.note import SIGNATURES_MAX
from guildmark.domain.trust import VERSION, Listed, Trust, TrustedBlock, Witness

app = typer.Typer(
    help="Say whom you trust: chain, operators, issuers, blocks.", no_args_is_help=True
)


_File: TypeAlias = Annotated[
    Path | None,
    typer.Option("--trust", metavar="FILE", help="The trust file; else trust.json in your home."),
]
_Operators: TypeAlias = Annotated[
    list[IdentityId] | None,
    typer.Option(
        "--operator", metavar="ID", parser=identity_id, help="An operator to accept; repeatable."
    ),
]
_Issuers: TypeAlias = Annotated[
    list[IdentityId] | None,
    typer.Option(
        "--issuer", metavar="ID", parser=identity_id, help="An issuer to accept; repeatable."
    ),
]
_Authorities: TypeAlias = Annotated[
    list[IdentityId] | None,
    typer.Option(
        "--authority",
        metavar="ID",
        parser=identity_id,
        help="An authority whose notices count; repeatable.",
    ),
]
_Inspectors: TypeAlias = Annotated[
    list[IdentityId] | None,
    typer.Option(
        "--inspector",
        metavar="ID",
        parser=identity_id,
        help="An organization whose inspections count; repeatable.",
    ),
]
_Rpc: TypeAlias = Annotated[
    str, typer.Option(metavar="URL", help="Your own node of the chain: what it says is believed.")
]
_Time: TypeAlias = int | None


class TrustExistsError(ConflictError):
    """There is a trust file already."""

    code = "trust.exists"
    hint = "Add to it with `guildmark trust add`, or name another file with --trust."


class TrustUnpublishedError(NotFoundError):
    """A host publishes no list."""

    code = "trust.unpublished"
    hint = "Ask who runs the host where its list is, or make one with `guildmark trust init`."


class TrustMissingError(NotFoundError):
    """There is no trust file where one was looked for."""

    code = "trust.missing"
    hint = "Make one with `guildmark trust init`, or name the file with --trust."


class TrustUnreadableError(SettingsError):
    """The trust file is there, and may not be read."""

    code = "trust.unreadable"
    hint = "Name a file that you may read."


class TrustTimesError(UsageError):
    """Somebody is to be accepted until a time that is not after the time from which."""

    code = "trust.timesReversed"
    hint = "Give --to a later time than --from."


class ChainNotTrustedError(UntrustedError):
    """The node is on another chain than the trust file pins."""

    code = "trust.otherChain"
    hint = "Give a node of the pinned chain, or make another trust file."


class BlockNotFinalError(NotFinalError):
    """The node does not call the block final."""

    code = "trust.blockNotFinal"


@app.command()
def init(
    rpc: _Rpc,
    directory: Annotated[
        Address,
        typer.Option(metavar="ADDRESS", parser=address, help="The deployment's directory."),
    ],
    chain_class: Annotated[
        ChainClass, typer.Option("--class", help="Who could rewrite the chain.")
    ] = ChainClass.LOCAL,
    operator: _Operators = None,
    issuer: _Issuers = None,
    authority: _Authorities = None,
    inspector: _Inspectors = None,
    trust: _File = None,
    home: Folder = None,
) -> None:
    """Pin a chain and a deployment, as your own node shows them."""
    made = Trust(version=VERSION, chain=Chain(url=rpc).pin(directory, chain_class))
    made = made.with_parties(
        operators=_listed(operator),
        issuers=_listed(issuer),
        authorities=_listed(authority),
        inspectors=_listed(inspector),
    )
    path = _path(trust, home)
    _create(path, made)
    pinned = f"{path} pins {chain_class.value} chain {made.chain.chain_id}."
    note(f"{pinned} Close it with `guildmark trust close`.")


@app.command()
def take(
    url: Annotated[str, typer.Argument(metavar="URL", help="The host that publishes a list.")],
    yes: Annotated[bool, typer.Option("--yes", help="Take it without being asked.")] = False,
    trust: _File = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Take the list that a host publishes, as it is now, after it was shown."""
    path, published = _path(trust, home), Parts(url=url).published_trust()
    if published is None:
        message = f"{url[:80]} publishes no list."
        raise TrustUnpublishedError(message)
    taken = trust_file.parse(published)
    say(_answer(taken), as_json=as_json)
    if not yes:
        click.confirm("Believe these, as the host does?", abort=True, err=True)
    _create(path, taken)
    note(f"{path} lists what {url[:80]} published. See it with `guildmark trust show`.")


@app.command()
def add(
    operator: _Operators = None,
    issuer: _Issuers = None,
    authority: _Authorities = None,
    inspector: _Inspectors = None,
    name: Annotated[str, typer.Option(help="What you call them.")] = "",
    since: Annotated[
        _Time, typer.Option("--from", metavar="TIME", parser=moment, help="Accept from then on.")
    ] = None,
    until: Annotated[
        _Time, typer.Option("--to", metavar="TIME", parser=moment, help="Accept until then.")
    ] = None,
    trust: _File = None,
    home: Folder = None,
) -> None:
    """Accept operators, issuers, authorities and inspectors, or change from when and until when."""
    if until and until <= (since or 0):
        message = f"From {since or 0} until {until} is no time."
        raise TrustTimesError(message, since=since or 0, until=until)
    path = _path(trust, home)
    known = _load(path)

    def listed(each: IdentityId) -> Listed:
        return Listed(id=each, name=name, since=since or 0, until=until or 0)

    grown = known.with_parties(
        operators=[listed(each) for each in operator or ()],
        issuers=[listed(each) for each in issuer or ()],
        authorities=[listed(each) for each in authority or ()],
        inspectors=[listed(each) for each in inspector or ()],
    )
    write_durably(path, trust_file.serialise(grown))
    vouching = f"{len(grown.operators)} operators, {len(grown.issuers)} issuers"
    warning = f"{len(grown.authorities)} authorities and {len(grown.inspectors)} inspectors"
    note(f"{path} lists {vouching}, {warning}.")


@app.command()
def witness(
    key: Annotated[
        list[str], typer.Argument(metavar="KEY...", help="Keys of witnesses: name+id+key.")
    ],
    quorum: Annotated[
        int,
        typer.Option(
            min=1, max=SIGNATURES_MAX, help="How many of all listed witnesses must have signed."
        ),
    ],
    since: Annotated[
        _Time, typer.Option("--from", parser=moment, help="Believed from this time on.")
    ] = None,
    until: Annotated[
        _Time, typer.Option("--to", parser=moment, help="Believed up to this time.")
    ] = None,
    trust: _File = None,
    home: Folder = None,
) -> None:
    """Believe a block that enough witnesses signed, without a node of your own."""
    if since is not None and until is not None and until <= since:
        message = "The witnesses are believed until a time that is not after the first one."
        raise TrustTimesError(message)
    path = _path(trust, home)
    added = [Witness(key=one, since=since or 0, until=until or 0) for one in key]
    grown = _load(path).with_witnesses(added, quorum)
    write_durably(path, trust_file.serialise(grown))
    note(f"{path} asks for {quorum} of {len(grown.witnesses)} witnesses.")


@app.command()
def close(
    rpc: _Rpc,
    block: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=0, max=BLOCK_MAX, help="The block; else the newest final."
        ),
    ] = None,
    trust: _File = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Believe one final block, so that bundles of it can be verified without a connection."""
    path, node = _path(trust, home), Chain(url=rpc)
    known = _load(path)
    _check_chain(known, node)
    believed = _final(node, block)
    write_durably(path, trust_file.serialise(known.with_block(believed)))
    say(_block(believed), as_json=as_json)


@app.command()
def show(trust: _File = None, home: Folder = None, as_json: AsJson = False) -> None:
    """Show whom the trust file accepts."""
    known = _load(_path(trust, home))
    say(_answer(known), as_json=as_json)


def _path(trust: Path | None, home: Path | None) -> Path:
    return trust or (home or default_home(os.environ)) / TRUST_FILE


def _create(path: Path, made: Trust) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        create_durably(path, trust_file.serialise(made))
    except FileExistsError as error:
        message = f"{path} exists already."
        raise TrustExistsError(message, path=str(path)) from error


def _load(path: Path) -> Trust:
    try:
        return trust_file.parse(path.read_bytes())
    except FileNotFoundError as error:
        message = f"There is no trust file at {path}."
        raise TrustMissingError(message, path=str(path)) from error
    except OSError as error:
        message = f"{path} cannot be read."
        raise TrustUnreadableError(message, path=str(path)) from error


def _listed(ids: Sequence[IdentityId] | None) -> Sequence[Listed]:
    return [Listed(id=each) for each in ids or ()]


def _check_chain(known: Trust, node: Chain) -> None:
    chain_id, genesis = node.identity()
    if (chain_id, genesis) != (known.chain.chain_id, known.chain.genesis):
        message = f"The node is on chain {chain_id}, or on one with another beginning."
        raise ChainNotTrustedError(message, found=chain_id, pinned=known.chain.chain_id)


def _final(node: Chain, number: int | None) -> TrustedBlock:
    newest = node.final_block()
    if newest is None or (number is not None and number > newest.number):
        message = f"The node does not call block {number} final."
        raise BlockNotFinalError(message, block=number)
    found = newest if number is None else node.block(number)
    if found is None:
        message = f"The node does not have block {number}."
        raise BlockNotFinalError(message, block=number)
    return found


def _answer(known: Trust) -> Answer:
    return {
        "chain": known.chain.chain_id,
        "genesis": to_hex(known.chain.genesis),
        "class": known.chain.chain_class.value,
        "contracts": {
            name.value: to_hex(pinned.address) for name, pinned in known.chain.contracts.items()
        },
        "operators": [_party(each) for each in known.operators],
        "issuers": [_party(each) for each in known.issuers],
        "authorities": [_party(each) for each in known.authorities],
        "inspectors": [_party(each) for each in known.inspectors],
        "blocks": [_block(each) for each in known.blocks],
        "witnesses": [each.key for each in known.witnesses],
        "quorum": known.quorum,
        "required": [f"({number})" for number in known.policy.required],
        "maxAgeSeconds": known.policy.max_age,
    }


def _party(listed: Listed) -> Answer:
    return {
        "id": to_hex(listed.id),
        "name": listed.name,
        "from": Moment(listed.since),
        "to": Moment(listed.until),
    }


def _block(block: TrustedBlock) -> Answer:
    return {"number": block.number, "hash": to_hex(block.hash), "time": Moment(block.time)}
