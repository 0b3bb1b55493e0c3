// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract ClaimPublicTest is Deployed {
    string private constant VALUE = "506700GE1G29325QX363";

    function test_ClaimPublic_ShowsWhatItsDigestOpensTo() public {
        bytes32 digest =
            sha256(abi.encodePacked("guildmark/claim/v1", bytes32("salt"), "LEI", uint8(0), VALUE));
        bytes32 domain = keccak256("guildmark/claim/v1");
        bytes32 expected =
            keccak256(abi.encode(domain, authorityId, makerId, bytes32("LEI"), digest));

        _emits(authority, address(identities));
        emit IIdentityRegistry.ClaimShown(expected, "salt", VALUE);
        bytes32 id = identities.claimPublic(authorityId, makerId, "LEI", VALUE, "salt", 0);

        vm.assertEq(id, expected, "id");
        vm.assertEq(identities.claimOf(id).from, _now(), "from");
        vm.assertEq(identities.claimOf(id).to, 0, "to");
        vm.assertEq(identities.claimFor(authorityId, "LEI", VALUE), id, "number");
    }

    function test_ClaimPublic_IsOneAnIdentifierOfItsIssuer() public {
        bytes32 id = _make(authority, authorityId, makerId, 0);

        _refuse(
            authority, abi.encodeWithSelector(IIdentityRegistry.NumberClaimedAlready.selector, id)
        );
        identities.claimPublic(authorityId, siteId, "LEI", VALUE, "other", 0);
    }

    function test_ClaimPublic_IsOneEvenForTheSameSubject() public {
        bytes32 id = _make(authority, authorityId, makerId, 0);

        _refuse(
            authority, abi.encodeWithSelector(IIdentityRegistry.NumberClaimedAlready.selector, id)
        );
        identities.claimPublic(authorityId, makerId, "LEI", VALUE, "other", 0);
    }

    function test_ClaimPublic_CannotBeHeldUpByAnotherIssuer() public {
        bytes32 first = _make(maker, makerId, siteId, 0);
        bytes32 second = _make(authority, authorityId, makerId, 0);

        vm.assertNotEq(first, second, "id");
        vm.assertEq(identities.claimFor(makerId, "LEI", VALUE), first, "of the maker");
        vm.assertEq(identities.claimFor(authorityId, "LEI", VALUE), second, "of the authority");
    }

    function test_ClaimPublic_OfAnotherSchemeStandsBesideIt() public {
        _make(authority, authorityId, makerId, 0);

        vm.prank(authority);
        bytes32 other = identities.claimPublic(authorityId, siteId, "VAT", VALUE, 0, 0);

        vm.assertEq(identities.claimOf(other).from, _now(), "from");
    }

    function test_ClaimPublic_IsFreeAgainOnceRevoked() public {
        bytes32 first = _make(authority, authorityId, makerId, 0);
        vm.prank(authority);
        identities.revokeClaim(authorityId, first);

        bytes32 second = _make(authority, authorityId, siteId, 0);
        bytes32 number = identities.claimFor(authorityId, "LEI", VALUE);

        vm.assertEq(number, second, "newest");
        vm.assertEq(identities.claimOf(first).to, _now(), "the first stays revoked");
    }

    function test_ClaimPublic_RevertWhen_RevokedAndMadeWithTheSameSalt() public {
        bytes32 id = _make(authority, authorityId, makerId, 0);
        vm.prank(authority);
        identities.revokeClaim(authorityId, id);

        _refuse(authority, abi.encodeWithSelector(IIdentityRegistry.ClaimMadeAlready.selector, id));
        identities.claimPublic(authorityId, makerId, "LEI", VALUE, 0, 0);
    }

    function test_ClaimPublic_RevertWhen_CallerIsNotTheIssuer() public {
        _refuse(
            maker,
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, authorityId, maker
            )
        );
        identities.claimPublic(authorityId, makerId, "LEI", VALUE, 0, 0);
    }

    function test_ClaimPublic_RevertWhen_CallerWasTheIssuersController() public {
        vm.prank(authority);
        identities.proposeController(authorityId, buyer);
        vm.prank(buyer);
        identities.acceptController(authorityId);

        _refuse(
            authority,
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, authorityId, authority
            )
        );
        identities.claimPublic(authorityId, makerId, "LEI", VALUE, 0, 0);
    }

    function test_ClaimPublic_RevertWhen_SubjectIsUnknown() public {
        _refuse(
            authority,
            abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, bytes32("nobody"))
        );
        identities.claimPublic(authorityId, "nobody", "LEI", VALUE, 0, 0);
    }

    function test_ClaimPublic_TakesSchemesOf1To32Characters() public {
        bytes32 longest = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

        vm.startPrank(authority);
        bytes32 short = identities.claimPublic(authorityId, makerId, "A", VALUE, 0, 0);
        bytes32 long = identities.claimPublic(authorityId, makerId, longest, VALUE, 0, 0);

        vm.assertEq(identities.claimOf(short).from, _now(), "1");
        vm.assertEq(identities.claimOf(long).from, _now(), "32");
    }

    function test_ClaimPublic_RevertWhen_SchemeIsNoWord() public {
        bytes32[5] memory schemes = [
            bytes32(0), bytes32("LEI\x00X"), bytes32("L I"), bytes32("L\x7fI"), bytes32("\x00LEI")
        ];
        for (uint256 i = 0; i < schemes.length; ++i) {
            _refuse(
                authority,
                abi.encodeWithSelector(IIdentityRegistry.SchemeInvalid.selector, schemes[i])
            );
            identities.claimPublic(authorityId, makerId, schemes[i], VALUE, 0, 0);
        }
    }

    function test_ClaimPublic_TakesValuesOf1To64VisibleCharacters() public {
        vm.startPrank(authority);
        identities.claimPublic(authorityId, makerId, "A", "!", 0, 0);
        identities.claimPublic(authorityId, makerId, "A", "~", 0, 0);
        identities.claimPublic(authorityId, makerId, "A", _text(64), 0, 0);
    }

    function test_ClaimPublic_RevertWhen_ValueIsNoWord() public {
        string[6] memory values = ["", _text(65), "1 2", "1\x7f", unicode"ВMW", unicode"1\u200b2"];
        for (uint256 i = 0; i < values.length; ++i) {
            _refuse(
                authority,
                abi.encodeWithSelector(IIdentityRegistry.ValueInvalid.selector, values[i])
            );
            identities.claimPublic(authorityId, makerId, "LEI", values[i], 0, 0);
        }
    }

    function testFuzz_ClaimPublic_TakesVisibleAsciiOnly(bytes1 one) public {
        string memory value = string(abi.encodePacked(one));
        if (one < 0x21 || one > 0x7e) {
            _refuse(
                authority, abi.encodeWithSelector(IIdentityRegistry.ValueInvalid.selector, value)
            );
            identities.claimPublic(authorityId, makerId, "LEI", value, 0, 0);
        } else {
            vm.prank(authority);
            bytes32 id = identities.claimPublic(authorityId, makerId, "LEI", value, 0, 0);

            vm.assertEq(identities.claimFor(authorityId, "LEI", value), id, "number");
        }
    }

    function test_ClaimFor_IsZeroWhereNobodyClaimed() public view {
        vm.assertEq(identities.claimFor(authorityId, "LEI", VALUE), bytes32(0), "none");
    }

    function _make(address caller, bytes32 issuer, bytes32 subject, bytes32 salt)
        private
        returns (bytes32)
    {
        vm.prank(caller);
        return identities.claimPublic(issuer, subject, "LEI", VALUE, salt, 0);
    }

    function _text(uint256 size) private pure returns (string memory) {
        bytes memory text = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            text[i] = "x";
        }
        return string(text);
    }
}
