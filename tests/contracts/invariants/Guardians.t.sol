// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GuardianPeople} from "./GuardianPeople.sol";

/// @notice I3, I4, I6, I7 and I8 over guardians, recoveries and notices; most are checked by the
/// people after each of their calls.
contract GuardianInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    GuardianPeople internal people;

    function setUp() public {
        people = new GuardianPeople();
        people.setUp();
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[15] memory actions = [
            people.wait.selector,
            people.wait.selector,
            people.setGuardians.selector,
            people.applyGuardians.selector,
            people.supportCandidate.selector,
            people.supportCandidate.selector,
            people.cancelRecovery.selector,
            people.acceptRecovery.selector,
            people.handOver.selector,
            people.addKey.selector,
            people.giveNotice.selector,
            people.giveControllerNotice.selector,
            people.backKeyNotice.selector,
            people.backControllerNotice.selector,
            people.giveAuthorityNotice.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(people), selectors: new bytes4[](15)});
        for (uint256 i = 0; i < actions.length; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(people);
    }

    function invariant_NoticesDoubtWhatWas() public view {
        people.checkNotices();
    }
}
