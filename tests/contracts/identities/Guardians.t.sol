// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract GuardiansTest is Deployed {
    uint40 private constant DELAY = 3 days;

    address[] private guardians;

    function setUp() public override {
        super.setUp();
        guardians = _accounts(0x10, 4);
    }

    function test_SetGuardians_TheFirstStandAtOnce() public {
        _emits(maker, address(identities));
        emit IIdentityRegistry.GuardiansProposed(makerId, 1, guardians, 2, DELAY, _now());
        identities.setGuardians(makerId, guardians, 2, DELAY);

        IIdentityRegistry.Guardianship memory self = identities.guardianshipOf(makerId);
        vm.assertEq(self.threshold, 2, "threshold");
        vm.assertEq(self.count, 4, "count");
        vm.assertEq(self.delay, DELAY, "delay");
        vm.assertEq(self.since, _now(), "since");
        vm.assertEq(self.epoch, 1, "epoch");
        vm.assertTrue(identities.isGuardian(makerId, guardians[3]), "guardian");
        vm.assertFalse(identities.isGuardian(makerId, maker), "the controller is none");
        vm.assertFalse(identities.isGuardian(siteId, guardians[3]), "of another identity");
        vm.assertEq(identities.guardianChangeOf(makerId).readyAt, 0, "nothing waits");
    }

    function test_SetGuardians_TakesItsBounds() public {
        uint256 snapshot = vm.snapshotState();
        _set(_accounts(1, 16), 16, 1 days);
        vm.assertEq(identities.guardianshipOf(makerId).count, 16, "most");
        vm.revertToState(snapshot);
        _set(_accounts(1, 1), 1, 90 days);
        vm.assertEq(identities.guardianshipOf(makerId).delay, 90 days, "longest");
    }

    function test_SetGuardians_RevertWhen_CallerIsNotTheController() public {
        _refuse(stranger, _notController(stranger));
        identities.setGuardians(makerId, guardians, 2, DELAY);
    }

    function test_SetGuardians_RevertWhen_TooMany() public {
        _refuse(maker, abi.encodeWithSelector(IIdentityRegistry.GuardiansTooMany.selector, 17));
        identities.setGuardians(makerId, _accounts(1, 17), 2, DELAY);
    }

    function test_SetGuardians_RevertWhen_ThresholdCannotBe() public {
        uint8[2] memory thresholds = [0, 5];
        for (uint256 i = 0; i < 2; ++i) {
            _refuse(
                maker,
                abi.encodeWithSelector(
                    IIdentityRegistry.GuardianThresholdInvalid.selector, thresholds[i], 4
                )
            );
            identities.setGuardians(makerId, guardians, thresholds[i], DELAY);
        }
        _refuse(
            maker, abi.encodeWithSelector(IIdentityRegistry.GuardianThresholdInvalid.selector, 1, 0)
        );
        identities.setGuardians(makerId, new address[](0), 1, 0);
    }

    function test_SetGuardians_RevertWhen_DelayIsOutOfBounds() public {
        uint40[3] memory delays = [uint40(0), 1 days - 1, 90 days + 1];
        for (uint256 i = 0; i < delays.length; ++i) {
            _refuse(maker, _delayInvalid(delays[i]));
            identities.setGuardians(makerId, guardians, 2, delays[i]);
        }
        _refuse(maker, _delayInvalid(1 days));
        identities.setGuardians(makerId, new address[](0), 0, 1 days);
    }

    function test_SetGuardians_RevertWhen_OneIsThereTwiceOrZero() public {
        guardians[1] = guardians[0];
        _refuse(maker, _notAscending(guardians[1]));
        identities.setGuardians(makerId, guardians, 2, DELAY);

        guardians[0] = address(0);
        _refuse(maker, _notAscending(address(0)));
        identities.setGuardians(makerId, guardians, 2, DELAY);
    }

    function test_ApplyGuardians_OnceTheOldDelayHasPassed() public {
        _set(guardians, 2, DELAY);
        address[] memory others = _accounts(0x90, 2);
        _set(others, 1, 1 days);
        uint40 readyAt = _now() + DELAY;
        vm.assertEq(identities.guardianChangeOf(makerId).readyAt, readyAt, "readyAt");
        vm.assertTrue(identities.isGuardian(makerId, guardians[0]), "the old ones stand");
        vm.assertFalse(identities.isGuardian(makerId, others[0]), "the new ones wait");

        vm.warp(readyAt - 1);
        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.GuardianChangeTooEarly.selector, readyAt)
        );
        identities.applyGuardians(makerId);

        vm.warp(readyAt);
        _emits(maker, address(identities));
        emit IIdentityRegistry.GuardiansChanged(makerId, 2);
        identities.applyGuardians(makerId);

        vm.assertFalse(identities.isGuardian(makerId, guardians[0]), "the old ones go");
        vm.assertTrue(identities.isGuardian(makerId, others[0]), "the new ones stand");
        vm.assertEq(identities.guardianshipOf(makerId).since, readyAt, "since");
    }

    function test_ApplyGuardians_VoidsVotes() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        _set(guardians, 2, DELAY);
        vm.warp(_now() + DELAY);
        vm.prank(maker);
        identities.applyGuardians(makerId);

        vm.assertEq(identities.tallyOf(makerId, buyer).backers, 0, "backers");
        _support(0, buyer);
        vm.assertEq(identities.tallyOf(makerId, buyer).backers, 1, "again");
    }

    function test_ApplyGuardians_CanRemoveThemAll() public {
        _set(guardians, 2, DELAY);
        _set(new address[](0), 0, 0);
        vm.warp(_now() + DELAY);
        vm.prank(maker);
        identities.applyGuardians(makerId);

        _refuse(guardians[0], _notGuardian(guardians[0]));
        identities.supportCandidate(makerId, buyer);
        _set(guardians, 3, DELAY);
        vm.assertEq(identities.guardianshipOf(makerId).threshold, 3, "at once again");
    }

    function test_ApplyGuardians_RevertWhen_NothingWaits() public {
        _set(guardians, 2, DELAY);
        _refuse(
            maker, abi.encodeWithSelector(IIdentityRegistry.GuardianChangeMissing.selector, makerId)
        );
        identities.applyGuardians(makerId);
    }

    function test_ApplyGuardians_RevertWhen_CallerIsNotTheController() public {
        _set(guardians, 2, DELAY);
        _set(guardians, 1, DELAY);
        vm.warp(_now() + DELAY);

        _refuse(guardians[0], _notController(guardians[0]));
        identities.applyGuardians(makerId);
    }

    /// @dev A thief of the controller's key tries to be rid of the guardians.
    function test_ApplyGuardians_RevertWhen_ARecoveryRuns() public {
        _set(guardians, 2, DELAY);
        _set(_accounts(0x90, 2), 1, 1 days);
        _support(0, buyer);
        vm.warp(_now() + DELAY - 1);
        _support(1, buyer);
        vm.warp(_now() + 1);

        _refuse(maker, abi.encodeWithSelector(IIdentityRegistry.RecoveryRunning.selector, makerId));
        identities.applyGuardians(makerId);
    }

    function test_Recovery_TakesTheIdentityOverAfterTheDelay() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        vm.assertEq(identities.recoveryOf(makerId).controller, address(0), "one is not enough");
        uint40 readyAt = _now() + DELAY;
        _emits(guardians[1], address(identities));
        emit IIdentityRegistry.CandidateSupported(makerId, guardians[1], buyer, 2);
        identities.supportCandidate(makerId, buyer);
        vm.assertEq(identities.recoveryOf(makerId).controller, buyer, "runs");
        vm.assertEq(identities.recoveryOf(makerId).readyAt, readyAt, "readyAt");
        (address speaker, bool isInRecovery,) = identities.speakerOf(makerId);
        vm.assertEq(speaker, maker, "the controller speaks until then");
        vm.assertTrue(isInRecovery, "in recovery");

        vm.warp(readyAt - 1);
        _refuse(buyer, abi.encodeWithSelector(IIdentityRegistry.RecoveryTooEarly.selector, readyAt));
        identities.acceptRecovery(makerId);
        vm.warp(readyAt);
        vm.prank(buyer);
        identities.acceptRecovery(makerId);

        vm.assertEq(identities.controllerOf(makerId), buyer, "controller");
        vm.assertEq(identities.identity(makerId).controllers, 2, "history grows");
        vm.assertEq(identities.controllerAt(makerId, 1).account, maker, "the first stays");
        vm.assertEq(identities.controllerAt(makerId, 2).account, buyer, "the second");
        vm.assertEq(identities.controllerAt(makerId, 2).from, readyAt, "not before its block");
        vm.assertEq(identities.recoveryOf(makerId).controller, address(0), "ended");
        vm.assertFalse(identities.identity(makerId).isInRecovery, "in recovery no more");
    }

    function test_SpeakerOf_RevertWhen_Unknown() public {
        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, bytes32("nobody"))
        );
        identities.speakerOf("nobody");
    }

    function test_Recovery_ForgetsWhatAThiefPrepared() public {
        _set(guardians, 2, DELAY);
        _set(_accounts(0x90, 2), 1, 1 days);
        vm.prank(maker);
        identities.proposeController(makerId, stranger);
        _recover(buyer);

        _refuse(
            stranger,
            abi.encodeWithSelector(
                IIdentityRegistry.ControllerNotProposed.selector, makerId, stranger
            )
        );
        identities.acceptController(makerId);
        _refuse(
            buyer, abi.encodeWithSelector(IIdentityRegistry.GuardianChangeMissing.selector, makerId)
        );
        identities.applyGuardians(makerId);
        _refuse(maker, _notController(maker));
        identities.setProfile(makerId, "by the former controller");
    }

    function test_Recovery_CannotBeTakenOverTwice() public {
        _set(guardians, 2, DELAY);
        _recover(buyer);
        vm.prank(buyer);
        identities.proposeController(makerId, maker);
        vm.prank(maker);
        identities.acceptController(makerId);

        _refuse(buyer, _notRunning());
        identities.acceptRecovery(makerId);
        vm.assertEq(identities.tallyOf(makerId, buyer).backers, 0, "votes are void");
    }

    function test_Recovery_RevertWhen_CallerIsNotTheCandidate() public {
        _set(guardians, 1, DELAY);
        _support(0, buyer);
        vm.warp(_now() + DELAY);

        _refuse(
            stranger,
            abi.encodeWithSelector(IIdentityRegistry.CallerNotCandidate.selector, makerId, stranger)
        );
        identities.acceptRecovery(makerId);
    }

    function test_Recovery_RevertWhen_NoneRuns() public {
        _set(guardians, 2, DELAY);
        _refuse(buyer, _notRunning());
        identities.acceptRecovery(makerId);
        _refuse(maker, _notRunning());
        identities.cancelRecovery(makerId);
    }

    function test_Recovery_EndsWithItsSupport() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        _support(1, buyer);

        _support(1, address(0));

        vm.assertEq(identities.recoveryOf(makerId).controller, address(0), "ended");
        vm.assertEq(identities.tallyOf(makerId, buyer).backers, 1, "backers");
    }

    function test_Recovery_PassesToWhomAGuardianTurns() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        _support(1, buyer);
        _support(2, stranger);
        vm.assertEq(identities.recoveryOf(makerId).controller, buyer, "the first runs");

        _nextBlock();
        _support(1, stranger);

        vm.assertEq(identities.recoveryOf(makerId).controller, stranger, "the second runs");
        vm.assertEq(identities.recoveryOf(makerId).readyAt, _now() + DELAY, "with a full delay");
    }

    function test_Recovery_OfTwoCandidatesTheFirstRuns() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        _support(1, buyer);
        _support(2, stranger);
        _support(3, stranger);

        vm.assertEq(identities.recoveryOf(makerId).controller, buyer, "the first");
    }

    function test_Recovery_ARogueGuardianHoldsNobodyUp() public {
        _set(guardians, 2, DELAY);
        _support(0, stranger);
        _support(1, buyer);
        _support(2, buyer);

        vm.assertEq(identities.recoveryOf(makerId).controller, buyer, "runs");
    }

    function test_SupportCandidate_RevertWhen_CallerIsNoGuardian() public {
        _set(guardians, 2, DELAY);
        _refuse(maker, _notGuardian(maker));
        identities.supportCandidate(makerId, buyer);
        _refuse(
            guardians[0],
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotGuardian.selector, siteId, guardians[0]
            )
        );
        identities.supportCandidate(siteId, buyer);
    }

    function test_SupportCandidate_RevertWhen_ItChangesNothing() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        address[2] memory candidates = [buyer, maker];
        for (uint256 i = 0; i < 2; ++i) {
            _refuse(guardians[0], _candidateInvalid(candidates[i]));
            identities.supportCandidate(makerId, candidates[i]);
        }
        _refuse(guardians[1], _candidateInvalid(address(0)));
        identities.supportCandidate(makerId, address(0));
    }

    function test_CancelRecovery_ByTheController() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        _support(1, buyer);

        _emits(maker, address(identities));
        emit IIdentityRegistry.RecoveryCancelled(makerId, buyer);
        vm.expectEmit(address(identities));
        emit IIdentityRegistry.RecoveryEnded(makerId, buyer);
        identities.cancelRecovery(makerId);

        vm.warp(_now() + DELAY);
        _refuse(buyer, _notRunning());
        identities.acceptRecovery(makerId);
        vm.assertTrue(identities.tallyOf(makerId, buyer).isVetoed, "vetoed");
    }

    function test_CancelRecovery_RevertWhen_CallerIsNotTheController() public {
        _set(guardians, 1, DELAY);
        _support(0, buyer);
        _refuse(guardians[0], _notController(guardians[0]));
        identities.cancelRecovery(makerId);
    }

    function test_CancelRecovery_RevertWhen_OneMoreGuardianSupportsIt() public {
        _set(guardians, 2, DELAY);
        for (uint256 i = 0; i < 3; ++i) {
            _support(i, buyer);
        }
        _refuse(
            maker, abi.encodeWithSelector(IIdentityRegistry.RecoveryBeyondVeto.selector, makerId, 3)
        );
        identities.cancelRecovery(makerId);
    }

    /// @dev The thief of a controller's key cancels at once, each time.
    function test_CancelRecovery_DoesNotUndoVotes() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        _support(1, buyer);
        vm.prank(maker);
        identities.cancelRecovery(makerId);
        _nextBlock();

        _support(2, buyer);

        vm.assertEq(identities.recoveryOf(makerId).controller, buyer, "runs again");
        vm.assertEq(identities.recoveryOf(makerId).readyAt, _now() + DELAY, "from now on");
        _refuse(
            maker, abi.encodeWithSelector(IIdentityRegistry.RecoveryBeyondVeto.selector, makerId, 3)
        );
        identities.cancelRecovery(makerId);
    }

    function test_CancelRecovery_TheSameQuorumCannotTryAgain() public {
        _set(guardians, 2, DELAY);
        _support(0, buyer);
        _support(1, buyer);
        vm.prank(maker);
        identities.cancelRecovery(makerId);

        _support(1, address(0));
        _support(1, buyer);

        vm.assertEq(identities.recoveryOf(makerId).controller, address(0), "does not run");
    }

    /// @dev One guardian fewer than the threshold never moves the identity, whatever they do.
    function testFuzz_Recovery_NeedsItsThreshold(uint256[24] memory seeds) public {
        _set(guardians, 3, DELAY);
        address[3] memory candidates = [buyer, stranger, address(0)];
        for (uint256 i = 0; i < seeds.length; ++i) {
            address guardian = guardians[seeds[i] % 2];
            vm.prank(guardian);
            (bool isDone,) = address(identities)
                .call(
                    abi.encodeCall(
                        identities.supportCandidate, (makerId, candidates[(seeds[i] >> 8) % 3])
                    )
                );
            vm.warp(_now() + (seeds[i] >> 16) % (2 * DELAY));
            vm.prank(candidates[(seeds[i] >> 48) % 2]);
            (bool isTaken,) =
                address(identities).call(abi.encodeCall(identities.acceptRecovery, (makerId)));

            vm.assertFalse(isTaken, isDone ? "after a vote" : "after a refusal");
            vm.assertEq(identities.controllerOf(makerId), maker, "controller");
        }
    }

    /// @dev Votes in any order: each candidate's tally is the number of guardians who name him,
    /// and what runs has enough of them.
    function testFuzz_Recovery_CountsWhoNamesWhom(uint256[32] memory seeds) public {
        _set(guardians, 2, DELAY);
        address[3] memory candidates = [address(0), buyer, stranger];
        uint256[4] memory named;
        bool[3] memory vetoed;
        for (uint256 i = 0; i < seeds.length; ++i) {
            uint256 guardian = seeds[i] % 4;
            uint256 to = (seeds[i] >> 8) % 3;
            address running = identities.recoveryOf(makerId).controller;
            if ((seeds[i] >> 16) % 4 == 0) {
                uint256 who = running == buyer ? 1 : 2;
                bool isAllowed = running != address(0) && _count(named, who) <= 2;
                vm.prank(maker);
                (bool isDone,) =
                    address(identities).call(abi.encodeCall(identities.cancelRecovery, (makerId)));
                vm.assertEq(isDone, isAllowed, "cancel");
                if (isDone) vetoed[who] = true;
            } else if (named[guardian] != to) {
                _support(guardian, candidates[to]);
                named[guardian] = to;
            }
            running = identities.recoveryOf(makerId).controller;
            for (uint256 who = 1; who < 3; ++who) {
                uint256 count = _count(named, who);
                vm.assertEq(identities.tallyOf(makerId, candidates[who]).backers, count, "count");
                vm.assertTrue(
                    running != candidates[who] || count >= (vetoed[who] ? 3 : 2), "enough"
                );
            }
        }
    }

    function _count(uint256[4] memory named, uint256 who) private pure returns (uint256 count) {
        for (uint256 i = 0; i < 4; ++i) {
            if (named[i] == who) ++count;
        }
    }

    function _recover(address candidate) private {
        _support(0, candidate);
        _support(1, candidate);
        vm.warp(_now() + DELAY);
        vm.prank(candidate);
        identities.acceptRecovery(makerId);
    }

    function _set(address[] memory accounts, uint8 threshold, uint40 delay) private {
        vm.prank(maker);
        identities.setGuardians(makerId, accounts, threshold, delay);
    }

    function _support(uint256 guardian, address candidate) private {
        vm.prank(guardians[guardian]);
        identities.supportCandidate(makerId, candidate);
    }

    function _accounts(uint160 first, uint160 count) private pure returns (address[] memory made) {
        made = new address[](count);
        for (uint160 i = 0; i < count; ++i) {
            made[i] = address(first + i);
        }
    }

    function _notController(address caller) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(IIdentityRegistry.CallerNotController.selector, makerId, caller);
    }

    function _notGuardian(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.CallerNotGuardian.selector, makerId, caller);
    }

    function _notRunning() private view returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.RecoveryNotRunning.selector, makerId);
    }

    function _notAscending(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.GuardiansNotAscending.selector, account);
    }

    function _delayInvalid(uint40 delay) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.GuardianDelayInvalid.selector, delay);
    }

    function _candidateInvalid(address candidate) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.CandidateInvalid.selector, candidate);
    }
}
