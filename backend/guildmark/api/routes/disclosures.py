"""Documents behind digests on chain, shown to this node: each is checked when it comes."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.bodies import check_media_type, whole
from guildmark.api.description import refusals
from guildmark.api.parameters import Hex32
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.builds.dependencies import DECLARATION_LIMITS, DEPENDENCIES_MAX
from guildmark.domain.identifiers import UINT40_MAX, Bytes32, RecipeId, bytes32_from_hex
from guildmark.domain.identity.accreditation import CHAIN_MAX
from guildmark.domain.recall import RecallCause
from guildmark.domain.recall_reason import REASON_LIMITS, REASON_TEXT_MAX
from guildmark.domain.recipes.approval import APPROVALS_MAX, REASON_MAX
from guildmark.domain.recipes.recipe import Change
from guildmark.domain.rights.fileset import CID_MAX, FILES_MAX, LIST_TYPE
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import DISCLOSURE_LIMITS

router = APIRouter(prefix="/v1/disclosures", tags=["disclosures"])

_JSON = "application/json"
_HEX32 = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}


def _closed(**members: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": sorted(members),
        "additionalProperties": False,
    }


_CLAUSES = _closed(
    leaves={"type": "array", "items": _HEX32},
    opened={
        "type": "array",
        "items": _closed(leaf={"type": "integer", "minimum": 0}, clause={"type": "object"}),
    },
)
_CLAIM = _closed(
    issuer=_HEX32,
    subject=_HEX32,
    claim=_closed(
        scheme={"type": "string", "pattern": "^[!-~]{1,32}$"},
        value={"type": "string"},
        salt=_HEX32,
    ),
)
_TEXTS = {"type": "array", "items": {"type": "string"}}
_ACCREDITATION = _closed(
    issuer=_HEX32,
    subject=_HEX32,
    scope={
        "type": "object",
        "properties": {
            "standard": {"type": "string"},
            "processes": _TEXTS,
            "materials": _TEXTS,
            "sites": {"type": "array", "items": _HEX32},
            "certificate": {"type": "string"},
            "delegations": {"type": "integer", "minimum": 0, "maximum": CHAIN_MAX - 1},
            "salt": _HEX32,
        },
        "required": ["standard"],
        "additionalProperties": False,
    },
)
_INSPECTION = _closed(
    envelope={"type": "string", "pattern": "^0x([0-9a-f]{2})*$"},
    salt=_HEX32,
    record={"type": "object"},
    position={"type": "integer", "minimum": 0},
    path={"type": "array", "items": _HEX32},
)
_ENVELOPE = _closed(
    payload={"type": "string"},
    payloadType={"type": "string"},
    signatures={"type": "array", "items": _closed(keyid=_HEX32, sig={"type": "string"})},
)
_ENCRYPTED_FILES = _closed(
    type={"const": LIST_TYPE},
    revision={"type": "integer", "minimum": 1, "maximum": UINT40_MAX},
    files={
        "type": "array",
        "items": _closed(
            cid={"type": "string", "pattern": f"^[!-~]{{1,{CID_MAX}}}$"}, ciphertext=_HEX32
        ),
        "minItems": 1,
        "maxItems": FILES_MAX,
    },
)
_SIGNED_APPROVAL = _closed(
    approval={
        "type": "object",
        "properties": {
            "recipe": _HEX32,
            "approvedOn": {"type": "integer", "minimum": 0, "maximum": UINT40_MAX},
            "reason": {
                "type": "string",
                "minLength": 1,
                "maxLength": REASON_MAX,
                "pattern": "^[^\\x00-\\x1f\\x7f]+$",
            },
            "approver": _HEX32,
            "ruled": {"enum": [one.value for one in Change]},
            "standard": {"type": "string", "maxLength": REASON_MAX},
        },
        "required": ["approvedOn", "reason", "recipe"],
        "additionalProperties": False,
    },
    signature={"type": "string", "pattern": "^0x([0-9a-f]{2})*$"},
)
_APPROVALS = {
    "type": "object",
    "properties": {
        "approvals": {"type": "array", "items": _SIGNED_APPROVAL, "maxItems": APPROVALS_MAX}
    },
    "additionalProperties": False,
}
_PLAN = {"type": "object", "required": ["recipe", "reference", "sites", "evaluator", "salt"]}
_RESULT = {"type": "object", "required": ["plan", "engine", "data", "verdicts", "gates"]}
_DATA = {"type": "object", "required": ["type", "plan", "site", "secret", "salt", "readings"]}
_REASON = _closed(reason={"type": "string", "minLength": 1, "maxLength": REASON_TEXT_MAX})
_PROFILE = {"type": "object", "properties": {"salt": _HEX32}, "required": ["salt"]}

_DEPENDENCIES = _closed(
    dependencies={
        "type": "array",
        "items": _closed(
            thing={
                "type": "object",
                "properties": {
                    "cause": {"enum": [one.value for one in RecallCause]},
                    "id": _HEX32,
                    "detail": _HEX32,
                },
                "required": ["cause", "id"],
                "additionalProperties": False,
            },
            salt=_HEX32,
        ),
        "minItems": 1,
        "maxItems": DEPENDENCIES_MAX,
    },
)

_DOCUMENTS: Mapping[DocumentKind, tuple[str, dict[str, Any]]] = MappingProxyType(
    {
        DocumentKind.TERMS: ("a license's terms", _CLAUSES),
        DocumentKind.RECIPE: ("a recipe's clauses", _CLAUSES),
        DocumentKind.SITE_RECIPE: ("a site recipe's clauses", _CLAUSES),
        DocumentKind.CLAIM: ("a claim", _CLAIM),
        DocumentKind.PROFILE: ("an identity's profile", _PROFILE),
        DocumentKind.ACCREDITATION: ("an accreditation", _ACCREDITATION),
        DocumentKind.APPROVALS: ("approvals of a recipe", _APPROVALS),
        DocumentKind.INSPECTION: ("an inspection", _INSPECTION),
        DocumentKind.DEPENDENCIES: ("what a part's maker declared", _DEPENDENCIES),
        DocumentKind.DESIGN_PICTURE: ("a design's picture", _ENVELOPE),
        DocumentKind.ENCRYPTED_FILES: ("the list of a design's encrypted files", _ENCRYPTED_FILES),
        DocumentKind.RECALL_REASON: ("why something is recalled, to everybody", _REASON),
        DocumentKind.PUBLISHED_PLAN: ("a plan of equivalence to everybody", _PLAN),
        DocumentKind.PUBLISHED_RESULT: ("the result of a plan to everybody", _RESULT),
        DocumentKind.PUBLISHED_DATA: ("a site's data under a plan to everybody", _DATA),
    }
)


_SIZES: Mapping[DocumentKind, int] = MappingProxyType(
    {
        DocumentKind.DEPENDENCIES: DECLARATION_LIMITS.size,
        DocumentKind.RECALL_REASON: REASON_LIMITS.size,
    }
)

# What is signed may be so by somebody else, or too late; a list may differ from the first.
_SIGNED: Mapping[DocumentKind, tuple[int, ...]] = MappingProxyType(
    {DocumentKind.DESIGN_PICTURE: (403, 409), DocumentKind.ENCRYPTED_FILES: (409,)}
)


def _operation(kind: DocumentKind) -> Callable[..., Awaitable[Response]]:
    async def disclose(key: Hex32, request: Request, node: Node) -> Response:
        """Keep a document after checking it against the digest on chain."""
        check_media_type(request, _JSON)
        body = await whole(request, _SIZES.get(kind, DISCLOSURE_LIMITS.size))
        await run_in_threadpool(_receive, node, kind, bytes32_from_hex(key), body)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return disclose


def _receive(node: ServedNode, kind: DocumentKind, key: Bytes32, body: bytes) -> None:
    if kind is DocumentKind.APPROVALS:
        # What counts is judged by the node's list.
        node.approving.receive(RecipeId(key), body)
    else:
        node.disclosing.receive(kind, key, body)


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {_JSON: {"schema": schema}}}}


# An operation a kind, since each takes a document of its own shape.
for _kind, (_what, _schema) in _DOCUMENTS.items():
    router.add_api_route(
        f"/{_kind.value}/{{key}}",
        _operation(_kind),
        methods=["PUT"],
        name=f"disclose_{_kind.name.lower()}",
        summary=f"Disclose {_what}",
        status_code=HTTPStatus.NO_CONTENT,
        response_class=Response,
        responses=refusals(400, 404, 408, 413, 415, 422, 503, *_SIGNED.get(_kind, ())),
        openapi_extra=_body(_schema),
    )
