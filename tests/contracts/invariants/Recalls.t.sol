// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RecallPeople} from "./RecallPeople.sol";

/// @notice I3, I6, I7, I8, I9 and I13 over recalls; most are checked by the people after each of
/// their calls.
contract RecallInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    RecallPeople internal people;

    function setUp() public {
        people = new RecallPeople();
        people.setUp();
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[9] memory actions = [
            people.wait.selector,
            people.sellDesign.selector,
            people.sell.selector,
            people.recallDesign.selector,
            people.recallLot.selector,
            people.recallMachine.selector,
            people.recallAs.selector,
            people.ask.selector,
            people.close.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(people), selectors: new bytes4[](9)});
        for (uint256 i = 0; i < actions.length; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(people);
    }

    /// forge-config: default.invariant.runs = 30
    function invariant_NoRecallIsLost() public view {
        people.checkLists();
    }
}
