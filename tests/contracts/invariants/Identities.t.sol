// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IdentityPeople} from "./IdentityPeople.sol";

/// @notice I3, I6, I7, I8, I9 and I13 over identities, designs and recipes; most are checked by
/// the people after each of their calls.
contract IdentityInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    IdentityPeople internal people;

    function setUp() public {
        people = new IdentityPeople();
        people.setUp();
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[21] memory actions = [
            people.wait.selector,
            people.wait.selector,
            people.register.selector,
            people.setProfile.selector,
            people.proposeController.selector,
            people.acceptController.selector,
            people.requestLink.selector,
            people.acceptLink.selector,
            people.endLink.selector,
            people.addKey.selector,
            people.endKey.selector,
            people.giveNotice.selector,
            people.claim.selector,
            people.claimPublic.selector,
            people.revokeClaim.selector,
            people.commit.selector,
            people.registerDesign.selector,
            people.publishRevision.selector,
            people.publishRecipe.selector,
            people.setStatus.selector,
            people.publishSiteRecipe.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(people), selectors: new bytes4[](24)});
        for (uint256 i = 0; i < actions.length; ++i) {
            targets[0].selectors[i] = actions[i];
        }
        targets[0].selectors[21] = people.transferDesign.selector;
        targets[0].selectors[22] = people.accredit.selector;
        targets[0].selectors[23] = people.revokeAccreditation.selector;
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(people);
    }

    function invariant_AChildHasOneOpenParent() public view {
        people.checkParents();
    }
}
