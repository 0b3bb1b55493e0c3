// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {Planned} from "./Planned.sol";

contract CertifyTest is Planned {
    IEquivalenceRegistry.Outcome internal constant GOOD = IEquivalenceRegistry.Outcome.Equivalent;

    function test_Certify_KeepsVerdictResultAndTimes() public {
        _revealed();
        uint40 to = _now() + 1;

        _emits(authority, address(equivalence));
        emit IEquivalenceRegistry.SiteCertified(id, siteId, GOOD, "result", to);
        equivalence.certify(id, siteId, GOOD, "result", to);

        IEquivalenceRegistry.Certificate memory given = equivalence.certificateOf(id, siteId);
        vm.assertEq(uint256(given.verdict), 1, "verdict");
        vm.assertEq(given.from, _now(), "from");
        vm.assertEq(given.to, to, "to");
        vm.assertEq(given.suspendedAt, 0, "suspendedAt");
        vm.assertEq(given.lapsedAt, 0, "lapsedAt");
        vm.assertEq(equivalence.resultOf(id, siteId), "result", "result");
    }

    function test_Certify_RevertWhen_CallerIsNotTheEvaluator() public {
        _revealed();

        bytes4 error = IEquivalenceRegistry.CallerNotEvaluator.selector;
        _refuses(
            siteManager, GOOD, "result", abi.encodeWithSelector(error, authorityId, siteManager)
        );
    }

    function test_Certify_RevertWhen_EvaluatorIsInRecovery() public {
        _revealed();
        _recoverAuthority();

        bytes4 error = IEquivalenceRegistry.EvaluatorInRecovery.selector;
        _refuses(authority, GOOD, "result", abi.encodeWithSelector(error, authorityId));
    }

    function test_Certify_RevertWhen_PlanIsUnknown() public {
        bytes4 error = IEquivalenceRegistry.PlanUnknown.selector;
        _refuses(authority, GOOD, "result", abi.encodeWithSelector(error, id));
    }

    function test_Certify_RevertWhen_TheSiteDidNotReveal() public {
        _revealed();

        bytes4 error = IEquivalenceRegistry.NotRevealed.selector;
        _refuse(authority, abi.encodeWithSelector(error, id, otherSite));
        equivalence.certify(id, otherSite, GOOD, "result", 0);
    }

    function test_Certify_RevertWhen_VerdictOrResultIsMissing() public {
        _revealed();

        _refuses(
            authority,
            IEquivalenceRegistry.Outcome.None,
            "result",
            abi.encodeWithSelector(IEquivalenceRegistry.OutcomeMissing.selector)
        );
        bytes4 error = IEquivalenceRegistry.ResultInvalid.selector;
        _refuses(authority, GOOD, 0, abi.encodeWithSelector(error, 0));
    }

    function test_Certify_RevertWhen_ItIsOverAlready() public {
        _revealed();

        bytes4 error = IEquivalenceRegistry.CertificateOver.selector;
        _refuse(authority, abi.encodeWithSelector(error, _now()));
        equivalence.certify(id, siteId, GOOD, "result", _now());
    }

    function test_Certify_RevertWhen_CertifiedAlready() public {
        _certified();

        bytes4 error = IEquivalenceRegistry.CertifiedAlready.selector;
        _refuses(authority, GOOD, "better", abi.encodeWithSelector(error, id, siteId));
    }

    function test_Challenge_KeepsOneResultAnAuthority() public {
        _certified();

        _emits(authority, address(equivalence));
        emit IEquivalenceRegistry.CertificateChallenged(id, siteId, authorityId, "counter");
        equivalence.challenge(id, siteId, authorityId, "counter");

        vm.assertEq(equivalence.counterOf(id, siteId, authorityId), "counter", "counter");
        bytes4 error = IEquivalenceRegistry.ChallengedAlready.selector;
        _refusesChallenge("third", abi.encodeWithSelector(error, id, siteId, authorityId));
    }

    function test_Challenge_RevertWhen_CallerIsNotTheChallenger() public {
        _certified();

        bytes4 error = IEquivalenceRegistry.CallerNotChallenger.selector;
        _refuse(stranger, abi.encodeWithSelector(error, authorityId, stranger));
        equivalence.challenge(id, siteId, authorityId, "counter");
    }

    function test_Challenge_RevertWhen_ChallengerIsNoAuthority() public {
        _certified();

        bytes4 error = IEquivalenceRegistry.EvaluatorNotAuthority.selector;
        _refuse(maker, abi.encodeWithSelector(error, makerId));
        equivalence.challenge(id, siteId, makerId, "counter");
    }

    function test_Challenge_RevertWhen_ThereIsNoCertificate() public {
        _revealed();

        _refusesChallenge("counter", _uncertified());
    }

    function test_Challenge_RevertWhen_ItIsNoOtherResult() public {
        _certified();

        bytes4 error = IEquivalenceRegistry.ResultInvalid.selector;
        _refusesChallenge("result", abi.encodeWithSelector(error, bytes32("result")));
        _refusesChallenge(0, abi.encodeWithSelector(error, 0));
    }

    function test_Suspend_IsForEver() public {
        _certified();
        _nextBlock();

        _emits(authority, address(equivalence));
        emit IEquivalenceRegistry.CertificateSuspended(id, siteId, "drift");
        equivalence.suspend(id, siteId, "drift");

        vm.assertEq(equivalence.certificateOf(id, siteId).suspendedAt, _now(), "suspendedAt");
        bytes4 error = IEquivalenceRegistry.SuspendedAlready.selector;
        _refuse(siteManager, abi.encodeWithSelector(error, id, siteId));
        equivalence.suspend(id, siteId, "again");
    }

    function test_Suspend_MayComeFromTheSiteAndDuringARecovery() public {
        _certified();
        _recoverAuthority();
        uint256 snapshot = vm.snapshotState();
        vm.prank(siteManager);
        equivalence.suspend(id, siteId, "drift");
        vm.revertToState(snapshot);

        vm.prank(authority);
        equivalence.suspend(id, siteId, "drift");
    }

    function test_Suspend_RevertWhen_CallerIsNeither() public {
        _certified();

        _refuse(stranger, _neither());
        equivalence.suspend(id, siteId, "drift");
    }

    function test_Suspend_RevertWhen_ThereIsNoCertificate() public {
        _revealed();

        _refuse(authority, _uncertified());
        equivalence.suspend(id, siteId, "drift");
    }

    function test_Lapse_KeepsTimeAndCause() public {
        _certified();
        IEquivalenceRegistry.Cause cause = IEquivalenceRegistry.Cause.FirmwareChanged;

        _emits(siteManager, address(equivalence));
        emit IEquivalenceRegistry.CertificateLapsed(id, siteId, cause);
        equivalence.lapse(id, siteId, cause);

        vm.assertEq(equivalence.certificateOf(id, siteId).lapsedAt, _now(), "lapsedAt");
        vm.assertEq(uint256(equivalence.certificateOf(id, siteId).cause), 2, "cause");
        bytes4 error = IEquivalenceRegistry.LapsedAlready.selector;
        _refusesLapse(authority, cause, abi.encodeWithSelector(error, id, siteId));
    }

    function test_Lapse_RevertWhen_CauseIsMissing() public {
        _certified();

        bytes4 error = IEquivalenceRegistry.CauseMissing.selector;
        _refusesLapse(authority, IEquivalenceRegistry.Cause.None, abi.encodeWithSelector(error));
    }

    function test_Lapse_RevertWhen_CallerIsNeither() public {
        _certified();

        _refusesLapse(stranger, IEquivalenceRegistry.Cause.MachineMoved, _neither());
    }

    function test_Lapse_RevertWhen_ThereIsNoCertificate() public {
        _refusesLapse(authority, IEquivalenceRegistry.Cause.MachineMoved, _uncertified());
    }

    function _neither() private view returns (bytes memory) {
        bytes4 error = IEquivalenceRegistry.CallerNotEvaluator.selector;
        return abi.encodeWithSelector(error, authorityId, stranger);
    }

    function _uncertified() private view returns (bytes memory) {
        bytes4 error = IEquivalenceRegistry.CertificateUnknown.selector;
        return abi.encodeWithSelector(error, id, siteId);
    }

    function _refuses(
        address caller,
        IEquivalenceRegistry.Outcome verdict,
        bytes32 result,
        bytes memory error
    ) private {
        _refuse(caller, error);
        equivalence.certify(id, siteId, verdict, result, 0);
    }

    function _refusesChallenge(bytes32 result, bytes memory error) private {
        _refuse(authority, error);
        equivalence.challenge(id, siteId, authorityId, result);
    }

    function _refusesLapse(address caller, IEquivalenceRegistry.Cause cause, bytes memory error)
        private
    {
        _refuse(caller, error);
        equivalence.lapse(id, siteId, cause);
    }
}
