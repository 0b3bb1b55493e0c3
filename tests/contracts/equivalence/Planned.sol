// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

/// @title A plan that the maker registered for two sites
abstract contract Planned is Deployed {
    IEquivalenceRegistry.Plan internal plan;
    bytes32 internal id;
    bytes32 internal otherSite;

    function setUp() public virtual override {
        super.setUp();
        otherSite = _register(IIdentityRegistry.Kind.Site, buyer);
        IEquivalenceRegistry.Plan memory made = _plan(_design());
        made.sites = new bytes32[](2);
        (made.sites[0], made.sites[1]) = (siteId, otherSite);
        plan = made;
        id = keccak256(abi.encode(keccak256("guildmark/equivalence-plan/v1"), made));
    }

    function _registered() internal {
        vm.prank(maker);
        equivalence.register(plan);
    }

    function _join(bytes32 site, address caller) internal returns (uint40) {
        vm.prank(caller);
        return equivalence.join(plan, site, "scope");
    }

    function _commit(bytes32 site, address caller) internal {
        vm.prank(caller);
        equivalence.commit(id, site, _blind(id, site, "root", "salt"));
    }

    /// @dev Both sites have committed, and the first one revealed.
    function _revealed() internal {
        _registered();
        _join(siteId, siteManager);
        _join(otherSite, buyer);
        _commit(siteId, siteManager);
        _commit(otherSite, buyer);
        equivalence.reveal(id, siteId, "root", "salt");
    }

    function _certified() internal {
        _revealed();
        vm.prank(authority);
        equivalence.certify(id, siteId, IEquivalenceRegistry.Outcome.Equivalent, "result", 0);
    }
}
