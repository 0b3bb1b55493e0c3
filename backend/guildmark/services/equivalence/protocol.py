"""The protocol of equivalence: plan, join, commit, reveal, compute, certify, challenge, suspend."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import IdentityFact, PlanEntryFact, PlanFact
from guildmark.domain.chain.refusals import (
    BlindOpeningError,
    EquivalenceDoneError,
    PlanUnknownError,
)
from guildmark.domain.equivalence.blinded import BlindData, SiteData, instruments_of
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.following import check_follows
from guildmark.domain.equivalence.plan import EquivalencePlan, Kind
from guildmark.domain.equivalence.registration import Lapse, Outcome, Registration
from guildmark.domain.equivalence.reporting.report import gathered
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import ContentError, GuildmarkError, NotFoundError, UsageError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    EquivalencePlanId,
    IdentityId,
    MalformedHexError,
    bytes32_from_hex,
    to_hex,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.ports.chain import IdempotencyMismatchError
from guildmark.ports.clock import Entropy
from guildmark.ports.content import Vault
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.equivalence.sampling import check_data, plan_document
from guildmark.services.identity.accounts import Account

Compute: TypeAlias = Callable[[EquivalencePlan, Dataset], EquivalenceResult]

_SALT_SIZE = 32
_INFO = b"guildmark/equivalence-data/v1"


class OtherPlanDocumentError(ContentError):
    """A document that is not the one that a plan on chain commits to."""

    code = "equivalence.otherPlanDocument"
    hint = "Ask the sponsor for the file that `guildmark equivalence plan --out` wrote."


class DataUnknownError(NotFoundError):
    """This home does not hold the data that a site committed to."""

    code = "equivalence.dataUnknown"
    hint = "Use the home that committed to the data."


class RevealedDataMissingError(NotFoundError):
    """A site revealed data that this home does not hold."""

    code = "equivalence.revealedMissing"
    hint = (
        "Open what the site sealed: `guildmark equivalence unseal`. If it never sent it, say so: "
        "`guildmark equivalence run --without SITE`."
    )


class PlanWithoutPartsError(UsageError):
    """A plan that compares processes alone, of which no certificate could speak."""

    code = "equivalence.planWithoutParts"
    hint = "Add a characteristic of kind `part`: certificates say whether parts are equivalent."


class ResultOfOtherPlanError(UsageError):
    """A result that was computed from another plan than the one that is certified."""

    code = "equivalence.resultOfOtherPlan"
    hint = "Name the file that `guildmark equivalence run` wrote for this plan."


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a site committed to, and the same sealed to the evaluator."""

    root: Digest
    blind: Digest
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Use cases around equivalence; the account speaks for sponsor, site or evaluator."""

    account: Account
    store: NodeStore
    entropy: Entropy
    vault: Vault

    def plan(self, plan: EquivalencePlan, *, sponsor: IdentityId) -> EquivalencePlanId:
        """Register a plan before any data, as the sponsor's controller, and return its id.

        Raises:
            PlanWithoutPartsError: It compares processes alone.
            PlanOffRecipeError: It asks for what the recipe does not, or in another unit, as far
                as this home knows the recipe.
            MalformedHexError: A site or the evaluator is named by no identity's id.
            RegistrationError: More sites than a contract takes.
            CallerRefusedError: The account does not speak for the sponsor.
            EquivalenceCallError: A deadline is over.
            EquivalenceDoneError: The plan is on record.
        """
        if all(one.kind is Kind.PROCESS for one in plan.characteristics):
            message = "The plan compares processes alone; no certificate could come of it."
            raise PlanWithoutPartsError(message)
        self._check_recipe(plan)
        made = Registration(
            recipe=plan.recipe,
            sponsor=sponsor,
            evaluator=_identity(plan.evaluator),
            document=plan.digest(),
            commit_by=plan.commit_by,
            reveal_by=plan.reveal_by,
            sites=tuple(map(_identity, plan.all_sites)),
        )
        # Kept before anything is sent: what opens a digest on chain must not be lost.
        _keep(self.store, DocumentKind.EQUIVALENCE_PLAN, made.id(), plan.encode())
        self._call("register", _struct(made), once=made.id().hex())
        return made.id()

    def join(self, plan: EquivalencePlanId, site: IdentityId, scope: Digest) -> None:
        """Let a site take part, as its controller; what it builds from now on are its data.

        Raises:
            PlanUnknownError: No final block holds the plan.
            EquivalenceLateError: Its data are due already.
            EquivalenceDoneError: The site joined already.
        """
        struct = _struct(_registered(plan, self.store))
        self._call("join", struct, site, scope, once=_once(plan, site))

    def commit(
        self,
        plan: EquivalencePlanId,
        site: IdentityId,
        shown: SiteData,
        *,
        recipient: bytes,
    ) -> Committed:
        """Commit to a site's data, sealed to the evaluator's key, as the site's controller.

        A site commits once: where this home knows the plan, data that its evaluator would not use
        are refused before. The same data again are sealed again, and nothing is sent; other data
        are refused, and what opens the first ones stays.

        Raises:
            ForeignReadingError: There is no reading, or one is of another site.
            StatisticsMismatchError: A claimed figure is not that of the readings.
            SampleError: The readings are not those of the units that the plan draws.
            SampleTooEarlyError: The units that the plan draws from are not all on record.
            MalformedError: The evaluator's key is none.
            EquivalenceEarlyError: The site did not join.
            EquivalenceLateError: The deadline is over.
            EquivalenceDoneError: The site committed already.
        """
        with self.store.reading() as view:
            former = _data(plan, site, view)
            data = former if former and former.shown == shown else self._blinded(plan, site, shown)
            body = view.documents.get(DocumentKind.EQUIVALENCE_PLAN, plan)
            if body is not None:
                check_data(EquivalencePlan.parse(body), data, view)
            entry = view.facts.get(PlanEntryFact, plan, site)
        if entry is not None and entry.committed_at and entry.blind != data.blind():
            raise _committed_before(plan, site)
        sealed = self.vault.seal(data.encode(), recipient, info=_info(plan, site))
        self._keep_data(data)
        try:
            self._call("commit", plan, site, data.blind(), once=_once(plan, site))
        except (EquivalenceDoneError, IdempotencyMismatchError) as error:
            if former is not None:
                self._keep_data(former)
            raise _committed_before(plan, site) from error
        return Committed(root=data.root(), blind=data.blind(), sealed=sealed)

    def reveal(self, plan: EquivalencePlanId, site: IdentityId) -> Digest:
        """Reveal the root of the data that this home holds, and return it.

        Raises:
            DataUnknownError: The data are not here.
            EquivalenceEarlyError: Others may still commit blindly.
            EquivalenceLateError: The deadline is over.
        """
        with self.store.reading() as view:
            data = _data(plan, site, view)
        if data is None:
            message = f"The data of {to_hex(site)} are not in this home."
            raise DataUnknownError(message, plan=to_hex(plan), site=to_hex(site))
        self._call("reveal", plan, site, data.root(), data.salt, once=_once(plan, site))
        return data.root()

    def certify(
        self,
        plan: EquivalencePlanId,
        site: IdentityId,
        verdict: Outcome,
        result: Digest,
        *,
        until: int = 0,
    ) -> None:
        """Say what was found of a site, as the evaluator's controller, once.

        Raises:
            CallerRefusedError: The account does not speak for the evaluator.
            EquivalenceEarlyError: The site did not reveal its data.
            EquivalenceDoneError: The site is certified already.
        """
        self._call("certify", plan, site, verdict, result, until, once=_once(plan, site))

    def challenge(
        self, plan: EquivalencePlanId, site: IdentityId, challenger: IdentityId, result: Digest
    ) -> None:
        """Set another result against a certificate, as an authority's controller.

        Raises:
            CertificateUnknownError: Nothing is certified.
            EquivalenceCallError: It is the certificate's own result.
            EquivalenceDoneError: The authority said so already.
        """
        once = f"{_once(plan, site)}:{challenger.hex()}"
        self._call("challenge", plan, site, challenger, result, once=once)

    def suspend(self, plan: EquivalencePlanId, site: IdentityId, reason: Digest) -> None:
        """Suspend a certificate for ever, as the controller of evaluator or site.

        Raises:
            CertificateUnknownError: Nothing is certified.
            EquivalenceDoneError: It is suspended already.
        """
        self._call("suspend", plan, site, reason, once=_once(plan, site))

    def lapse(self, plan: EquivalencePlanId, site: IdentityId, cause: Lapse) -> None:
        """Say that a certificate lapsed, as the controller of evaluator or site.

        Raises:
            CertificateUnknownError: Nothing is certified.
            EquivalenceDoneError: It lapsed already.
        """
        self._call("lapse", plan, site, cause, once=_once(plan, site))

    def _blinded(self, plan: EquivalencePlanId, site: IdentityId, shown: SiteData) -> BlindData:
        return BlindData(plan=plan, site=site, secret=self._salt(), salt=self._salt(), shown=shown)

    def _keep_data(self, data: BlindData) -> None:
        place = _place(data.plan, data.site)
        _keep(self.store, DocumentKind.EQUIVALENCE_DATA, place, data.encode())

    def _check_recipe(self, plan: EquivalencePlan) -> None:
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.RECIPE_DOCUMENT, plan.recipe)
        if body is not None:
            check_follows(plan, RecipeDocument.parse(body).clauses)

    def _call(self, function: str, *args: object, once: str) -> None:
        self.account.call(ContractName.EQUIVALENCE, function, *args, once=once)

    def _salt(self) -> Bytes32:
        return Bytes32(self.entropy.token(_SALT_SIZE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Use cases around what others showed: plans, sealed data, and what follows from them."""

    store: NodeStore
    keys: KeyStore

    def receive(self, plan: EquivalencePlanId, document: bytes) -> EquivalencePlan:
        """Keep a plan's document that its sponsor showed, where the chain commits to it.

        Raises:
            PlanUnknownError: No final block holds the plan.
            OtherPlanDocumentError: The document is another plan.
        """
        parsed = EquivalencePlan.parse(document)
        if parsed.digest() != _registered(plan, self.store).document:
            message = f"The document is not that of the plan {to_hex(plan)}."
            raise OtherPlanDocumentError(message, plan=to_hex(plan))
        _keep(self.store, DocumentKind.EQUIVALENCE_PLAN, plan, document)
        return parsed

    def unseal(
        self, sealed: bytes, plan: EquivalencePlanId, site: IdentityId, *, key: KeyName
    ) -> BlindData:
        """Return what a site sealed to this evaluator, where it is what the site committed to.

        Raises:
            SealBrokenError: It was sealed to another key, plan or site.
            BlindOpeningError: The site committed to something else.
        """
        body = self.keys.unseal(key, sealed, info=_info(plan, site))
        data = BlindData.parse(body)
        self._check(data)
        _keep(self.store, DocumentKind.EQUIVALENCE_DATA, _place(plan, site), body)
        return data

    def run(
        self, plan: EquivalencePlanId, compute: Compute, *, without: Collection[IdentityId] = ()
    ) -> EquivalenceResult:
        """Compute a plan over all data of it that were revealed.

        Args:
            plan: The plan.
            compute: What compares sites.
            without: Sites that revealed data and never handed them over: theirs do not count.

        Raises:
            RevealedDataMissingError: A site's data, which it revealed, are not here.
            PlanUnknownError: No final block holds the plan.
            PlanDocumentUnknownError: The plan's document is not here.
            OtherEngineError: The plan names another engine.
        """
        with self.store.reading() as view:
            document = plan_document(plan, view)
            made = registered(plan, view).plan
            for site in made.sites:
                if site not in without:
                    _check_handed_over(plan, site, view)
            dataset = dataset_of(dict(opened(plan, made, view)), view)
        return compute(document, dataset)

    def _check(self, data: BlindData) -> None:
        with self.store.reading() as view:
            entry = view.facts.get(PlanEntryFact, data.plan, data.site)
        if entry is None or entry.blind != data.blind():
            message = f"{to_hex(data.site)} did not commit to these data."
            raise BlindOpeningError(message, plan=to_hex(data.plan), site=to_hex(data.site))


def registered(plan: EquivalencePlanId, view: View) -> PlanFact:
    """Return what the chain knows of a plan.

    Raises:
        PlanUnknownError: No final block holds it.
    """
    fact = view.facts.get(PlanFact, plan)
    if fact is None:
        message = f"No final block holds the plan {to_hex(plan)}."
        raise PlanUnknownError(message, plan=to_hex(plan))
    return fact


def check_result(plan: EquivalencePlanId, result: EquivalenceResult, view: View) -> None:
    """Check that a result was computed from a plan, before anybody certifies or challenges by it.

    Raises:
        PlanUnknownError: No final block holds the plan.
        ResultOfOtherPlanError: It was computed from another one.
    """
    planned = registered(plan, view).plan.document
    if result.plan != planned:
        message = f"The result is of the plan {to_hex(result.plan)}, not of {to_hex(planned)}."
        raise ResultOfOtherPlanError(message, found=to_hex(result.plan), wanted=to_hex(planned))


def _committed_before(plan: EquivalencePlanId, site: IdentityId) -> EquivalenceDoneError:
    message = f"{to_hex(site)} committed to other data of this plan before."
    return EquivalenceDoneError(message, plan=to_hex(plan), site=to_hex(site))


def _registered(plan: EquivalencePlanId, store: NodeStore) -> Registration:
    with store.reading() as view:
        return registered(plan, view).plan


def _keep(store: NodeStore, kind: DocumentKind, key: bytes, body: bytes) -> None:
    with store.writing() as work:
        work.documents.put(kind, key, body)


def dataset_of(found: Mapping[IdentityId, BlindData | str], view: View) -> Dataset:
    """Return the data that count, and why those of other sites do not."""
    counted = [data for data in found.values() if isinstance(data, BlindData)]
    instruments = [name for name in instruments_of(counted) if _is_machine(name, view)]
    failed = {to_hex(site): data for site, data in found.items() if isinstance(data, str)}
    return gathered(counted, instruments, failed)


def opened(
    plan: EquivalencePlanId, made: Registration, view: View
) -> Iterator[tuple[IdentityId, BlindData | str]]:
    """Yield the data of each site, or why they do not count."""
    document = plan_document(plan, view)
    for site in made.sites:
        entry = view.facts.get(PlanEntryFact, plan, site)
        data = _data(plan, site, view)
        if entry is None or not entry.committed_at:
            yield site, "it did not commit to data in time"
        elif not entry.revealed_at:
            yield site, "it did not reveal its data"
        elif data is None:
            yield site, "it did not hand over its data"
        elif data.root() != entry.root:
            yield site, "its data are not those that it revealed"
        else:
            yield site, _refusal(document, data, view) or data


def _check_handed_over(plan: EquivalencePlanId, site: IdentityId, view: View) -> None:
    entry = view.facts.get(PlanEntryFact, plan, site)
    if entry is not None and entry.revealed_at and _data(plan, site, view) is None:
        message = f"The site {to_hex(site)} revealed data that are not in this home."
        raise RevealedDataMissingError(message, plan=to_hex(plan), site=to_hex(site))


def _refusal(plan: EquivalencePlan, data: BlindData, view: View) -> str | None:
    """Return why data that were revealed may not be used, None where they may."""
    try:
        check_data(plan, data, view)
    except GuildmarkError as error:
        return error.message
    return None


def _data(plan: EquivalencePlanId, site: IdentityId, view: View) -> BlindData | None:
    body = view.documents.get(DocumentKind.EQUIVALENCE_DATA, _place(plan, site))
    return None if body is None else BlindData.parse(body)


def _is_machine(name: str, view: View) -> bool:
    try:
        fact = view.facts.get(IdentityFact, bytes32_from_hex(name))
    except MalformedHexError:
        return False
    return fact is not None and fact.kind == IdentityKind.MACHINE


def _identity(text: str) -> IdentityId:
    return IdentityId(bytes32_from_hex(text))


def _struct(made: Registration) -> tuple[object, ...]:
    return (
        *(made.recipe, made.sponsor, made.evaluator, made.document),
        *(made.commit_by, made.reveal_by, list(made.sites)),
    )


def _info(plan: EquivalencePlanId, site: IdentityId) -> bytes:
    return _INFO + _place(plan, site)


def _place(plan: EquivalencePlanId, site: IdentityId) -> bytes:
    return plan + site


def _once(plan: EquivalencePlanId, site: IdentityId) -> str:
    return f"{plan.hex()}:{site.hex()}"
