"""A node's HTTP interface as its clients see it: peers, agents, sites, this package's commands."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from guildmark.adapters.lean import httpx
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.equivalence.reporting.standing import CertificateState
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import (
    Address,
    Cid,
    DesignId,
    Digest,
    EquivalencePlanId,
    IdentityId,
    Index,
    KeyId,
    LaneNumber,
    LogNumber,
    SiteRecipeId,
    from_hex,
    to_hex,
)
from guildmark.domain.log.positions import read_positions
from guildmark.domain.rights.fileset import LIST_TYPE, EncryptedList
from guildmark.domain.rights.release import ReceiptProof, Released, read_proof
from guildmark.domain.shopfloor.fieldwork import Brief
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind

BUNDLE_MAX = 32 << 20
T = TypeVar("T")

_JSON = "application/json"
_ANSWER_LIMITS = Limits(size=16 << 20)
_TIMEOUT = 20.0
# The node may have to bring the file to further stores first.
_FINISH_TIMEOUT = 600.0


class PeerRefusedError(GuildmarkError):
    """The node refused the request; its own code and sentence are in the message."""

    code = "peer.refused"
    hint = "Correct what the node names and send it again."


@dataclass(slots=True)
class NodeClient:
    """One node, by its address.

    Args:
        url: The address, without a last slash.
        transport: What carries the requests, for tests.
    """

    url: str
    transport: httpx.BaseTransport | None = None
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._http = httpx.Client(
            base_url=self.url,
            timeout=_TIMEOUT,
            follow_redirects=False,
            transport=self.transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def is_ready(self) -> bool:
        """Return whether the node takes requests."""
        try:
            return self._http.get("/readyz").status_code == HTTPStatus.OK
        except httpx.HTTPError:
            return False

    def beacon(self) -> Mapping[str, Any]:
        """Return the newest final record, to be named in the next statement."""
        return self._object("GET", "/v1/beacon")

    def brief(
        self, machine: IdentityId, *, key: KeyId, lane: LaneNumber, site_recipe: SiteRecipeId
    ) -> Brief:
        """Return what a machine's agent must know."""
        answer = self._request(
            "GET",
            f"/v1/machines/{to_hex(machine)}/brief",
            params={"key": to_hex(key), "lane": lane, "siteRecipe": to_hex(site_recipe)},
        )
        return self._read(Brief.parse, answer.content)

    def submit(self, envelopes: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        """Send envelopes and return an answer for each."""
        body = b"\n".join(envelopes)
        answer = self._object(
            "POST", "/v1/builds", content=body, headers={"Content-Type": "application/x-ndjson"}
        )
        answers: Sequence[Mapping[str, Any]] = self._member(answer, "answers")
        return answers

    def build(self, digest: Digest) -> Mapping[str, Any]:
        """Return what became of an envelope."""
        return self._object("GET", f"/v1/builds/{to_hex(digest)}")

    def release(self, envelope: bytes) -> Released:
        """Send a signed request for keys and return what comes back; nothing is believed yet."""
        with self._answers():
            response = self._http.post(
                "/v1/releases", content=envelope, headers={"Content-Type": _JSON}
            )
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            # Another node may be able to.
            message = f"{self.url} cannot release keys now."
            raise PeerUnavailableError(message, url=self.url)
        if response.is_error:
            _refuse(response.status_code, response.content)
        return self._read(Released.parse, response.content)

    def receipt_proof(self, request: Digest) -> ReceiptProof:
        """Return the proof that a receipt is in the node's log; nothing is believed yet."""
        answer = self._request("GET", f"/v1/releases/{to_hex(request)}/proof")
        return self._read(read_proof, answer.content)

    def receipts(self, query: bytes) -> tuple[Sequence[ReceiptProof], str]:
        """Return the proofs of a license's receipts, for its licensor, and the page's address."""
        answer = self._object(
            "POST", "/v1/reconciliations", content=query, headers={"Content-Type": _JSON}
        )
        proofs = [
            self._read(lambda text: read_proof(from_hex(text.decode())), str(one).encode())
            for one in self._member(answer, "proofs")
        ]
        return proofs, str(self._member(answer, "page"))

    def _read(self, parse: Callable[[bytes], T], data: bytes) -> T:
        try:
            return parse(data)
        except MalformedError as exc:
            message = f"{self.url} does not answer as a node does: {exc.message}"
            raise PeerUnavailableError(message, url=self.url) from exc

    def disclose(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Send a document that opens what the chain commits to."""
        self._request(
            "PUT",
            f"/v1/disclosures/{kind.value}/{to_hex(key)}",
            content=body,
            headers={"Content-Type": _JSON},
        )

    def put_content(self, chunks: Iterable[bytes]) -> Cid:
        """Send a file and return its CID as the node computed it."""
        answer = self._object(
            "POST",
            "/v1/content",
            content=chunks,
            headers={"Content-Type": "application/octet-stream"},
        )
        return Cid(self._member(answer, "cid"))

    def begin_upload(self, size: int) -> str:
        """Begin the upload of a file and return its name."""
        answer = self._object("POST", "/v1/uploads", params={"size": size})
        return str(self._member(answer, "upload"))

    def upload_offset(self, upload: str) -> int | None:
        """Return how far an upload is, None where the node does not know it."""
        with self._answers():
            response = self._http.get(f"/v1/uploads/{upload}")
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if response.is_error:
            _refuse(response.status_code, response.content)
        offset = self._member(self._parsed(response), "offset")
        if not isinstance(offset, int) or offset < 0:
            message = f"{self.url} does not answer as a node does: the offset is no number."
            raise PeerUnavailableError(message, url=self.url)
        return offset

    def append_upload(self, upload: str, offset: int, chunks: Iterable[bytes]) -> None:
        """Send what follows ``offset``; where it breaks off, ask for the offset again."""
        self._request(
            "POST",
            f"/v1/uploads/{upload}/parts",
            params={"offset": offset},
            content=chunks,
            headers={"Content-Type": "application/octet-stream"},
        )

    def finish_upload(self, upload: str) -> Cid:
        """End an upload and return the file's CID as the node computed it."""
        answer = self._object("POST", f"/v1/uploads/{upload}/file", timeout=_FINISH_TIMEOUT)
        return Cid(self._member(answer, "cid"))

    def get_content(self, cid: Cid) -> Iterator[bytes]:
        """Yield a file's bytes; whoever stores them computes the address again."""
        with self._answers(), self._http.stream("GET", f"/v1/content/{cid}") as response:
            if response.is_error:
                _refuse(response.status_code, response.read())
            yield from response.iter_bytes()

    def encrypted_files(self, design: DesignId, revision: int) -> EncryptedList | None:
        """Return the list of a revision's encrypted files, None where the node shows none."""
        with self._answers():
            response = self._http.get(f"/v1/designs/{to_hex(design)}")
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if response.is_error:
            _refuse(response.status_code, response.content)
        files = _listed(self._member(self._parsed(response), "revisions"), revision)
        if files is None:
            return None
        members = {"type": LIST_TYPE, "revision": revision, "files": files}
        return self._read(EncryptedList.parse, canonical(members))

    def bundle(
        self,
        log: LogNumber,
        index: Index,
        *,
        block: int | None = None,
        ask_peers: bool = False,
        choice: Choice = ANYBODY,
    ) -> bytes | None:
        """Return the bundle of a part, None where the node has none.

        Args:
            log: The log.
            index: The entry's index in it.
            block: The block of the proofs, the newest by default.
            ask_peers: Whether the node shall ask others for what it does not hold; a node that
                asks for itself says no, so that no question goes in circles.
            choice: Whom the asker lists: they go before others where not all can be shown.
        """
        params: dict[str, str | int] = {"peers": str(ask_peers).lower(), **dict(_named(choice))}
        if block is not None:
            params["block"] = block
        path = f"/v1/parts/{log}.{index}/bundle"
        with self._answers(), self._http.stream("GET", path, params=params) as response:
            body = _bounded(response)
        # What was erased is at no node.
        if response.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return None
        if response.is_error:
            _refuse(response.status_code, body)
        return body

    def invitation(self, token: str) -> bytes:
        """Return where an invitation leads; nothing of it is believed yet."""
        return self._request("GET", f"/v1/invitations/{token}").content

    def join(self, token: str, account: Address) -> bytes:
        """Join with an account; the answer is that of ``invitation``."""
        path = f"/v1/invitations/{token}/accounts/{to_hex(account)}"
        return self._request("PUT", path).content

    def hand_out(self, token: str, site: IdentityId) -> bytes:
        """Ask for the promised units for a site; the answer is that of ``invitation``."""
        return self._request("PUT", f"/v1/invitations/{token}/sites/{to_hex(site)}").content

    def log_checkpoint(self, log: LogNumber) -> bytes:
        """Return the newest checkpoint of a log; nothing of it is believed yet."""
        return self._request("GET", f"/log/{log}/checkpoint").content

    def log_key(self, log: LogNumber) -> str:
        """Return the key that the node says signs its log's checkpoints."""
        return self._request("GET", f"/log/{log}/key").text.strip()

    def claim(self, part: str, code: str, token: bytes) -> bytes:
        """Claim a part by its hidden code, and return the node's receipt."""
        path, body = f"/v1/parts/{part}/claims", {"code": code, "token": to_hex(token)}
        return str(self._member(self._object("POST", path, json=body), "receipt")).encode()

    def log_proof(self, log: LogNumber, seq: int) -> bytes:
        """Return the proof that a record is in its log, as text; nothing of it is believed yet."""
        return self._request("GET", f"/v1/logs/{log}/records/{seq}/proof").content

    def equivalence_report(self, plan: EquivalencePlanId) -> bytes:
        """Return the report of a published result; nothing of it is believed yet."""
        return self._request("GET", f"/v1/equivalence/plans/{to_hex(plan)}/report").content

    def equivalence_data(self, plan: EquivalencePlanId, site: IdentityId) -> bytes:
        """Return the published data of a site; nothing of them is believed yet."""
        path = f"/v1/equivalence/plans/{to_hex(plan)}/sites/{to_hex(site)}/data"
        return self._request("GET", path).content

    def certificate_state(self, plan: EquivalencePlanId, site: IdentityId) -> CertificateState:
        """Return what a node says became of a certificate; an answer that is none is refused."""
        path = f"/v1/equivalence/plans/{to_hex(plan)}/sites/{to_hex(site)}/certificate"
        return self._read(CertificateState.parse, self._request("GET", path).content)

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        """Return where the node knows entries of a label; an answer that is none is refused."""
        with self._answers():
            response = self._http.get("/v1/parts", params={"label": label})
        if response.status_code == HTTPStatus.NOT_FOUND:
            return []
        if response.is_error:
            _refuse(response.status_code, response.content)
        return self._read(read_positions, response.content)

    def _object(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        return self._parsed(self._request(method, path, **options))

    def _parsed(self, response: httpx.Response) -> Mapping[str, Any]:
        return self._read(lambda data: parse_object(data, _ANSWER_LIMITS), response.content)

    def _member(self, answer: Mapping[str, Any], name: str) -> Any:
        if name not in answer:
            message = f"{self.url} does not answer as a node does: there is no {name!r}."
            raise PeerUnavailableError(message, url=self.url)
        return answer[name]

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        with self._answers():
            response = self._http.request(method, path, **options)
        if response.is_error:
            _refuse(response.status_code, response.content)
        return response

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as exc:
            message = f"{self.url} does not answer: {type(exc).__name__}."
            raise PeerUnavailableError(message, url=self.url) from exc


def _listed(revisions: Any, number: int) -> Any:
    """Return what a design's answer says of a revision's encrypted files, None for nothing."""
    named = revisions if isinstance(revisions, list) else []
    found = [one for one in named if isinstance(one, dict) and one.get("number") == number]
    return found[0].get("files") if found else None


def _named(choice: Choice) -> Iterator[tuple[str, str]]:
    for what in ("authorities", "issuers", "inspectors"):
        if named := getattr(choice, what):
            yield what, ",".join(map(to_hex, named))


def _bounded(response: httpx.Response) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > BUNDLE_MAX:
            message = f"The node's answer has more than {BUNDLE_MAX} bytes."
            raise PeerUnavailableError(message, limit=BUNDLE_MAX)
    return body


def _refuse(status: int, body: bytes) -> NoReturn:
    """Raise what a problem document says (RFC 9457)."""
    try:
        problem = parse_object(body, _ANSWER_LIMITS)
    except MalformedError:
        problem = {}
    message = f"The node answers {status}: {str(problem.get('detail', ''))[:300]}"
    raise PeerRefusedError(message, status=status, reason=str(problem.get("code", ""))[:80])
