"""``guildmark join``: a shop goes on line by a hub's invitation, without wallet or coin."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import typer

from guildmark.adapters.fieldwork.settings import (
    BY_HAND,
    RECIPE_NAME,
    AgentSettings,
    machine_table,
    read_agent,
    write_agent,
)
from guildmark.adapters.fieldwork.settings import FILE_NAME as AGENT_FILE
from guildmark.adapters.files import create_durably, write_durably
from guildmark.adapters.keys.keystore import is_uri
from guildmark.adapters.peers.client import NodeClient
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder
from guildmark.cli.homes import folder_of
from guildmark.cli.init import make_account
from guildmark.cli.jobs import read_settings
from guildmark.cli.nodes import asking, show_new
from guildmark.cli.opening import enter
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.chain.refusals import TickedError
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import DEFAULT_LIMITS, parse_object
from guildmark.domain.errors import ConflictError, UsageError
from guildmark.domain.identifiers import (
    Bytes32,
    ChainId,
    LaneNumber,
    RecipeId,
    SiteRecipeId,
    address_from_hex,
    bytes32_from_hex,
    digest_from_hex,
    to_hex,
)
from guildmark.domain.recipes.recipe import Recipe, RecipeDocument
from guildmark.domain.rights.lawful import country_code
from guildmark.domain.shopfloor.fieldwork import Post
from guildmark.ports.chain import GenesisMismatchError, NotFinalInTimeError, WrongChainError
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.shops.inviting import LaneBusyError
from guildmark.services.shops.joining import SEED_SIZE, Handed, Joined, Shop
from guildmark.settings import FILE_NAME, ChainSettings, Settings, load, save

app = typer.Typer()

T = TypeVar("T")

_BEGUN = "join.json"
_SETTINGS = "settings.json"
_PATH = "/v1/invitations/"
_PATIENCE = 600.0
_PAUSE = 1.0
_MODE = 0o600


class InvitationAddressError(UsageError):
    """Text is no address of an invitation."""

    code = "cli.invitationMalformed"
    hint = "Give the address as the hub's operator got it: https://HOST/v1/invitations/TOKEN."


class JoinChangedError(ConflictError):
    """The home began to join with another invitation, or under other names."""

    code = "join.changed"
    hint = "Give the command as it was given first, or join from another home with --home."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun(Document):
    """What a home wanted when it began to join, kept before the first step."""

    LIMITS = DEFAULT_LIMITS

    url: str
    seed: Bytes32
    shop: Shop
    model: str
    source: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hub:
    """The hub's node, and the token by which it knows this shop."""

    url: str
    token: str

    def ask(self, question: Callable[[NodeClient], bytes]) -> Mapping[str, Any]:
        """Ask until what was asked for is final.

        Raises:
            PeerUnavailableError: The node does not answer, or not as a node does.
            GuildmarkError: The node refuses.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with asking(self.url) as client:
                    return parse_object(question(client))
            except (NotFinalInTimeError, LaneBusyError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE)


@app.command()
def join(
    invitation: Annotated[
        str, typer.Argument(metavar="URL", help="The invitation's address, from the hub.")
    ],
    name: Annotated[str, typer.Option(help="What your organization is called.")],
    country: Annotated[
        str | None, typer.Option(metavar="CODE", parser=country_code, help="ISO 3166-1, as DE.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Its site; the same name by default.")] = None,
    machine: Annotated[str, typer.Option(help="What the machine is called.")] = "Printer",
    model: Annotated[
        str | None, typer.Option(help="The machine's model; its name by default.")
    ] = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="What measures there; may be repeated.")
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="JSON with the chosen settings."
        ),
    ] = None,
    source: Annotated[
        str, typer.Option(metavar="URI", help="What reports its jobs; report: means people do.")
    ] = BY_HAND,
    key: Annotated[
        str, typer.Option(metavar="KEY", help="The name or URI of its key; a new name makes one.")
    ] = "machine",
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Join a hub as a shop: keys here, identities on its chain, an agent's home; print the site.

    The hub pays for what your account registers and can sign nothing for it. Given again it goes
    on where it was.
    """
    folder, hub = folder_of(home), _hub(invitation)
    names = Shop(
        name=name,
        country=country,
        site=site or name,
        machine=machine,
        instruments=tuple(instrument or ()),
    )
    wanted = _Begun(
        url=invitation,
        seed=Bytes32(secrets.token_bytes(SEED_SIZE)),
        shop=names,
        model=model or machine,
        source=source,
        key=key,
    )
    chosen = None if settings is None else settings.read_bytes()
    if chosen is not None:
        read_settings(chosen)
    answer = hub.ask(lambda client: client.invitation(hub.token))
    begun = _begin(folder, wanted)
    account = make_account(folder)
    _settle(folder, _chain(hub, answer))
    answer = hub.ask(lambda client: client.join(hub.token, account))
    opened = enter(folder)
    joined = _register(opened, begun)
    _show(opened, hub, joined)
    ready = answer["share"] is not None
    if ready:
        answer = hub.ask(lambda client: client.hand_out(hub.token, joined.site))
        _equip(opened, hub, _Equipment(begun=begun, joined=joined, answer=answer, chosen=chosen))
    _say(folder, joined, answer, as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Equipment:
    """What an agent's home is made of."""

    begun: _Begun
    joined: Joined
    answer: Mapping[str, Any]
    chosen: bytes | None


def _hub(text: str) -> _Hub:
    url, separator, token = text.rpartition(_PATH)
    if not separator or not urlsplit(url).netloc or not (token.isascii() and token.isalnum()):
        message = f"{text[:120]!r} is no address of an invitation."
        raise InvitationAddressError(message)
    return _Hub(url=url, token=token)


def _begin(folder: Path, wanted: _Begun) -> _Begun:
    """Keep what is wanted before anything is sent; what was begun before goes on."""
    path = folder / _BEGUN
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        create_durably(path, wanted.encode(), mode=_MODE)
        return wanted
    begun = _Begun.parse(path.read_bytes())
    if replace(wanted, seed=begun.seed) != begun:
        message = f"{folder} began to join otherwise; see {path}."
        raise JoinChangedError(message, path=str(path))
    return begun


def _chain(hub: _Hub, answer: Mapping[str, Any]) -> ChainSettings:
    try:
        return ChainSettings(
            url=f"{hub.url}{_PATH}{hub.token}/chain",
            chain_id=ChainId(answer["chainId"]),
            genesis=digest_from_hex(answer["genesis"]),
            chain_class=ChainClass(answer["chainClass"]),
            directory=address_from_hex(answer["directory"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as exc:
        message = f"{hub.url} does not answer as a node does."
        raise PeerUnavailableError(message, url=hub.url) from exc


def _settle(folder: Path, chain: ChainSettings) -> None:
    """Write which chain the home is on; a home of another chain stays as it is.

    Raises:
        WrongChainError: The home is on another chain.
        GenesisMismatchError: The home's chain began otherwise.
    """
    if not (folder / FILE_NAME).exists():
        save(Settings(home=folder, chain=chain))
        return
    own = load(folder).chain
    if own.chain_id != chain.chain_id:
        message = f"{folder} is on chain {own.chain_id}, the hub on {chain.chain_id}."
        raise WrongChainError(message, next_step="Join from another home: --home DIR.")
    if (own.genesis, own.directory) != (chain.genesis, chain.directory):
        message = f"{folder} is on another chain {own.chain_id} than the hub."
        raise GenesisMismatchError(message, next_step="Join from another home: --home DIR.")


def _register(opened: Home, begun: _Begun) -> Joined:
    if not is_uri(begun.key) and begun.key not in opened.keys.names():
        opened.keys.create(KeyName(begun.key), KeyAlgorithm.P256)
    joining = opened.joining(KeyName(ACCOUNT), begun.seed)
    joined = _patiently(lambda: joining.register(begun.shop))
    public = signing_key(opened.keys, KeyName(begun.key))
    _patiently(lambda: joining.add_key(joined.machine, public))
    return joined


def _show(opened: Home, hub: _Hub, joined: Joined) -> None:
    named = (joined.organization, joined.site, joined.machine, *joined.instruments)
    for identity in named:
        body = opened.disclosing.show(DocumentKind.PROFILE, identity)
        show_new([hub.url], DocumentKind.PROFILE, identity, body)


def _equip(opened: Home, hub: _Hub, given: _Equipment) -> None:
    """Publish the site's recipe, show it, and write the agent's file."""
    begun, folder = given.begun, opened.settings.home
    share = given.answer["share"]
    handed = Handed(
        recipe=codec.load(Recipe, given.answer.get("published")),
        document=RecipeDocument.parse(canonical(given.answer["recipe"])),
    )
    settings = () if given.chosen is None else read_settings(given.chosen)
    choices: Mapping[str, str] = {setting.path: setting.value for setting in settings}
    joining = opened.joining(KeyName(ACCOUNT), begun.seed)
    joining.check(RecipeId(bytes32_from_hex(share["recipe"])), handed)
    own = _patiently(lambda: joining.choose(handed, given.joined, choices, model=begun.model))
    body = opened.disclosing.show(DocumentKind.SITE_RECIPE, own)
    show_new([hub.url], DocumentKind.SITE_RECIPE, own, body)
    if not (folder / AGENT_FILE).exists():
        _tick(opened)
        _write(opened, hub, given, own)


def _write(opened: Home, hub: _Hub, given: _Equipment, own: SiteRecipeId) -> None:
    folder = opened.settings.home
    post = Post(
        name="machine",
        machine=given.joined.machine,
        key=given.begun.key,
        lane=LaneNumber(given.answer["lane"]),
        site_recipe=own,
        host=given.answer["share"]["host"],
    )
    table = machine_table(post, given.begun.source)
    if given.chosen is not None:
        write_durably(folder / _SETTINGS, given.chosen)
        table = {**table, "settings": _SETTINGS}
    recipe = opened.recipes(KeyName(ACCOUNT)).document(own)
    write_durably(folder / RECIPE_NAME, recipe.encode(), mode=_MODE)
    table = {**table, "recipe": RECIPE_NAME}
    write_agent(AgentSettings(home=folder, node=hub.url), [table])
    read_agent(folder)


def _tick(opened: Home) -> None:
    """Write a record that is younger than what was registered: a first job needs a beacon."""
    try:
        opened.logs(KeyName(ACCOUNT)).tick()
    except (TickedError, NotFinalInTimeError):
        # Somebody else's of this very second serves as well, and what was sent lands.
        return


def _patiently(step: Callable[[], T]) -> T:
    """Do a step until it is final; each is the same step when it is done again."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return step()
        except NotFinalInTimeError:
            if time.monotonic() > deadline:
                raise


def _say(folder: Path, joined: Joined, answer: Mapping[str, Any], *, as_json: bool) -> None:
    said: Answer = {
        "home": str(folder),
        "organization": to_hex(joined.organization),
        "site": to_hex(joined.site),
        "machine": to_hex(joined.machine),
        "instruments": [to_hex(one) for one in joined.instruments],
        "lane": answer["lane"],
        "log": answer["log"],
    }
    say(said, as_json=as_json)
    if answer["lane"] is None:
        note("The hub promised no units yet; tell its operator your site.")
    else:
        note(f"Next: guildmark agent run --home {folder}")
