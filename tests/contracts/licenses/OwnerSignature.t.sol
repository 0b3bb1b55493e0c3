// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";
import {Wallet} from "../support/Wallet.sol";

contract OwnerSignatureTest is Deployed {
    bytes32 internal constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    ILicenseRegistry.Terms internal terms;

    function setUp() public override {
        super.setUp();
        terms = _terms(_design());
    }

    function testFuzz_LicenseId_IsTheDigestOfEip712(ILicenseRegistry.Terms calldata any)
        public
        view
    {
        bytes32 expected = _digest(any, block.chainid, address(licenses), "Guildmark Licenses");

        vm.assertEq(licenses.licenseId(any), expected, "id");
    }

    function test_Domain_IsPublished() public view {
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifier,,
        ) = IERC5267(address(licenses)).eip712Domain();

        vm.assertEq(bytes32(fields), bytes32(bytes1(0x0f)), "fields");
        vm.assertEq(name, "Guildmark Licenses", "name");
        vm.assertEq(version, "1", "version");
        vm.assertEq(chainId, block.chainid, "chain");
        vm.assertEq(verifier, address(licenses), "contract");
    }

    function test_Grant_RevertWhen_SomebodyElseSigned() public {
        _refuses(_sign(STRANGER_KEY, licenses.licenseId(terms)));
    }

    function test_Grant_RevertWhen_ItIsUnsigned() public {
        _refuses("");
        _refuses(new bytes(65));
    }

    function testFuzz_Grant_RevertWhen_AByteIsChanged(uint256 at, uint8 by) public {
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        at = _bound(at, 0, 64);
        by = uint8(_bound(by, 1, 255));

        signature[at] = bytes1(uint8(signature[at]) ^ by);

        _refuses(signature);
    }

    function test_Grant_RevertWhen_TheSignatureIsMalleated() public {
        _refuses(_malleate(_sign(DESIGNER_KEY, licenses.licenseId(terms))));
    }

    function test_Grant_RevertWhen_TheSignatureIsShort() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(DESIGNER_KEY, licenses.licenseId(terms));
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));

        _refuses(abi.encodePacked(r, vs));
    }

    function test_Grant_RevertWhen_SignedForAnotherChain() public {
        _refusesDigest(_digest(terms, 1, address(licenses), "Guildmark Licenses"));
    }

    function test_Grant_RevertWhen_ReplayedAfterAFork() public {
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));

        vm.chainId(block.chainid + 1);

        _refuses(signature);
    }

    function test_Grant_RevertWhen_SignedForAnotherContract() public {
        _refusesDigest(_digest(terms, block.chainid, address(parts), "Guildmark Licenses"));
    }

    function test_Grant_RevertWhen_SignedForAnotherName() public {
        _refusesDigest(_digest(terms, block.chainid, address(licenses), "Guildmark Parts"));
    }

    function test_Grant_RevertWhen_SignedAsAnotherType() public {
        bytes32 content = keccak256(abi.encode(keccak256("Void(uint256 part)"), terms));

        _refusesDigest(_typed(content, block.chainid, address(licenses), "Guildmark Licenses"));
    }

    function test_Grant_RevertWhen_AnyTermIsChanged() public {
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));

        terms.units += 1;
        _refuses(signature);
        terms.units -= 1;
        terms.holder = siteId;
        _refuses(signature);
        terms.holder = makerId;
        terms.termsRoot = "other";
        _refuses(signature);
        terms.termsRoot = "terms";
        terms.nonce = 1;
        _refuses(signature);
        terms.nonce = 0;
        licenses.grant(terms, signature);
    }

    function test_Grant_SignedByAWallet() public {
        Wallet wallet = new Wallet(designer);
        terms = _terms(_design(address(wallet), "salt"));
        bytes32 id = licenses.licenseId(terms);

        licenses.grant(terms, _sign(DESIGNER_KEY, id));

        vm.assertEq(licenses.numberOf(id), 1, "number");
    }

    function test_Grant_RevertWhen_TheWalletRefuses() public {
        Wallet wallet = new Wallet(designer);
        terms = _terms(_design(address(wallet), "salt"));

        _refuses(_sign(STRANGER_KEY, licenses.licenseId(terms)));
    }

    function test_Grant_RevertWhen_TheOwnerIsAContractThatAnswersNothing() public {
        Wallet wallet = new Wallet(designer);
        terms = _terms(_design(address(wallet), "salt"));
        vm.etch(address(wallet), hex"00");

        _refuses(_sign(DESIGNER_KEY, licenses.licenseId(terms)));
    }

    function _refusesDigest(bytes32 digest) private {
        _refuses(_sign(DESIGNER_KEY, digest));
    }

    function _refuses(bytes memory signature) private {
        bytes32 id = licenses.licenseId(terms);
        address owner = designs.designOwner(terms.design);
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.OwnerSignatureInvalid.selector, id, owner)
        );
        licenses.grant(terms, signature);
    }

    function _digest(
        ILicenseRegistry.Terms memory any,
        uint256 chain,
        address verifier,
        string memory name
    ) private pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,"
            "uint40 notBefore,uint40 notAfter,uint40 notice,bytes32 parent,address currency,"
            "uint256 royalty,uint256 fee,uint40 offerUntil,uint256 nonce,bytes32 termsRoot)"
        );
        return _typed(keccak256(abi.encode(typeHash, any)), chain, verifier, name);
    }

    function _typed(bytes32 content, uint256 chain, address verifier, string memory name)
        private
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPE, keccak256(bytes(name)), keccak256("1"), chain, verifier)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, content));
    }
}
