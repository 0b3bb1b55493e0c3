"""One deployment of the whole system, with a designer, a maker, its site and an operator."""

from collections import namedtuple

import pytest
from brownie import accounts, web3
from scripts.brownie.deploy import deploy

ORGANIZATION, SITE = 1, 2

People = namedtuple("People", "designer maker site operator writer stranger")


@pytest.fixture(scope="module")
def people():
    return People(*(accounts.add() for _ in People._fields))


@pytest.fixture(scope="module")
def system(people):
    for person in people:
        web3.provider.make_request("anvil_setBalance", [person.address, hex(10**20)])
    return deploy(accounts[0])


@pytest.fixture(autouse=True)
def isolation(fn_isolation):
    """Every test begins with the deployed system alone."""
