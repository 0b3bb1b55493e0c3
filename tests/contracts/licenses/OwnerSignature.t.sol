// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";
import {Eip712} from "../support/Eip712.sol";
import {Wallet} from "../support/Wallet.sol";

contract OwnerSignatureTest is Deployed {
    ILicenseRegistry.Terms internal terms;

    function setUp() public override {
        super.setUp();
        terms = _terms(_design());
    }

    function testFuzz_LicenseId_IsTheDigestOfEip712(ILicenseRegistry.Terms calldata any)
        public
        view
    {
        bytes32 expected =
            Eip712.typed(Eip712.terms(any), Eip712.LICENSES, block.chainid, address(licenses));

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
        _refusesSignedFor(Eip712.LICENSES, block.chainid + 1, address(licenses));
    }

    function test_Grant_RevertWhen_ReplayedAfterAFork() public {
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));

        vm.chainId(block.chainid + 1);

        _refuses(signature);
    }

    function test_Grant_RevertWhen_SignedForAnotherContract() public {
        _refusesSignedFor(Eip712.LICENSES, block.chainid, address(parts));
    }

    function test_Grant_RevertWhen_SignedForAnotherName() public {
        _refusesSignedFor(Eip712.PARTS, block.chainid, address(licenses));
    }

    function test_Grant_RevertWhen_SignedAsAnotherType() public {
        bytes32 content = keccak256(abi.encode(keccak256("Void(uint256 part)"), terms));

        _refuses(
            _sign(
                DESIGNER_KEY,
                Eip712.typed(content, Eip712.LICENSES, block.chainid, address(licenses))
            )
        );
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
        licenses.grant(terms, signature, "");
    }

    function test_Grant_SignedByAWallet() public {
        Wallet wallet = new Wallet(designer);
        terms = _terms(_design(address(wallet), "salt"));
        bytes32 id = licenses.licenseId(terms);

        licenses.grant(terms, _sign(DESIGNER_KEY, id), "");

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

    function _refusesSignedFor(string memory name, uint256 chain, address verifier) private {
        bytes32 digest = Eip712.typed(Eip712.terms(terms), name, chain, verifier);
        _refuses(_sign(DESIGNER_KEY, digest));
    }

    function _refuses(bytes memory signature) private {
        bytes32 id = licenses.licenseId(terms);
        address owner = designs.designOwner(terms.design);
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.OwnerSignatureInvalid.selector, id, owner)
        );
        licenses.grant(terms, signature, "");
    }
}
