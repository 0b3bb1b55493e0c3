"""A certificate as a verifiable credential: W3C VC 2.0, secured by JOSE (VC-JOSE-COSE).

Its members are those of the UN Transparency Protocol's Digital Conformity Credential.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.equivalence.reporting.report import Certified
from guildmark.domain.equivalence.reporting.standing import STATUS_TYPE
from guildmark.domain.identifiers import (
    Digest,
    EquivalencePlanId,
    IdentityId,
    RecipeId,
    to_hex,
)
from guildmark.domain.identity.did import jwk
from guildmark.domain.signatures import Algorithm, PublicKey

CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://test.uncefact.org/vocabulary/untp/dcc/0.6.0/",
)
JOSE_TYPE = "vc+jwt"
TYPES = ("DigitalConformityCredential", "VerifiableCredential")

# RFC 8812, RFC 7518, RFC 8037.
ALGORITHMS: Mapping[Algorithm, str] = {
    Algorithm.SECP256K1: "ES256K",
    Algorithm.P256: "ES256",
    Algorithm.ED25519: "EdDSA",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformityCredential:
    """What an evaluator certified of a site.

    Args:
        issuer: The evaluator's DID.
        issuer_name: What its profile calls it, empty where that is not known.
        host: Whose node tells what becomes of the certificate.
        document: The digest of the plan.
        number: The plan's number among those of the recipe that the site joined.
    """

    issuer: str
    issuer_name: str
    host: str
    site: IdentityId
    site_did: str
    site_name: str
    plan: EquivalencePlanId
    recipe: RecipeId
    document: Digest
    number: int
    given: Certified

    def to_json(self) -> JsonObject:
        """Return the credential as a document."""
        given = self.given
        found: dict[str, JsonValue] = {
            "@context": list(CONTEXTS),
            "type": list(TYPES),
            "id": self._id,
            "issuer": _named("CredentialIssuer", self.issuer, self.issuer_name),
            "validFrom": written_time(given.since),
            "credentialSubject": self._attestation(),
            "credentialStatus": {"id": self._status, "type": STATUS_TYPE},
        }
        ends = [end for end in (given.until, given.suspended_at, given.lapsed_at) if end]
        if ends:
            found["validUntil"] = written_time(min(ends))
        return found

    def signing_input(self, key: PublicKey) -> bytes:
        """Return what the issuer signs as a JWS in compact form.

        Args:
            key: The issuer's; it goes along, since a DID document may hold its account alone.
        """
        header: JsonObject = {
            "alg": ALGORITHMS[key.algorithm],
            "typ": JOSE_TYPE,
            "cty": "vc",
            "kid": f"{self.issuer}#controller",
            "jwk": dict(jwk(key)),
        }
        return b".".join(map(_text, (canonical(header), canonical(self.to_json()))))

    @property
    def _id(self) -> str:
        return f"urn:guildmark:equivalence:{to_hex(self.plan)}:{to_hex(self.site)}"

    @property
    def _status(self) -> str:
        """Return where the node tells of this one certificate."""
        plan, site = to_hex(self.plan), to_hex(self.site)
        return f"https://{self.host}/v1/equivalence/plans/{plan}/sites/{site}/certificate"

    def _attestation(self) -> JsonObject:
        return {
            "type": ["ConformityAttestation", "Attestation"],
            "id": f"{self._id}#attestation",
            "name": f"Equivalence under plan {self.number}",
            "assessorLevel": "3rdParty",
            "attestationType": "certification",
            "issuedToParty": _named("Facility", self.site_did, self.site_name),
            "scope": {
                "type": ["ConformityAttestationScheme"],
                "id": f"urn:guildmark:plan:{to_hex(self.plan)}",
                "name": f"Recipe {to_hex(self.recipe)}, plan digest {to_hex(self.document)}",
            },
            "assessment": [self._assessment()],
        }

    def _assessment(self) -> JsonObject:
        return {
            "type": ["ConformityAssessment", "Declaration"],
            "id": f"{self._id}#assessment",
            "assessmentDate": written_time(self.given.since)[:10],
            "conformityTopic": "governance.compliance",
            "conformance": self.given.verdict == "EQUIVALENT",
            "description": described(self.given),
            "assessedFacility": [_named("Facility", self.site_did, self.site_name)],
        }


def compact(signed: bytes, signature: bytes) -> bytes:
    """Return a JWS in compact form (RFC 7515, 7.1)."""
    return b".".join((signed, _text(signature)))


def _named(kind: str, did: str, name: str) -> JsonObject:
    return {"type": [kind], "id": did, "name": name or did}


def described(given: Certified) -> str:
    """Return what an assessment says that a certificate found."""
    return f"{given.verdict}; SHA-256 of the result {to_hex(given.result)}"


def written_time(seconds: int) -> str:
    """Return block seconds as a credential writes them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
