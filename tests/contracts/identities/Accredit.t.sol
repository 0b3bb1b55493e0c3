// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract AccreditTest is Deployed {
    function test_Accredit_BeginsNow_WhereNoTimeIsNamed() public {
        bytes32 expected = _id(authorityId, makerId, "scope");

        _emits(authority, address(identities));
        emit IIdentityRegistry.Accredited(expected, authorityId, makerId, "scope", _now(), 0);
        bytes32 id = identities.accredit(authorityId, makerId, "scope", 0, 0);

        vm.assertEq(id, expected, "id");
        _holds(id, _now(), 0, 0);
    }

    function test_Accredit_MayBeginLaterAndEnd() public {
        bytes32 id = _give(_now() + 100, _now() + 101);

        _holds(id, _now() + 100, _now() + 101, 0);
    }

    /// @dev Whatever it begins with: what was given while its issuer is doubted is known by its block.
    function test_Accredit_KeepsTheBlockThatRecordedIt() public {
        uint40 recorded = _now();
        bytes32 id = _give(recorded + 100, 0);
        _nextBlock();
        vm.prank(authority);
        identities.revokeAccreditation(authorityId, makerId, "scope");

        vm.assertEq(identities.accreditationOf(id).recordedAt, recorded, "recordedAt");
        vm.assertEq(identities.accreditationOf(id).revokedAt, _now(), "revokedAt");
    }

    function test_Accredit_MayBeginInItsOwnBlock() public {
        bytes32 id = _give(_now(), _now() + 1);

        _holds(id, _now(), _now() + 1, 0);
    }

    function test_Accredit_RevertWhen_BackDatedByASecond() public {
        _refuse(
            authority,
            abi.encodeWithSelector(
                IIdentityRegistry.AccreditationBackDated.selector, _now() - 1, _now()
            )
        );
        identities.accredit(authorityId, makerId, "scope", _now() - 1, 0);
    }

    function testFuzz_Accredit_NoIntervalBeginsBeforeItsBlock(uint40 from, uint40 to) public {
        uint40 begin = from == 0 ? _now() : from;
        if (begin < _now()) {
            _refuse(
                authority,
                abi.encodeWithSelector(
                    IIdentityRegistry.AccreditationBackDated.selector, begin, _now()
                )
            );
            identities.accredit(authorityId, makerId, "scope", from, to);
        } else if (to != 0 && to <= begin) {
            _refuse(authority, _empty(begin, to));
            identities.accredit(authorityId, makerId, "scope", from, to);
        } else {
            _holds(_give(from, to), begin, to, 0);
        }
    }

    function test_Accredit_RevertWhen_ItEndsAsItBegins() public {
        _refuse(authority, _empty(_now(), _now()));
        identities.accredit(authorityId, makerId, "scope", 0, _now());
    }

    function test_Accredit_RevertWhen_ItEndsBeforeItBegins() public {
        _refuse(authority, _empty(_now() + 9, _now() + 8));
        identities.accredit(authorityId, makerId, "scope", _now() + 9, _now() + 8);
    }

    /// @dev Who submits first gets an accreditation of his own, and takes nobody's.
    function test_Accredit_OfTwoIssuersStandsTwice() public {
        vm.prank(maker);
        bytes32 early = identities.accredit(makerId, makerId, "scope", 0, 0);
        bytes32 late = _give(0, 0);

        vm.assertNotEq(early, late, "id");
        vm.assertEq(late, _id(authorityId, makerId, "scope"), "the id names its issuer");
    }

    function test_Accredit_RevertWhen_CallerIsNotTheIssuer() public {
        _refuse(maker, _notController(maker));
        identities.accredit(authorityId, makerId, "scope", 0, 0);
    }

    function test_Accredit_RevertWhen_CallerWasTheIssuer() public {
        vm.prank(authority);
        identities.proposeController(authorityId, buyer);
        vm.prank(buyer);
        identities.acceptController(authorityId);

        _refuse(authority, _notController(authority));
        identities.accredit(authorityId, makerId, "scope", 0, 0);
    }

    function test_Accredit_RevertWhen_IssuerIsUnknown() public {
        _refuse(authority, _unknown());
        identities.accredit("nobody", makerId, "scope", 0, 0);
    }

    function test_Accredit_RevertWhen_SubjectIsUnknown() public {
        _refuse(authority, _unknown());
        identities.accredit(authorityId, "nobody", "scope", 0, 0);
    }

    function test_Accredit_RevertWhen_IssuerIsInRecovery() public {
        _recoverAuthority();

        _refuse(authority, _authorityInRecovery());
        identities.accredit(authorityId, makerId, "scope", 0, 0);

        vm.prank(authority);
        identities.cancelRecovery(authorityId);
        _holds(_give(0, 0), _now(), 0, 0);
    }

    /// @dev The same call again counts once.
    function test_Accredit_RevertWhen_GivenAlready() public {
        bytes32 id = _give(0, 0);

        _refuse(authority, abi.encodeWithSelector(IIdentityRegistry.AccreditedAlready.selector, id));
        identities.accredit(authorityId, makerId, "scope", 0, _now() + 1);
    }

    function test_Accredit_RevertWhen_Revoked() public {
        bytes32 id = _give(0, 0);
        vm.prank(authority);
        identities.revokeAccreditation(authorityId, makerId, "scope");

        _refuse(authority, abi.encodeWithSelector(IIdentityRegistry.AccreditedAlready.selector, id));
        identities.accredit(authorityId, makerId, "scope", 0, 0);
    }

    /// @dev A copy of a transaction does nothing on another deployment: its issuer is unknown there.
    function test_Accredit_RevertWhen_ReplayedOnAnotherDeployment() public {
        IIdentityRegistry other = IIdentityRegistry(vm.deployCode("IdentityRegistry.sol", ""));

        _refuse(
            authority,
            abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, authorityId)
        );
        other.accredit(authorityId, makerId, "scope", 0, 0);
    }

    function test_RevokeAccreditation_EndsItNow() public {
        uint40 from = _now();
        bytes32 id = _give(0, from + 1000);
        _nextBlock();

        _emits(authority, address(identities));
        emit IIdentityRegistry.AccreditationRevoked(id);
        identities.revokeAccreditation(authorityId, makerId, "scope");

        _holds(id, from, from + 1000, _now());
    }

    function test_RevokeAccreditation_RevertWhen_CallerIsNotTheIssuer() public {
        _give(0, 0);

        _refuse(maker, _notController(maker));
        identities.revokeAccreditation(authorityId, makerId, "scope");
    }

    function test_RevokeAccreditation_RevertWhen_ItIsOfAnotherIssuer() public {
        _give(0, 0);
        bytes32 own = _id(makerId, makerId, "scope");

        _refuse(maker, abi.encodeWithSelector(IIdentityRegistry.AccreditationUnknown.selector, own));
        identities.revokeAccreditation(makerId, makerId, "scope");
    }

    function test_RevokeAccreditation_RevertWhen_IssuerIsInRecovery() public {
        _give(0, 0);
        _recoverAuthority();

        _refuse(authority, _authorityInRecovery());
        identities.revokeAccreditation(authorityId, makerId, "scope");
    }

    function test_RevokeAccreditation_RevertWhen_RevokedAlready() public {
        bytes32 id = _give(0, 0);
        vm.prank(authority);
        identities.revokeAccreditation(authorityId, makerId, "scope");

        _refuse(
            authority,
            abi.encodeWithSelector(IIdentityRegistry.AccreditationRevokedAlready.selector, id)
        );
        identities.revokeAccreditation(authorityId, makerId, "scope");
    }

    function _give(uint40 from, uint40 to) private returns (bytes32) {
        vm.prank(authority);
        return identities.accredit(authorityId, makerId, "scope", from, to);
    }

    function _holds(bytes32 id, uint40 from, uint40 to, uint40 revokedAt) private view {
        IIdentityRegistry.Accreditation memory self = identities.accreditationOf(id);
        vm.assertEq(self.from, from, "from");
        vm.assertEq(self.to, to, "to");
        vm.assertEq(self.revokedAt, revokedAt, "revokedAt");
    }

    function _id(bytes32 issuer, bytes32 subject, bytes32 scope) private pure returns (bytes32) {
        bytes32 domain = keccak256("guildmark/accreditation/v1");
        return keccak256(abi.encode(domain, issuer, subject, scope));
    }

    function _empty(uint40 from, uint40 to) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.AccreditationEmpty.selector, from, to);
    }

    function _notController(address caller) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, authorityId, caller
            );
    }

    function _unknown() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, bytes32("nobody"));
    }
}
