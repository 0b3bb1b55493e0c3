"""Certificates as verifiable credentials, signed by who speaks for the evaluator."""

from dataclasses import dataclass

from guildmark.domain.chain.facts import CertificateFact, IdentityFact, PlanEntryFact
from guildmark.domain.chain.refusals import CallerRefusedError, CertificateUnknownError
from guildmark.domain.equivalence.reporting.credential import ConformityCredential, compact
from guildmark.domain.equivalence.reporting.report import Certified
from guildmark.domain.identifiers import EquivalencePlanId, IdentityId, to_hex
from guildmark.domain.identity.did import identity_did
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import NodeStore
from guildmark.services.builds.builds import signing_key
from guildmark.services.equivalence.protocol import registered
from guildmark.services.identity.naming import name_of
from guildmark.services.index.projection import known


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Use cases around credentials.

    Args:
        host: Who serves the DID documents of evaluator and site, and the certificate's status.
    """

    store: NodeStore
    keys: KeyStore
    host: str

    def sign(self, plan: EquivalencePlanId, site: IdentityId, *, key: KeyName) -> bytes:
        """Return a certificate as a signed credential, a JWS in compact form.

        Raises:
            PlanUnknownError: No final block holds the plan.
            CertificateUnknownError: Nothing is certified.
            CallerRefusedError: The key is not that of the evaluator's controller.
        """
        with self.store.reading() as view:
            made = registered(plan, view).plan
            given = view.facts.get(CertificateFact, plan, site)
            if given is None:
                message = f"Nothing is certified of {to_hex(site)} under {to_hex(plan)}."
                raise CertificateUnknownError(message, plan=to_hex(plan), site=to_hex(site))
            evaluator = known(view.facts, IdentityFact, made.evaluator)
            credential = ConformityCredential(
                issuer=identity_did(self.host, made.evaluator),
                issuer_name=name_of(made.evaluator, view.documents),
                host=self.host,
                site=site,
                site_did=identity_did(self.host, site),
                site_name=name_of(site, view.documents),
                plan=plan,
                recipe=made.recipe,
                document=made.document,
                number=known(view.facts, PlanEntryFact, plan, site).number,
                given=Certified.of(given),
            )
        if self.keys.address(key) != evaluator.controller:
            message = f"The key {key} does not control the evaluator {to_hex(made.evaluator)}."
            raise CallerRefusedError(message, evaluator=to_hex(made.evaluator))
        signed = credential.signing_input(signing_key(self.keys, key))
        return compact(signed, self.keys.sign_payload(key, signed))
