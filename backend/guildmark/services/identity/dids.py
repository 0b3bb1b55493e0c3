"""The DID documents of identities: which keys speak for them now, and what else they are called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from guildmark.domain.chain.facts import ClaimFact, IdentityFact, KeyFact, MachineKeyFact
from guildmark.domain.chain.refusals import IdentityUnknownError
from guildmark.domain.identifiers import Bytes32, ChainId, IdentityId, to_hex
from guildmark.domain.identity.did import (
    account_did,
    account_id,
    escaped,
    host_did,
    identity_did,
    jwk,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.signatures import Algorithm, MalformedKeyError, PublicKey
from guildmark.domain.trust import Trust
from guildmark.ports.store import View
from guildmark.services.identity.cards import Stated, stated
from guildmark.services.identity.guardians import recovery
from guildmark.services.identity.notices import counting, is_act_doubted, is_speaker_doubted
from guildmark.services.index.projection import known

Member: TypeAlias = str | Sequence[str] | Sequence["Mapping[str, str | Mapping[str, str]]"]
Document: TypeAlias = Mapping[str, Member]

DOUBTED = "GuildmarkControllerDoubted"
"""The type of a service that tells why nobody speaks for an identity at present."""

_CORE = "https://www.w3.org/ns/did/v1"
_JWK = "https://w3id.org/security/suites/jws-2020/v1"
_ACCOUNT = "https://w3id.org/security/suites/secp256k1recovery-2020/v2"
# Application identifiers of GS1 Digital Link: a party, or a physical place.
_PARTY, _PLACE = "417", "414"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dids:
    """Use cases around DID documents.

    Args:
        host: Who serves them, port included.
        chain_id: The chain of the controllers' accounts.
        trust: Whose claims give further names, and which authorities' notices count.
        operator: Whom the host's own document is about, None where it has none.
    """

    host: str
    chain_id: ChainId
    trust: Trust
    operator: IdentityId | None = None

    def of_identity(self, identity: IdentityId, view: View) -> Document:
        """Return the document of an identity.

        Raises:
            IdentityUnknownError: No final block holds it.
        """
        return self._document(identity_did(self.host, identity), identity, view)

    def of_host(self, operator: IdentityId, view: View) -> Document:
        """Return the document of the host, which is about its operator.

        Raises:
            IdentityUnknownError: No final block holds the operator.
        """
        return self._document(host_did(self.host), operator, view)

    def _document(self, did: str, identity: IdentityId, view: View) -> Document:
        fact = view.facts.get(IdentityFact, identity)
        if fact is None:
            message = f"No final block holds the identity {to_hex(identity)}."
            raise IdentityUnknownError(message, identity=to_hex(identity))
        is_doubted = self._is_doubted(identity, view)
        account = [] if is_doubted else [self._account(did, fact)]
        keys = list(_methods(did, self._in_force(identity, view)))
        # Nobody but the identity itself may speak for it, and it says where to read why.
        spoken = self._doubt(did, identity) if is_doubted else self._controller(fact)
        return {
            "@context": [_CORE, _JWK, _ACCOUNT],
            "id": did,
            **spoken,
            "alsoKnownAs": [one for one in self._names(fact, view) if one != did],
            "verificationMethod": [*account, *keys],
            "authentication": [str(one["id"]) for one in account],
            "assertionMethod": [str(one["id"]) for one in keys],
        }

    def _controller(self, fact: IdentityFact) -> Document:
        return {"controller": account_did(self.chain_id, fact.controller)}

    def _doubt(self, did: str, identity: IdentityId) -> Document:
        service = {
            "id": f"{did}#notice",
            "type": DOUBTED,
            "serviceEndpoint": f"https://{self.host}/v1/identities/{to_hex(identity)}",
        }
        return {"service": [service]}

    def _account(self, did: str, fact: IdentityFact) -> Mapping[str, str]:
        return {
            "id": f"{did}#controller",
            "type": "EcdsaSecp256k1RecoveryMethod2020",
            "controller": did,
            "blockchainAccountId": account_id(self.chain_id, fact.controller),
        }

    def _is_doubted(self, identity: IdentityId, view: View) -> bool:
        """Return whether its present controller is under notice, or about to be replaced."""
        noticed = is_speaker_doubted(identity, view.facts, self.trust)
        return noticed or recovery(identity, view.facts) is not None

    def _in_force(self, machine: IdentityId, view: View) -> Iterator[KeyFact]:
        """Yield a machine's keys that are not ended, nor under notice, nor added by a thief."""
        noticed = {one.target for one in counting(machine, view.facts, self.trust)}
        for one in view.facts.each(MachineKeyFact, machine):
            key = known(view.facts, KeyFact, one.id)
            is_good = not key.until and Bytes32(key.id) not in noticed
            if is_good and not is_act_doubted(machine, key.since, view.facts, self.trust):
                yield key

    def _names(self, fact: IdentityFact, view: View) -> Iterator[str]:
        yield identity_did(self.host, fact.id)
        if fact.id == self.operator:
            yield host_did(self.host)
        for one in stated(fact.id, view):
            if self._is_known(one):
                yield self._name(fact, one.scheme, str(one.value))

    def _is_known(self, one: Stated) -> bool:
        """Return whether a listed issuer states it in due form and no listed one contradicts."""
        is_open = one.value is not None and not one.fact.until and not one.is_malformed
        return is_open and self._lists(one.fact) and not any(map(self._lists, one.rivals))

    def _lists(self, claim: ClaimFact) -> bool:
        return self.trust.lists_issuer(claim.issuer, claim.since)

    def _name(self, fact: IdentityFact, scheme: str, value: str) -> str:
        if scheme == "GLN":
            place = _PLACE if fact.kind == IdentityKind.SITE else _PARTY
            return f"https://id.gs1.org/{place}/{value}"
        query = f"scheme={escaped(scheme)}&value={escaped(value)}"
        # No other register has a form as URI that everybody knows: where to look it up is one.
        return f"https://{self.host}/v1/identities?{query}"


def _methods(did: str, keys: Iterator[KeyFact]) -> Iterator[Mapping[str, str | Mapping[str, str]]]:
    for fact in keys:
        try:
            key = PublicKey(algorithm=Algorithm(fact.algorithm), data=fact.public_key)
        except MalformedKeyError:
            # The chain asks for length and first byte alone: under such a key nothing verifies.
            continue
        yield {
            "id": f"{did}#{to_hex(fact.id)}",
            "type": "JsonWebKey2020",
            "controller": did,
            "publicKeyJwk": jwk(key),
        }
