"""Deploy the whole system with Brownie: `scripts/run_brownie.py run deploy`."""

from brownie import (
    BuildLog,
    DesignRegistry,
    Directory,
    EquivalenceRegistry,
    IdentityRegistry,
    LicenseRegistry,
    PartRegistry,
    RecallRegistry,
    RecipeRegistry,
    accounts,
)


def deploy(account):
    """Deploy all contracts from one account and return them by name.

    Designs know the licenses and licenses the log by constructor, so their addresses are computed
    from the account's nonce before they are there.
    """
    identities = account.deploy(IdentityRegistry)
    meter = account.get_deployment_address(account.nonce + 2)
    designs = account.deploy(DesignRegistry, meter)
    recipes = account.deploy(RecipeRegistry, identities, designs)
    promised = account.get_deployment_address(account.nonce + 1)
    licenses = account.deploy(LicenseRegistry, identities, designs, promised)
    if licenses.address != meter:
        raise RuntimeError(f"licenses are at {licenses.address}, designs expect them at {meter}")
    log = account.deploy(BuildLog, identities, licenses)
    if log.address != promised:
        raise RuntimeError(f"the log is at {log.address}, licenses expect it at {promised}")
    parts = account.deploy(PartRegistry, identities, licenses, log)
    equivalence = account.deploy(EquivalenceRegistry, identities, recipes)
    judged = (identities, designs, licenses, recipes, log, equivalence)
    recalls = account.deploy(RecallRegistry, *judged)
    named = (identities, designs, licenses, recipes, log, parts, equivalence, recalls)
    directory = account.deploy(Directory, *named)
    return {
        "identities": identities,
        "designs": designs,
        "recipes": recipes,
        "licenses": licenses,
        "log": log,
        "parts": parts,
        "equivalence": equivalence,
        "recalls": recalls,
        "directory": directory,
    }


def main():
    """Deploy from the first account and print the addresses."""
    for name, contract in deploy(accounts[0]).items():
        print(f"{name:11} {contract.address}")
