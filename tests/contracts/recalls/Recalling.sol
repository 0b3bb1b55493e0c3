// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {IRecallRegistry} from "../../../contracts/interfaces/IRecallRegistry.sol";
import {IRecipeRegistry} from "../../../contracts/interfaces/IRecipeRegistry.sol";
import {Logged} from "../parts/Logged.sol";

/// @title Something of each kind that can be recalled
abstract contract Recalling is Logged {
    IIdentityRegistry.Algorithm internal constant ED25519 = IIdentityRegistry.Algorithm.Ed25519;

    bytes32 internal design;
    IRecipeRegistry.Recipe internal recipe;
    IRecipeRegistry.SiteRecipe internal siteRecipe;
    bytes32 internal plan;
    bytes internal publicKey = abi.encodePacked(keccak256("public key"));

    function setUp() public override {
        super.setUp();
        design = _design();
        recipe.root = "recalled";
        recipe.design = design;
        recipe.revision = 1;
        vm.prank(designer);
        bytes32 master = recipes.publish(recipe, IRecipeRegistry.Status.Trial);
        siteRecipe = IRecipeRegistry.SiteRecipe(master, siteId, 0, "own");
        vm.prank(siteManager);
        recipes.publishSiteRecipe(siteRecipe);
        plan = _committed(_plan(design));
        equivalence.reveal(plan, siteId, "root", "salt");
        vm.prank(authority);
        equivalence.certify(plan, siteId, IEquivalenceRegistry.Outcome.Equivalent, "result", 0);
        vm.prank(technician);
        identities.addKey(machineId, ED25519, publicKey);
        _nextBlock();
    }

    function _recallTerms() internal pure returns (IRecallRegistry.Terms memory terms) {
        terms.severity = IRecallRegistry.Severity.Withdraw;
        terms.reason = "cracks";
    }

    /// @dev From when its first controller has the machine.
    function _ofMachine() internal pure returns (IRecallRegistry.Terms memory terms) {
        terms = _recallTerms();
        terms.from = START;
    }

    function _thing(IRecallRegistry.Cause cause, bytes32 id, bytes32 detail)
        internal
        pure
        returns (IRecallRegistry.Thing memory)
    {
        return IRecallRegistry.Thing(cause, id, detail);
    }

    function _keyOf(IRecallRegistry.Thing memory thing) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("guildmark/recall/v1"), thing));
    }

    function _ofDesign() internal view returns (IRecallRegistry.Thing memory) {
        return _thing(IRecallRegistry.Cause.Design, design, 0);
    }

    function _account(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    /// @dev The machine has a second controller from now on.
    function _sellMachine() internal {
        vm.prank(technician);
        identities.proposeController(machineId, buyer);
        vm.prank(buyer);
        identities.acceptController(machineId);
    }
}
