// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract GrantTest is Deployed {
    ILicenseRegistry.Terms internal terms;

    function setUp() public override {
        super.setUp();
        terms = _terms(_design());
        terms.notBefore = _now();
        terms.notAfter = _now() + 500;
        terms.notice = 86_400;
    }

    function test_Grant_StoresTheLicense() public {
        (uint40 number,) = _grant(terms);

        bytes32 id = licenses.licenseId(terms);
        ILicenseRegistry.License memory self = licenses.license(number);
        vm.assertEq(number, 1, "number");
        vm.assertEq(licenses.numberOf(id), 1, "numberOf");
        vm.assertEq(licenses.grantedAt(id), _now(), "grantedAt");
        vm.assertEq(licenses.idOf(1), id, "idOf");
        vm.assertEq(licenses.designOf(1), terms.design, "designOf");
        vm.assertEq(self.units, UNITS, "units");
        vm.assertEq(self.notBefore, terms.notBefore, "notBefore");
        vm.assertEq(self.notAfter, terms.notAfter, "notAfter");
        vm.assertEq(self.notice, terms.notice, "notice");
        vm.assertEq(self.stopAt, 0, "stopAt");
        vm.assertEq(self.parent, 0, "parent");
        vm.assertEq(self.depth, 0, "depth");
    }

    function test_Grant_BeginsAsOneLaneOfTheHolder() public {
        (, uint40 number) = _grant(terms);

        ILicenseRegistry.Lane memory lane = licenses.lane(number);
        vm.assertEq(number, 1, "lane");
        vm.assertEq(lane.license, 1, "license");
        vm.assertEq(lane.first, 1, "first");
        vm.assertEq(lane.next, 1, "next");
        vm.assertEq(lane.end, UNITS + 1, "end");
        vm.assertEq(lane.log, 0, "log");
        vm.assertEq(lane.reclaimAt, 0, "reclaimAt");
        vm.assertEq(licenses.holderOf(number), makerId, "holder");
        vm.assertEq(licenses.giverOf(number), 0, "giver");
        vm.assertEq(licenses.originOf(number).at, 0, "given at: by no lane's holder");
    }

    function test_Grant_SubmittedByAnybody() public {
        bytes32 id = licenses.licenseId(terms);
        bytes memory signature = _sign(DESIGNER_KEY, id);

        _emits(stranger, address(licenses));
        emit ILicenseRegistry.LicenseGranted(id, 1, terms.design, 1, terms);
        licenses.grant(terms, signature, "");
    }

    function test_Grant_CountsLicensesAndLanes() public {
        _grant(terms);
        terms.nonce = 1;

        (uint40 number, uint40 lane) = _grant(terms);

        vm.assertEq(number, 2, "number");
        vm.assertEq(lane, 2, "lane");
    }

    function test_Grant_ToASite() public {
        terms.holder = siteId;

        (, uint40 lane) = _grant(terms);

        vm.assertEq(licenses.holderOf(lane), siteId, "holder");
    }

    function test_Grant_UntilTheOffersLastSecond() public {
        vm.warp(terms.offerUntil);

        (uint40 number,) = _grant(terms);

        vm.assertEq(number, 1, "number");
    }

    function test_Grant_WithoutAnEnd() public {
        terms.notAfter = 0;

        (uint40 number,) = _grant(terms);

        vm.assertEq(licenses.license(number).notAfter, 0, "notAfter");
    }

    function test_Grant_OfOneSecond() public {
        terms.notAfter = terms.notBefore + 1;

        (uint40 number,) = _grant(terms);

        vm.assertEq(licenses.license(number).notAfter, terms.notAfter, "notAfter");
    }

    function test_Grant_OfAsManyUnitsAsThereAreNumbers() public {
        terms.units = type(uint40).max - 1;

        (, uint40 lane) = _grant(terms);

        vm.assertEq(licenses.lane(lane).end, type(uint40).max, "end");
    }

    function test_Grant_RevertWhen_ThereAreMoreUnitsThanNumbers() public {
        terms.units = type(uint40).max;

        _refuses(
            abi.encodeWithSelector(
                ILicenseRegistry.TermsUnitsTooMany.selector, terms.units, terms.units - 1
            )
        );
    }

    function test_Grant_RevertWhen_ThereAreNoUnits() public {
        terms.units = 0;

        _refuses(abi.encodeWithSelector(ILicenseRegistry.TermsUnitsMissing.selector));
    }

    function test_Grant_RevertWhen_TheWindowIsEmpty() public {
        terms.notAfter = terms.notBefore;

        _refuses(
            abi.encodeWithSelector(
                ILicenseRegistry.TermsWindowEmpty.selector, terms.notBefore, terms.notAfter
            )
        );
    }

    function test_Grant_RevertWhen_ThereIsAParent() public {
        terms.parent = "parent";

        _refuses(
            abi.encodeWithSelector(
                ILicenseRegistry.TermsParentMismatch.selector, bytes32("parent"), 0
            )
        );
    }

    function test_Grant_RevertWhen_TheRoyaltyIsTooLarge() public {
        terms.royalty = 2 ** 96;
        _refuses(
            abi.encodeWithSelector(ILicenseRegistry.TermsRoyaltyTooLarge.selector, terms.royalty)
        );

        terms.royalty = 2 ** 96 - 1;
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        (uint40 number,) = licenses.grant(terms, signature, _accept(MAKER_KEY, terms));
        vm.assertEq(licenses.priceOf(number).royalty, 2 ** 96 - 1, "royalty");
    }

    function test_Grant_RevertWhen_TheOfferHasExpired() public {
        vm.warp(terms.offerUntil + 1);

        _refuses(abi.encodeWithSelector(ILicenseRegistry.OfferExpired.selector, terms.offerUntil));
    }

    function test_Grant_RevertWhen_HolderIsAMachineAnAuthorityOrNobody() public {
        bytes32[3] memory holders = [machineId, authorityId, bytes32("nobody")];
        for (uint256 i = 0; i < holders.length; ++i) {
            terms.holder = holders[i];

            _refuses(
                abi.encodeWithSelector(ILicenseRegistry.HolderKindInvalid.selector, holders[i])
            );
        }
    }

    function test_Grant_RevertWhen_DesignIsUnknown() public {
        terms.design = "none";

        _refuses(abi.encodeWithSelector(IDesignRegistry.DesignUnknown.selector, bytes32("none")));
    }

    function test_Grant_RevertWhen_TheDesignWasSoldSinceTheSignature() public {
        _transfer(address(designs), designer, buyer, uint256(terms.design));

        _refuses(
            abi.encodeWithSelector(ILicenseRegistry.DesignEpochStale.selector, terms.design, 0, 1)
        );
    }

    function test_Grant_RevertWhen_TheDesignCameBackSinceTheSignature() public {
        _transfer(address(designs), designer, buyer, uint256(terms.design));
        _transfer(address(designs), buyer, designer, uint256(terms.design));

        _refuses(
            abi.encodeWithSelector(ILicenseRegistry.DesignEpochStale.selector, terms.design, 0, 2)
        );
    }

    function test_Grant_RevertWhen_SentTwice() public {
        _grant(terms);
        bytes32 id = licenses.licenseId(terms);

        _refuses(abi.encodeWithSelector(ILicenseRegistry.LicenseGrantedAlready.selector, id));
    }

    function _refuses(bytes memory error) private {
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        _refuse(stranger, error);
        licenses.grant(terms, signature, "");
    }
}
