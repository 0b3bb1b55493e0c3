// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract ClaimTest is Deployed {
    function test_Claim_BeginsNow() public {
        bytes32 expected = _id(authorityId, makerId);

        _emits(authority, address(identities));
        emit IIdentityRegistry.ClaimMade(
            expected, authorityId, makerId, "LEI", "digest", "evidence"
        );
        bytes32 id = identities.claim(authorityId, makerId, "LEI", "digest", "evidence");

        vm.assertEq(id, expected, "id");
        vm.assertEq(identities.claimOf(id).from, _now(), "from");
        vm.assertEq(identities.claimOf(id).to, 0, "to");
    }

    function test_Claim_OfTwoIssuersStandsTwice() public {
        bytes32 first = _make(authority, authorityId);
        bytes32 second = _make(maker, makerId);

        vm.assertNotEq(first, second, "id");
    }

    function test_Claim_RevertWhen_CallerIsNotTheIssuer() public {
        _refuse(
            maker,
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, authorityId, maker
            )
        );
        identities.claim(authorityId, makerId, "LEI", "digest", "evidence");
    }

    function test_Claim_RevertWhen_SubjectIsUnknown() public {
        _refuse(
            authority,
            abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, bytes32("nobody"))
        );
        identities.claim(authorityId, "nobody", "LEI", "digest", "evidence");
    }

    function test_Claim_RevertWhen_MadeAlready() public {
        bytes32 id = _make(authority, authorityId);

        _refuse(authority, abi.encodeWithSelector(IIdentityRegistry.ClaimMadeAlready.selector, id));
        identities.claim(authorityId, makerId, "LEI", "digest", "other evidence");
    }

    function test_Claim_RevertWhen_IssuerIsInRecovery() public {
        _recoverAuthority();

        _refuse(authority, _authorityInRecovery());
        identities.claim(authorityId, makerId, "LEI", "digest", "evidence");

        vm.prank(authority);
        identities.cancelRecovery(authorityId);
        _make(authority, authorityId);
    }

    function test_RevokeClaim_RevertWhen_IssuerIsInRecovery() public {
        bytes32 id = _make(authority, authorityId);
        _recoverAuthority();

        _refuse(authority, _authorityInRecovery());
        identities.revokeClaim(authorityId, id);
    }

    function test_RevokeClaim_EndsItNow() public {
        bytes32 id = _make(authority, authorityId);
        _nextBlock();

        _emits(authority, address(identities));
        emit IIdentityRegistry.ClaimRevoked(id);
        identities.revokeClaim(authorityId, id);

        vm.assertEq(identities.claimOf(id).from, _now() - 12, "from stays");
        vm.assertEq(identities.claimOf(id).to, _now(), "to");
    }

    function test_Claim_RevertWhen_Revoked() public {
        bytes32 id = _make(authority, authorityId);
        vm.prank(authority);
        identities.revokeClaim(authorityId, id);

        _refuse(authority, abi.encodeWithSelector(IIdentityRegistry.ClaimMadeAlready.selector, id));
        identities.claim(authorityId, makerId, "LEI", "digest", "evidence");
    }

    function test_RevokeClaim_RevertWhen_CallerIsNotTheIssuer() public {
        bytes32 id = _make(authority, authorityId);

        _refuse(
            maker,
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, authorityId, maker
            )
        );
        identities.revokeClaim(authorityId, id);
    }

    function test_RevokeClaim_RevertWhen_ItIsOfAnotherIssuer() public {
        bytes32 id = _make(authority, authorityId);

        _refuse(maker, abi.encodeWithSelector(IIdentityRegistry.ClaimUnknown.selector, id));
        identities.revokeClaim(makerId, id);
    }

    function test_RevokeClaim_RevertWhen_RevokedAlready() public {
        bytes32 id = _make(authority, authorityId);
        vm.prank(authority);
        identities.revokeClaim(authorityId, id);

        _refuse(
            authority, abi.encodeWithSelector(IIdentityRegistry.ClaimRevokedAlready.selector, id)
        );
        identities.revokeClaim(authorityId, id);
    }

    function _make(address caller, bytes32 issuer) private returns (bytes32) {
        vm.prank(caller);
        return identities.claim(issuer, makerId, "LEI", "digest", "evidence");
    }

    function _id(bytes32 issuer, bytes32 subject) private pure returns (bytes32) {
        bytes32 domain = keccak256("guildmark/claim/v1");
        return keccak256(abi.encode(domain, issuer, subject, bytes32("LEI"), bytes32("digest")));
    }
}
