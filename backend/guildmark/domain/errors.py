"""The one tree of errors: each has a code, a sentence, a next step and an exit code.

The second level are families: a family fixes the exit code (and, in the API, the status).
The classes below a family carry the dotted code that CLI, API, pages and docs share.
Other rooms subclass a family in their own modules.

GuildmarkError                        exit 1
├── UsageError                        exit 2, the call or its arguments are wrong
│   ├── MalformedError                bytes or text that do not follow their format
│   └── SettingsError                 configuration that cannot work
├── NetworkError                      exit 3, a source could not be reached
├── NotFoundError                     exit 4, the named thing is not there
├── ForbiddenError                    exit 5, the caller may not do this
├── ConflictError                     exit 1, the state does not allow it (any more)
├── NotClaimedError                   exit 10, required, but the record never claimed it
├── UnknownPartError                  exit 11, the search had no result
├── SignatureError                    exit 12, signature or issuer does not match
├── RevokedError                      exit 13, revoked or expired
├── ContentError                      exit 14, content is not what was promised
├── NonconformingError                exit 15, not equivalent or out of tolerance
├── UntrustedError                    exit 16, untrusted issuer or chain
├── NotFinalError                     exit 17, not final yet
├── NotCoveredError                   exit 18, design, license or unit not covered
├── NotLoggedError                    exit 19, not in the log, or its proof is wrong
├── RecalledError                     exit 20, recalled
├── CustodyError                      exit 21, custody broken
├── PossibleCopyError                 exit 22, possible copy
└── UncheckableError                  exit 23, could not check
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar


class GuildmarkError(Exception):
    """The base of every error that Guildmark raises on purpose.

    Args:
        message: One sentence: what failed, what was expected, what was found.
        next_step: The next command or click, where the class does not already name it.
        detail: The offending values, ready for JSON. Never a key, a salt or a password.
    """

    code: ClassVar[str] = "unexpected.failure"
    exit_code: ClassVar[int] = 1
    hint: ClassVar[str] = "Run again with --json and report what it prints."

    def __init__(self, message: str, /, *, next_step: str | None = None, **detail: object) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step or self.hint
        self.detail: Mapping[str, object] = detail


class UsageError(GuildmarkError):
    """The call or its arguments are wrong."""

    exit_code = 2
    hint = "Correct the value that is named and try again."


class MalformedError(UsageError):
    """Bytes or text do not follow their format."""


class SettingsError(UsageError):
    """The configuration cannot work."""

    hint = "Run `guildmark doctor` and correct the setting that it names."


class NetworkError(GuildmarkError):
    """A source could not be reached."""

    exit_code = 3
    hint = "Check that the address answers, then try again."


class NotFoundError(GuildmarkError):
    """The named thing is not there."""

    exit_code = 4
    hint = "Check the name or id for a typing error."


class ForbiddenError(GuildmarkError):
    """The caller may not do this."""

    exit_code = 5
    hint = "Use the key of an identity that may do this."


class ConflictError(GuildmarkError):
    """The state of things does not allow the call, or not any more."""

    hint = "Look at the present state and decide again."


class NotClaimedError(GuildmarkError):
    """A required fact was never claimed by the record."""

    exit_code = 10
    hint = "Ask the maker for a part whose record claims it."


class UnknownPartError(GuildmarkError):
    """A search for a part had no result."""

    exit_code = 11
    hint = "Check the serial, or ask the maker for the part's bundle."


class SignatureError(GuildmarkError):
    """A signature or an issuer does not match."""

    exit_code = 12
    hint = "Ask the signer for the original bytes; do not use these."


class RevokedError(GuildmarkError):
    """A right or a key is revoked or expired."""

    exit_code = 13
    hint = "Ask its issuer for one that is in force."


class ContentError(GuildmarkError):
    """Content is not what its digest, address or archive promised."""

    exit_code = 14
    hint = "Fetch the content again from another source."


class NonconformingError(GuildmarkError):
    """A value is out of its tolerance, or sites are not equivalent."""

    exit_code = 15
    hint = "Keep the part back and look at the named value."


class UntrustedError(GuildmarkError):
    """An issuer or a chain is not on the reader's list."""

    exit_code = 16
    hint = "Look at the issuer, then add it with `guildmark trust` if you trust it."


class NotFinalError(GuildmarkError):
    """A record is not final yet."""

    exit_code = 17
    hint = "Wait for the chain to make the block final, then try again."


class NotCoveredError(GuildmarkError):
    """Design, license or unit do not cover the build."""

    exit_code = 18
    hint = "Ask the licensor for a license that covers it."


class NotLoggedError(GuildmarkError):
    """An entry is not in the log, or its proof is wrong."""

    exit_code = 19
    hint = "Ask the operator of the log for the entry and its path."


class RecalledError(GuildmarkError):
    """A part or one of its causes is recalled."""

    exit_code = 20
    hint = "Stop using the part and read the recall."


class CustodyError(GuildmarkError):
    """The chain of custody is broken."""

    exit_code = 21
    hint = "Ask the last known custodian."


class PossibleCopyError(GuildmarkError):
    """A label was seen where its part cannot be."""

    exit_code = 22
    hint = "Check the part's second factor or ask its maker."


class UncheckableError(GuildmarkError):
    """Something that must be checked could not be checked."""

    exit_code = 23
    hint = "Get the missing evidence and check again."


def all_errors() -> tuple[type[GuildmarkError], ...]:
    """Return every loaded error class that has a code of its own, ordered by code."""
    coded = (kind for kind in _walk(GuildmarkError) if "code" in vars(kind))
    return tuple(sorted(coded, key=lambda kind: kind.code))


def error_of(code: str) -> type[GuildmarkError] | None:
    """Return the loaded error class that has a code, None where there is none."""
    return next((kind for kind in all_errors() if kind.code == code), None)


def _walk(kind: type[GuildmarkError]) -> Iterator[type[GuildmarkError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _walk(child)
