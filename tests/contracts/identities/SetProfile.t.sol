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

    function test_SetProfile_KeepsWhenEachStood() public {
        _nextBlock();
        vm.prank(maker);
        identities.setProfile(makerId, "second");
        uint40 changed = _now();
        _nextBlock();
        vm.prank(maker);
        identities.setProfile(makerId, 0);

        _stood("profile", START, changed);
        _stood("second", changed, _now());
        _stood(0, 0, 0);
        _stood("third", 0, 0);
    }

    function test_SetProfile_TheFirstStandsSinceTheRegistration() public {
        _nextBlock();
        _stood("profile", START, 0);
    }

    function test_SetProfile_TheSameAgainChangesNothing() public {
        _nextBlock();
        vm.prank(maker);
        identities.setProfile(makerId, "profile");
        _stood("profile", START, 0);

        vm.startPrank(maker);
        identities.setProfile(makerId, "second");
        uint40 changed = _now();
        _nextBlock();
        identities.setProfile(makerId, "second");
        vm.stopPrank();
        _stood("second", changed, 0);
    }

    function test_SetProfile_NoneMayBeChosenAgain() public {
        vm.startPrank(maker);
        identities.setProfile(makerId, 0);
        identities.setProfile(makerId, "second");
        identities.setProfile(makerId, 0);
        vm.stopPrank();

        vm.assertEq(identities.profileOf(makerId), 0, "profile");
    }

    /// @dev A time that has ended stays as it is: nobody was at two places by turns.
    function test_SetProfile_RevertWhen_ItStoodBefore() public {
        _nextBlock();
        vm.prank(maker);
        identities.setProfile(makerId, "second");

        _refuse(
            maker,
            abi.encodeWithSelector(
                IIdentityRegistry.ProfileUsedBefore.selector, makerId, bytes32("profile")
            )
        );
        identities.setProfile(makerId, "profile");
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

    function _stood(bytes32 profile, uint40 from, uint40 to) private view {
        IIdentityRegistry.Interval memory self = identities.profileTimes(makerId, profile);
        vm.assertEq(self.from, from, "from");
        vm.assertEq(self.to, to, "to");
    }
}
