"""The ports' errors for those of the content library."""

from collections.abc import Iterator
from contextlib import contextmanager

from guildmark.domain.errors import MalformedError
from guildmark.ports.content import ContentMismatchError, ContentMissingError
from guildmark.ports.store import StoreUnavailableError
from guildmark_ipfs import errors

# Of these nothing follows for the content: the same again may succeed.
_AWAY = (
    errors.NotReplicatedError,
    errors.RefusedError,
    errors.StoreFailedError,
    errors.StoreFullError,
    errors.UnavailableError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise the ports' errors for those of the library."""
    try:
        yield
    except errors.NotFoundError as exc:
        raise ContentMissingError(exc.message, next_step=None, **exc.detail) from exc
    except (errors.BadKeyError, errors.BadCidError) as exc:
        raise MalformedError(exc.message, next_step=exc.next_step, **exc.detail) from exc
    except _AWAY as exc:
        raise StoreUnavailableError(exc.message, next_step=exc.next_step, **exc.detail) from exc
    except errors.ContentError as exc:
        raise ContentMismatchError(exc.message, next_step=exc.next_step, **exc.detail) from exc
