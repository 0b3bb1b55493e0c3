// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract SetProfileTest is Deployed {
    function test_SetProfile_ReplacesTheDigest() public {
        _emits(maker, address(identities));
        emit IIdentityRegistry.ProfileChanged(makerId, "second");
        identities.setProfile(makerId, "second");

        vm.assertEq(identities.profileOf(makerId), "second", "profile");
    }

    function test_SetProfile_RevertWhen_CallerIsNotTheController() public {
        _refuse(
            stranger,
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, makerId, stranger
            )
        );
        identities.setProfile(makerId, "second");
    }

    function test_SetProfile_RevertWhen_IdentityIsUnknown() public {
        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, bytes32("nobody"))
        );
        identities.setProfile("nobody", "second");
    }
}
