// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Keyed} from "./Keyed.sol";

contract EndKeyTest is Keyed {
    function test_EndKey_EndsItNow() public {
        _emits(technician, address(identities));
        emit IIdentityRegistry.KeyEnded(key, machineId);
        identities.endKey(machineId, key);

        vm.assertEq(identities.keyOf(key).from, _now() - 12, "from stays");
        vm.assertEq(identities.keyOf(key).to, _now(), "to");
    }

    function test_EndKey_RevertWhen_CallerIsNotTheController() public {
        _refuse(stranger, _notController(stranger));
        identities.endKey(machineId, key);
    }

    function test_EndKey_RevertWhen_ItIsOfAnotherMachine() public {
        bytes32 other = _register(IIdentityRegistry.Kind.Machine, stranger);

        _refuse(stranger, _keyUnknown(key));
        identities.endKey(other, key);
    }

    function test_EndKey_RevertWhen_Unknown() public {
        _refuse(technician, _keyUnknown("none"));
        identities.endKey(machineId, "none");
    }

    function test_EndKey_RevertWhen_EndedAlready() public {
        vm.prank(technician);
        identities.endKey(machineId, key);

        _refuse(technician, abi.encodeWithSelector(IIdentityRegistry.KeyEndedAlready.selector, key));
        identities.endKey(machineId, key);
    }
}
