// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

/// @title A machine with one key
abstract contract Keyed is Deployed {
    bytes32 internal key;

    function setUp() public virtual override {
        super.setUp();
        key = _add(_point(2));
        _nextBlock();
    }

    function _add(bytes memory publicKey) internal returns (bytes32) {
        vm.prank(technician);
        return identities.addKey(machineId, IIdentityRegistry.Algorithm.Secp256k1, publicKey);
    }

    /// @dev 33 bytes that look like a compressed point.
    function _point(uint8 first) internal pure returns (bytes memory) {
        return abi.encodePacked(first, keccak256("x"));
    }

    function _notController(address caller) internal view returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, machineId, caller
            );
    }

    function _keyUnknown(bytes32 unknown) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.KeyUnknown.selector, unknown);
    }
}
