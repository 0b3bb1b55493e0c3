"""What is said of an entry whose content was erased."""

from guildmark.domain.errors import UncheckableError
from guildmark.domain.identifiers import Index, LogNumber, to_hex
from guildmark.domain.log.erasure import ErasureOrder, entry_key
from guildmark.domain.verification.times import as_time
from guildmark.ports.store import DocumentKind, Documents


class PartErasedError(UncheckableError):
    """The entry's content was erased; the log still counts it."""

    code = "part.erased"
    hint = "Nothing gives it back. A bundle that was saved before still verifies."


def erasure_of(documents: Documents, log: LogNumber, index: Index) -> ErasureOrder | None:
    """Return by whose order an entry's content went, None where it is not known to be gone."""
    body = documents.get(DocumentKind.ERASURE, entry_key(log, index))
    return None if body is None else ErasureOrder.signed(body)


def refuse_erased(documents: Documents, log: LogNumber, index: Index) -> None:
    """Refuse an entry whose content was erased.

    Raises:
        PartErasedError: It was.
    """
    order = erasure_of(documents, log, index)
    if order is None:
        return
    message = (
        f"Part {log}.{index} is withheld (erased): the log counts it; its content was erased on "
        f"{as_time(order.at)} by {to_hex(order.by)} ({order.why.value})."
    )
    raise PartErasedError(message, log=log, index=index, why=order.why.value)
