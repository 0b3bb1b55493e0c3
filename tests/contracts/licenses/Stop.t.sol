// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract StopTest is Deployed {
    uint40 internal constant NOTICE = 86_400;

    bytes32 internal id;
    bytes32 internal design;

    function setUp() public override {
        super.setUp();
        design = _design();
        ILicenseRegistry.Terms memory terms = _terms(design);
        terms.notice = NOTICE;
        _grant(terms);
        id = licenses.licenseId(terms);
    }

    function test_Stop_AfterTheNotice() public {
        uint40 at = _now() + NOTICE;

        _emits(designer, address(licenses));
        emit ILicenseRegistry.LicenseStopped(id, at);
        licenses.stop(id, at);

        vm.assertEq(licenses.license(1).stopAt, at, "stopAt");
    }

    function test_Stop_MovesEarlierWithinTheNotice() public {
        uint40 at = _now() + NOTICE;
        vm.prank(designer);
        licenses.stop(id, at + 10);

        vm.prank(designer);
        licenses.stop(id, at + 9);

        vm.assertEq(licenses.license(1).stopAt, at + 9, "stopAt");
    }

    function test_Stop_ByTheNewOwner() public {
        _transfer(address(designs), designer, buyer, uint256(design));

        _refuse(
            designer,
            abi.encodeWithSelector(ILicenseRegistry.CallerNotLicensor.selector, id, designer)
        );
        licenses.stop(id, _now() + NOTICE);
        vm.prank(buyer);
        licenses.stop(id, _now() + NOTICE);

        vm.assertEq(licenses.license(1).stopAt, _now() + NOTICE, "stopAt");
    }

    /// @dev A child is stopped by whom it was licensed on by, whoever owns the design.
    function test_Stop_OfAChildByItsLicensor() public {
        ILicenseRegistry.Terms memory child = _termsUnder(1, operatorId);
        child.notice = NOTICE - 1;
        _sublicense(1, child);
        bytes32 below = licenses.licenseId(child);
        uint40 at = _now() + NOTICE - 1;
        address[3] memory others = [designer, operator, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            _refuse(
                others[i],
                abi.encodeWithSelector(
                    ILicenseRegistry.CallerNotLicensor.selector, below, others[i]
                )
            );
            licenses.stop(below, at);
        }
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.StopTooEarly.selector, at - 1, at));
        licenses.stop(below, at - 1);

        vm.prank(maker);
        licenses.stop(below, at);

        vm.assertEq(licenses.license(2).stopAt, at, "stopAt");
        vm.assertEq(licenses.license(1).stopAt, 0, "the parent goes on");
    }

    function test_Stop_RevertWhen_TooEarly() public {
        uint40 earliest = _now() + NOTICE;

        _refuse(
            designer,
            abi.encodeWithSelector(ILicenseRegistry.StopTooEarly.selector, earliest - 1, earliest)
        );
        licenses.stop(id, earliest - 1);
    }

    function test_Stop_RevertWhen_NotEarlier() public {
        uint40 at = _now() + NOTICE;
        vm.prank(designer);
        licenses.stop(id, at);

        _refuse(designer, abi.encodeWithSelector(ILicenseRegistry.StopNotEarlier.selector, at, at));
        licenses.stop(id, at);
    }

    function test_Stop_RevertWhen_StoppedAlready() public {
        uint40 at = _now() + NOTICE;
        vm.prank(designer);
        licenses.stop(id, at);
        vm.warp(at + 1);

        _refuse(
            designer,
            abi.encodeWithSelector(ILicenseRegistry.StopNotEarlier.selector, _now() + NOTICE, at)
        );
        licenses.stop(id, _now() + NOTICE);
    }

    function test_Stop_RevertWhen_CallerIsTheLicensee() public {
        _refuse(
            maker, abi.encodeWithSelector(ILicenseRegistry.CallerNotLicensor.selector, id, maker)
        );
        licenses.stop(id, _now() + NOTICE);
    }

    function test_Stop_RevertWhen_LicenseIsUnknown() public {
        _refuse(
            designer,
            abi.encodeWithSelector(ILicenseRegistry.LicenseUnknown.selector, bytes32("none"))
        );
        licenses.stop("none", _now());
    }

    function test_Stop_RevertWhen_TheNoticeNeverEnds() public {
        ILicenseRegistry.Terms memory terms = _terms(design);
        terms.notice = type(uint40).max;
        _grant(terms);
        bytes32 endless = licenses.licenseId(terms);

        uint256 earliest = block.timestamp + type(uint40).max;
        _refuse(
            designer,
            abi.encodeWithSelector(
                ILicenseRegistry.StopTooEarly.selector, type(uint40).max, earliest
            )
        );
        licenses.stop(endless, type(uint40).max);
    }

    function test_Stop_InTheLastSecondThatThereIs() public {
        ILicenseRegistry.Terms memory terms = _terms(design);
        terms.notice = type(uint40).max - _now();
        _grant(terms);

        _stopLast(licenses.licenseId(terms));

        vm.assertEq(licenses.license(2).stopAt, type(uint40).max, "stopAt");
    }

    function test_Stop_RevertWhen_TheNoticeEndsOneSecondLater() public {
        ILicenseRegistry.Terms memory terms = _terms(design);
        terms.notice = type(uint40).max - _now() + 1;
        _grant(terms);
        bytes32 late = licenses.licenseId(terms);

        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenseRegistry.StopTooEarly.selector, type(uint40).max, uint256(2 ** 40)
            )
        );
        _stopLast(late);
    }

    function _stopLast(bytes32 license) private {
        vm.prank(designer);
        licenses.stop(license, type(uint40).max);
    }
}
