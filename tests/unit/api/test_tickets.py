"""A ticket opens its own page, for some minutes, at its own process."""

import pytest

from fakes.releases import TickingClock
from guildmark.api.tickets import TICKET_SECONDS, TicketRefusedError, Tickets

PAGE = "/licenses/0x12/reconciliation"


def test_ticket_opens_its_page_until_it_ends() -> None:
    clock = TickingClock()
    tickets = Tickets(clock=clock)
    ticket = tickets.make(PAGE)
    clock.time += TICKET_SECONDS

    tickets.check(PAGE, ticket)

    clock.time += 1
    with pytest.raises(TicketRefusedError, match="has ended"):
        tickets.check(PAGE, ticket)


@pytest.mark.parametrize("ticket", ["", "1-2", f"{2**40}-" + "00" * 32, "x" * 90])
def test_what_is_no_ticket_opens_nothing(ticket: str) -> None:
    with pytest.raises(TicketRefusedError) as caught:
        Tickets(clock=TickingClock()).check(PAGE, ticket)

    assert caught.value.code == "page.ticketRefused"


def test_ticket_of_another_page_or_process_opens_nothing() -> None:
    clock = TickingClock()
    tickets, others = Tickets(clock=clock), Tickets(clock=clock)

    with pytest.raises(TicketRefusedError):
        tickets.check(PAGE, tickets.make("/other"))
    with pytest.raises(TicketRefusedError):
        tickets.check(PAGE, others.make(PAGE))


def test_ticket_cannot_be_made_to_last_longer() -> None:
    tickets = Tickets(clock=TickingClock())
    until, _, mac = tickets.make(PAGE).partition("-")

    with pytest.raises(TicketRefusedError):
        tickets.check(PAGE, f"{int(until) + 1}-{mac}")


def test_secret_is_not_shown() -> None:
    tickets = Tickets(clock=TickingClock())

    assert tickets._key.hex() not in repr(tickets)
    assert repr(tickets._key) not in repr(tickets)
