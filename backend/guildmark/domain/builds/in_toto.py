"""Statements about a thing without a name of its own: in-toto Statement v1, a predicate by codec.

Receipts and inspections are such; builds name their label and are read member by member.
"""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from guildmark.domain.builds.predicate import read_digest_set
from guildmark.domain.builds.statement import STATEMENT_TYPE, SubjectMismatchError
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.identifiers import Digest


class _About(Protocol):
    @property
    def subject(self) -> Digest: ...


AboutT = TypeVar("AboutT", bound=_About)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementForm:
    """How statements of one kind are written.

    Args:
        predicate_type: The kind's URI.
        subject_name: What each of them calls its subject.
        limits: What a reader accepts before it looks at any meaning.
    """

    predicate_type: str
    subject_name: str
    limits: Limits

    def write(self, predicate: Any) -> bytes:
        """Return a predicate as a statement about its subject: the payload of an envelope."""
        digest = {"sha256": predicate.subject.hex()}
        return canonical(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": self.subject_name, "digest": digest}],
                "predicateType": self.predicate_type,
                "predicate": codec.dump(predicate),
            }
        )

    def read(self, kind: type[AboutT], data: bytes) -> AboutT:
        """Return the predicate of the statement that a payload holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            SubjectMismatchError: The predicate is about another subject.
        """
        return read_document(data, lambda fields: self._read(kind, fields), self.limits)

    def _read(self, kind: type[AboutT], fields: Fields) -> AboutT:
        fields.constant("_type", STATEMENT_TYPE)
        fields.constant("predicateType", self.predicate_type)
        subjects = fields.objects("subject", self._read_subject)
        predicate = codec.load(kind, fields.value("predicate"), at="predicate")
        if subjects != (predicate.subject,):
            message = f"The {self.subject_name} that is named is not the predicate's own."
            raise SubjectMismatchError(message)
        return predicate

    def _read_subject(self, fields: Fields) -> Digest:
        fields.constant("name", self.subject_name)
        return fields.object("digest", read_digest_set)
