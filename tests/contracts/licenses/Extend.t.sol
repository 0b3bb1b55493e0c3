// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";
import {Eip712} from "../support/Eip712.sol";

contract ExtendTest is Deployed {
    uint40 internal constant MORE = 5;

    ILicenseRegistry.Terms internal terms;
    bytes32 internal id;
    uint40 internal lane;
    uint40 internal until;

    function setUp() public override {
        super.setUp();
        terms = _terms(_design());
        terms.notAfter = _now() + 500;
        (, lane) = _grant(terms);
        id = licenses.licenseId(terms);
        until = _now() + 100;
    }

    function test_Extend_AddsUnitsBehindTheLast() public {
        _emits(designer, address(licenses));
        emit ILicenseRegistry.LicenseExtended(id, 2, 61, 66, 0);
        uint40 made = licenses.extend(id, UNITS, MORE, until, "");

        ILicenseRegistry.Lane memory self = licenses.lane(made);
        vm.assertEq(made, 2, "lane");
        vm.assertEq(self.license, 1, "license");
        vm.assertEq(self.first, 61, "first");
        vm.assertEq(self.next, 61, "next");
        vm.assertEq(self.end, 66, "end");
        vm.assertEq(self.log, 0, "log");
        vm.assertEq(licenses.holderOf(made), makerId, "holder");
        vm.assertEq(licenses.giverOf(made), 0, "giver");
        vm.assertEq(licenses.license(1).units, UNITS + MORE, "units");
        vm.assertEq(licenses.lane(lane).end, 61, "the first lane stays");
    }

    function test_Extend_AsOftenAsTheOwnerLikes() public {
        vm.prank(designer);
        licenses.extend(id, UNITS, MORE, until, "");
        vm.prank(designer);
        uint40 made = licenses.extend(id, UNITS + MORE, 1, until, "");

        vm.assertEq(licenses.lane(made).first, 66, "first");
        vm.assertEq(licenses.license(1).units, 66, "units");
    }

    /// @dev Each under its own first unit, with the owner's epoch: who signed for a unit stays known.
    function test_Extend_KeepsWhoseUnitsTheseAreAndSinceWhen() public {
        uint40 granted = _now();
        vm.prank(designer);
        licenses.extend(id, UNITS, MORE, until, "");
        _nextBlock();
        _transfer(address(designs), designer, buyer, uint256(terms.design));
        vm.prank(buyer);
        licenses.extend(id, UNITS + MORE, 2, until, "");

        ILicenseRegistry.Extension memory early = licenses.extensionOf(1, 61);
        ILicenseRegistry.Extension memory late = licenses.extensionOf(1, 66);
        vm.assertEq(early.end, 66, "end");
        vm.assertEq(early.epoch, 0, "epoch");
        vm.assertEq(early.at, granted, "at");
        vm.assertEq(late.end, 68, "end of the second");
        vm.assertEq(late.epoch, 1, "epoch of the second");
        vm.assertEq(late.at, _now(), "at of the second");
        vm.assertEq(licenses.extensionOf(1, 62).at, 0, "none begins inside");
        vm.assertEq(licenses.extensionOf(1, 1).at, 0, "what was granted is no extension");
        vm.assertEq(licenses.grantedAt(id), granted, "the grant's time stays");
        vm.assertEq(licenses.originOf(2).source, 0, "cut from no lane");
    }

    function test_Extend_SubmittedByAnybody() public {
        bytes memory signature = _signed(0, UNITS, MORE);

        _emits(stranger, address(licenses));
        emit ILicenseRegistry.LicenseExtended(id, 2, 61, 66, 0);
        licenses.extend(id, UNITS, MORE, until, signature);
    }

    /// @dev What a lane's holder gave away stays his: the new units are the licensee's.
    function test_Extend_ForTheLicenseeThoughHeHoldsNothing() public {
        vm.prank(maker);
        licenses.split(lane, UNITS + 1, UNITS, 0, operatorId);

        vm.prank(designer);
        uint40 made = licenses.extend(id, UNITS, MORE, until, "");

        vm.assertEq(licenses.holderOf(made), makerId, "holder");
    }

    function test_Extend_UpToTheLastNumber() public {
        uint40 room = type(uint40).max - 1 - UNITS;
        bytes memory error =
            abi.encodeWithSelector(ILicenseRegistry.TermsUnitsTooMany.selector, room + 1, room);

        _refuses(UNITS, room + 1, error);
        vm.prank(designer);
        uint40 made = licenses.extend(id, UNITS, room, until, "");

        vm.assertEq(licenses.lane(made).end, type(uint40).max, "end");
    }

    function test_Extend_RevertWhen_SentTwice() public {
        bytes memory signature = _signed(0, UNITS, MORE);
        licenses.extend(id, UNITS, MORE, until, signature);

        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.UnitsStale.selector, id, UNITS, UNITS + MORE)
        );
        licenses.extend(id, UNITS, MORE, until, signature);
    }

    function test_Extend_RevertWhen_ByNothing() public {
        _refuses(UNITS, 0, abi.encodeWithSelector(ILicenseRegistry.TermsUnitsMissing.selector));
    }

    function test_Extend_RevertWhen_LicenseIsUnknown() public {
        id = "none";
        _refuses(UNITS, 1, abi.encodeWithSelector(ILicenseRegistry.LicenseUnknown.selector, id));
    }

    function test_Extend_RevertWhen_LicenseIsNoRoot() public {
        ILicenseRegistry.Terms memory child = _termsUnder(lane, operatorId);
        _sublicense(lane, child);
        id = licenses.licenseId(child);

        _refuses(UNITS, 1, abi.encodeWithSelector(ILicenseRegistry.LicenseNotRoot.selector, id));
    }

    function test_Extend_UntilTheOffersLastSecond() public {
        bytes memory signature = _signed(0, UNITS, MORE);
        vm.warp(until + 1);
        _refuses(UNITS, MORE, abi.encodeWithSelector(ILicenseRegistry.OfferExpired.selector, until));

        vm.warp(until);
        licenses.extend(id, UNITS, MORE, until, signature);
    }

    function test_Extend_UntilTheLicenseEnds() public {
        until = terms.notAfter;
        vm.warp(terms.notAfter);
        _refuses(UNITS, MORE, abi.encodeWithSelector(ILicenseRegistry.LicenseEnding.selector, id));

        vm.warp(terms.notAfter - 1);
        vm.prank(designer);
        licenses.extend(id, UNITS, MORE, until, "");
    }

    function test_Extend_RevertWhen_AStopIsAnnounced() public {
        vm.prank(designer);
        licenses.stop(id, _now() + 400);

        _refuses(UNITS, MORE, abi.encodeWithSelector(ILicenseRegistry.LicenseEnding.selector, id));
    }

    function test_Extend_RevertWhen_TheOwnerDidNotSignThis() public {
        _refusesSignature(designer, "");
        _refusesSignature(designer, _signed(1, UNITS, MORE));
        _refusesSignature(designer, _signed(0, UNITS, MORE + 1));
        _refusesSignature(designer, _signed(0, UNITS + 1, MORE));
        _refusesSignature(designer, _malleate(_signed(0, UNITS, MORE)));
        bytes32 content = Eip712.extension(id, 0, UNITS, MORE, until);
        _refusesSignature(designer, _sign(MAKER_KEY, _ofLicenses(content)));
        _refusesSignature(designer, _typed(Eip712.PARTS, block.chainid, address(licenses)));
        _refusesSignature(designer, _typed(Eip712.LICENSES, block.chainid, address(parts)));
        _refusesSignature(designer, _typed(Eip712.LICENSES, 5, address(licenses)));
        _refusesSignature(designer, _sign(DESIGNER_KEY, id));
    }

    function test_Extend_RevertWhen_AFormerOwnerSigned() public {
        bytes memory signature = _signed(0, UNITS, MORE);
        _transfer(address(designs), designer, buyer, uint256(terms.design));
        _refusesSignature(buyer, signature);

        _transfer(address(designs), buyer, designer, uint256(terms.design));
        _refusesSignature(designer, signature);

        licenses.extend(id, UNITS, MORE, until, _signed(2, UNITS, MORE));
    }

    function _signed(uint40 epoch, uint40 units, uint40 more) private view returns (bytes memory) {
        bytes32 content = Eip712.extension(id, epoch, units, more, until);
        return _sign(DESIGNER_KEY, _ofLicenses(content));
    }

    function _typed(string memory name, uint256 chain, address verifier)
        private
        view
        returns (bytes memory)
    {
        bytes32 content = Eip712.extension(id, 0, UNITS, MORE, until);
        return _sign(DESIGNER_KEY, Eip712.typed(content, name, chain, verifier));
    }

    function _refuses(uint40 units, uint40 more, bytes memory error) private {
        _refuse(designer, error);
        licenses.extend(id, units, more, until, "");
    }

    function _refusesSignature(address owner, bytes memory signature) private {
        _refuse(
            stranger,
            abi.encodeWithSelector(ILicenseRegistry.OwnerSignatureInvalid.selector, id, owner)
        );
        licenses.extend(id, UNITS, MORE, until, signature);
    }
}
