"""Where the page of what somebody typed or scanned is."""

from starlette.requests import Request

from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.api.hosts import located, own_hosts
from guildmark.api.serving import ServedNode
from guildmark.domain.bundle import read as read_bundle
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.errors import (
    GuildmarkError,
    NotLoggedError,
    UnknownPartError,
    UntrustedError,
)
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.labels.digital_link import DigitalLink, operator_token
from guildmark.domain.labels.proof import BEGIN as PROOF
from guildmark.domain.labels.proof import ProofCode
from guildmark.domain.labels.typed import (
    TypedLink,
    TypedPlace,
    TypedSerial,
    TypedToken,
    read_typed,
)

_PUNYCODE = "xn--"


class HostForeignError(UnknownPartError):
    """A link of another host, with a label that this node has no record of."""

    code = "typed.hostForeign"
    hint = "Open the link itself: its own host may know the part."


class HostLookAlikeError(UntrustedError):
    """A link of a host whose name looks like this node's and is another one."""

    code = "typed.hostLookAlike"
    hint = "Do not open the link, and tell whoever sold the part: its label may be a forgery."


class ProofElsewhereError(NotLoggedError):
    """A proof code about an entry that the log does not have at that place."""

    code = "typed.proofElsewhere"
    hint = "Do not rely on the part: its code proves nothing of this log."


def path_of_typed(node: ServedNode, text: str, request: Request) -> str:
    """Return the path of the page of the part that a text names.

    Raises:
        MalformedError: It names nothing that a part can be found by.
        LabelUnknownError: Nothing on record is named so.
        HostForeignError: Another host may know it.
        HostLookAlikeError: The link is made to be taken for one of this node's.
        TokenElsewhereError: The token is of another chain or contract.
        NotLoggedError: The log has another entry at the place of a proof code.
    """
    if text.startswith(PROOF):
        return _proof_path(node, ProofCode.parse(text))
    match read_typed(text):
        case TypedPlace(log=log, index=index):
            return f"/parts/{log}.{index}"
        case TypedToken() as token:
            pin = node.ledger.pin()
            parts = pin.contracts[ContractName.PARTS].address
            log, index = token.place(pin.chain_id, parts)
            return f"/parts/{log}.{index}"
        case TypedSerial() as typed:
            link = typed.link(node.judging.host, operator_token(node.settings.operator))
            return _page_path(link, located(node, link.path, request))
        case TypedLink(link=link, hint=hint):
            return _link_path(node, link, hint, request)


def _proof_path(node: ServedNode, proof: ProofCode) -> str:
    """Return the path of a proof code's part: the page judges the evidence that this node has."""
    log, index = proof.place
    shown = read_bundle(node.bundles.bundle(log, index)).core
    if (shown.entry, shown.record) != (proof.entry, proof.record()):
        message = f"The log has another entry at {log}.{index} than the code says."
        raise ProofElsewhereError(message, log=log, index=index)
    return f"/parts/{log}.{index}"


def _link_path(
    node: ServedNode,
    link: DigitalLink,
    hint: tuple[LogNumber, Index] | None,
    request: Request,
) -> str:
    hosts = own_hosts(node, request)
    if link.host in hosts:
        return _page_path(link, hint or located(node, link.path, request))
    # The hint of another host's link is about that host's log.
    place = node.bundles.locate(link.label)
    if place is None:
        raise _elsewhere(link.host, hosts)
    return _page_path(link, place)


def _page_path(link: DigitalLink, place: tuple[LogNumber, Index]) -> str:
    log, index = place
    if link.prefix:
        return f"/parts/{log}.{index}"
    # The label's own page compares it with what the statement says.
    return f"{link.path}?p={log}.{index}"


def _elsewhere(host: str, hosts: tuple[str, ...]) -> GuildmarkError:
    if any(_looks_like(host, own) for own in hosts if own):
        message = f"The link's host is {host}. It looks like {hosts[0]}, and is another one."
        return HostLookAlikeError(message, host=host)
    message = f"The link is one of {host}. This node, {hosts[0]}, has no record of its label."
    return HostForeignError(message, host=host)


def _looks_like(host: str, own: str) -> bool:
    names = UnicodeNames()
    bare, true = (each.partition(":")[0] for each in (host, own))
    seen = ".".join(_shown(each) for each in bare.split("."))
    # A digit's prototype may be a capital letter: 0 and O.
    same = names.skeleton(seen).lower() == names.skeleton(true).lower() and bare != true
    return same or bare.startswith(f"{true}.")


def _shown(name: str) -> str:
    """Return a name of a host as a browser may show it."""
    if not name.startswith(_PUNYCODE):
        return name
    try:
        return name.removeprefix(_PUNYCODE).encode("ascii").decode("punycode")
    except UnicodeError:
        return name
