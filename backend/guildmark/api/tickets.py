"""Tickets: short-lived rights to open one page in a browser, which cannot sign by itself."""

import hmac
import re
import secrets
from dataclasses import dataclass, field

from guildmark.domain.errors import ForbiddenError
from guildmark.ports.clock import Clock

TICKET_SECONDS = 600

_FORM = re.compile(r"([0-9]{1,12})-([0-9a-f]{64})", re.ASCII)
_KEY_SIZE = 32


class TicketRefusedError(ForbiddenError):
    """A page is opened without a ticket, or with one that has ended or is for another page."""

    code = "page.ticketRefused"
    hint = "Run `guildmark license reconcile` as the licensor; it prints a new address."


@dataclass(frozen=True, slots=True, kw_only=True)
class Tickets:
    """Tickets of one process; its end ends them all."""

    clock: Clock
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(_KEY_SIZE), repr=False)

    def make(self, page: str) -> str:
        """Return a ticket for a page, good for some minutes."""
        until = str(self.clock.now() + TICKET_SECONDS)
        return f"{until}-{self._mac(page, until)}"

    def check(self, page: str, ticket: str) -> None:
        """Refuse what is no ticket for a page now.

        Raises:
            TicketRefusedError: It is none, has ended, or is for another page.
        """
        found = _FORM.fullmatch(ticket)
        if found is None or not hmac.compare_digest(found[2], self._mac(page, found[1])):
            message = "This page is for the licensor alone; the address has no ticket for it."
            raise TicketRefusedError(message)
        if int(found[1]) < self.clock.now():
            message = "The ticket in the address has ended."
            raise TicketRefusedError(message)

    def _mac(self, page: str, until: str) -> str:
        return hmac.digest(self._key, f"{page} {until}".encode(), "sha256").hex()
