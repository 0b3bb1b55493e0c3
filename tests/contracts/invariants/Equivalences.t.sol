// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EquivalencePeople} from "./EquivalencePeople.sol";

/// @notice I3, I6, I7, I8, I9 and I13 over plans, data and certificates; most are checked by the
/// people after each of their calls.
contract EquivalenceInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    EquivalencePeople internal people;

    function setUp() public {
        people = new EquivalencePeople();
        people.setUp();
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[13] memory actions = [
            people.wait.selector,
            people.register.selector,
            people.registerAgain.selector,
            people.join.selector,
            people.join.selector,
            people.commit.selector,
            people.commit.selector,
            people.reveal.selector,
            people.reveal.selector,
            people.certify.selector,
            people.challenge.selector,
            people.suspend.selector,
            people.lapse.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(people), selectors: new bytes4[](13)});
        for (uint256 i = 0; i < actions.length; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(people);
    }

    /// forge-config: default.invariant.runs = 30
    function invariant_DataFollowThePlanInTime() public view {
        people.checkOrder();
    }
}
