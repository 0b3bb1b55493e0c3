// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "../support/Vm.sol";
import {BuildPeople} from "./BuildPeople.sol";

/// @notice I1, I2, I5 to I9, I11 to I13 over licenses, logs and parts; most are checked
/// by the people after each of their calls.
contract BuildInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    string private constant STATISTICS = "build/forge/campaign.jsonl";

    BuildPeople internal people;

    function setUp() public {
        vm.writeFile(STATISTICS, "");
        people = new BuildPeople();
        people.setUp();
    }

    /// @dev What moves parts on is named more than once, so that more of it happens.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[37] memory actions = [
            people.wait.selector,
            people.append.selector,
            people.wait.selector,
            people.grant.selector,
            people.grantAgain.selector,
            people.grantStale.selector,
            people.split.selector,
            people.split.selector,
            people.sublicense.selector,
            people.sublicense.selector,
            people.sublicense.selector,
            people.sublicense.selector,
            people.reclaim.selector,
            people.reclaim.selector,
            people.extend.selector,
            people.pay.selector,
            people.pay.selector,
            people.withdraw.selector,
            people.sell.selector,
            people.setResale.selector,
            people.stop.selector,
            people.transferDesign.selector,
            people.changeSite.selector,
            people.openLog.selector,
            people.setWriter.selector,
            people.close.selector,
            people.append.selector,
            people.append.selector,
            people.append.selector,
            people.appendForeign.selector,
            people.tick.selector,
            people.materialise.selector,
            people.materialise.selector,
            people.materialise.selector,
            people.transferPart.selector,
            people.voidPart.selector,
            people.supersede.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(people), selectors: new bytes4[](37)});
        for (uint256 i = 0; i < actions.length; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(people);
    }

    /// @dev A line a run; `scripts/campaign.py` adds them up.
    function afterInvariant() public {
        vm.writeLine(STATISTICS, people.statistics());
    }

    function invariant_LanesPartitionUnitsAndRecordsFollowOneAnother() public view {
        people.checkLanes();
        people.checkCoins();
        people.checkHeads();
    }
}
