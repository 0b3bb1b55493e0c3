// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";
import {Eip712} from "../support/Eip712.sol";
import {Wallet} from "../support/Wallet.sol";

contract SublicenseTest is Deployed {
    uint40 internal constant END = UNITS + 1;
    uint40 internal constant NOTICE = 60;
    uint40 internal constant MINE = 20;

    ILicenseRegistry.Terms internal root;
    ILicenseRegistry.Terms internal terms;
    uint40 internal lane;

    function setUp() public override {
        super.setUp();
        root = _terms(_design());
        root.notice = NOTICE;
        root.notAfter = _now() + 5000;
        (, lane) = _grant(root);
        terms = _termsUnder(lane, operatorId);
        terms.units = MINE;
        terms.notice = NOTICE;
        terms.notBefore = 1;
        terms.notAfter = 2;
    }

    function test_Sublicense_StoresTheLicense() public {
        (uint40 number,) = _sublicense(lane, terms);

        bytes32 id = licenses.licenseId(terms);
        ILicenseRegistry.License memory self = licenses.license(number);
        vm.assertEq(number, 2, "number");
        vm.assertEq(licenses.numberOf(id), 2, "numberOf");
        vm.assertEq(licenses.grantedAt(id), _now(), "grantedAt");
        vm.assertEq(licenses.idOf(2), id, "idOf");
        vm.assertEq(licenses.designOf(2), root.design, "designOf");
        vm.assertEq(self.units, MINE, "units");
        vm.assertEq(self.notBefore, 1, "notBefore");
        vm.assertEq(self.notAfter, 2, "notAfter");
        vm.assertEq(self.stopAt, 0, "stopAt");
        vm.assertEq(self.notice, NOTICE, "notice");
        vm.assertEq(self.parent, 1, "parent");
        vm.assertEq(self.depth, 1, "depth");
    }

    function test_Sublicense_HoldsTheNumbersThatItWasCutWith() public {
        (, uint40 made) = _sublicense(lane, terms);

        ILicenseRegistry.Lane memory self = licenses.lane(made);
        vm.assertEq(made, 2, "lane");
        vm.assertEq(licenses.firstLaneOf(2), made, "firstLaneOf");
        vm.assertEq(self.license, 2, "license");
        vm.assertEq(self.first, 41, "first");
        vm.assertEq(self.next, 41, "next");
        vm.assertEq(self.end, END, "end");
        vm.assertEq(self.log, 0, "log");
        vm.assertEq(licenses.holderOf(made), operatorId, "holder");
        vm.assertEq(licenses.giverOf(made), makerId, "giver");
        vm.assertEq(licenses.originOf(made).source, lane, "source");
        vm.assertEq(licenses.originOf(made).at, _now(), "given at");
        vm.assertEq(licenses.lane(lane).end, 41, "what is left of the parent's lane");
    }

    function test_Sublicense_TellsWhatItDid() public {
        bytes32 id = licenses.licenseId(terms);

        _emits(maker, address(licenses));
        emit ILicenseRegistry.LicenseSublicensed(id, 2, lane, 2, terms);
        licenses.sublicense(lane, END, terms, "", "");
    }

    /// @dev Result and events are the same, whoever submits (T15).
    function test_Sublicense_SubmittedByAnybody() public {
        bytes memory signature = _sign(MAKER_KEY, _digest());

        _emits(stranger, address(licenses));
        emit ILicenseRegistry.LicenseSublicensed(licenses.licenseId(terms), 2, lane, 2, terms);
        licenses.sublicense(lane, END, terms, signature, "");
    }

    function test_Sublicense_SignedByAWallet() public {
        Wallet wallet = new Wallet(maker);
        bytes memory signature = _sign(MAKER_KEY, _digest());
        vm.prank(maker);
        identities.proposeController(makerId, address(wallet));
        wallet.execute(address(identities), abi.encodeCall(identities.acceptController, (makerId)));

        vm.prank(stranger);
        licenses.sublicense(lane, END, terms, signature, "");

        vm.assertEq(licenses.license(2).parent, 1, "parent");
    }

    function test_Sublicense_FourDeepAndNoDeeper() public {
        for (uint256 depth = 1; depth <= 4; ++depth) {
            (uint40 number, uint40 made) = _sublicense(lane, _termsUnder(lane, makerId));
            vm.assertEq(licenses.license(number).depth, depth, "depth");
            lane = made;
        }
        terms = _termsUnder(lane, makerId);

        _refuse(
            maker, abi.encodeWithSelector(ILicenseRegistry.SublicenseTooDeep.selector, uint8(5))
        );
        licenses.sublicense(lane, END, terms, "", "");
    }

    function test_Sublicense_TakesAllThatIsUndrawn() public {
        terms.units = UNITS;

        (, uint40 made) = _sublicense(lane, terms);

        vm.assertEq(licenses.lane(lane).end, 1, "nothing left");
        vm.assertEq(licenses.lane(made).first, 1, "first");
    }

    /// @dev A sale of the design changes neither the license nor whose it is to give on.
    function test_Sublicense_AfterTheDesignWasSold() public {
        bytes memory signature = _sign(MAKER_KEY, _digest());
        _transfer(address(designs), designer, buyer, uint256(root.design));

        licenses.sublicense(lane, END, terms, signature, "");

        vm.assertEq(licenses.license(2).units, MINE, "units");
    }

    function test_Sublicense_RevertWhen_LaneIsUnknown() public {
        _refuses(9, END, abi.encodeWithSelector(ILicenseRegistry.LaneUnknown.selector, 9));
    }

    function test_Sublicense_RevertWhen_OfAnotherParent() public {
        terms.parent = "other";
        _refuses(
            abi.encodeWithSelector(
                ILicenseRegistry.TermsParentMismatch.selector,
                bytes32("other"),
                licenses.licenseId(root)
            )
        );

        terms.parent = 0;
        _refuses(
            abi.encodeWithSelector(
                ILicenseRegistry.TermsParentMismatch.selector, 0, licenses.licenseId(root)
            )
        );
    }

    function test_Sublicense_RevertWhen_OfAnotherDesign() public {
        terms.design = "other";

        _refuses(
            abi.encodeWithSelector(
                ILicenseRegistry.TermsDesignMismatch.selector, bytes32("other"), root.design
            )
        );
    }

    function test_Sublicense_RevertWhen_ItNamesAnEpoch() public {
        terms.designEpoch = 1;

        _refuses(
            abi.encodeWithSelector(ILicenseRegistry.DesignEpochStale.selector, root.design, 1, 0)
        );
    }

    function test_Sublicense_RevertWhen_TheNoticeIsLongerThanAbove() public {
        terms.notice = NOTICE + 1;

        _refuses(
            abi.encodeWithSelector(ILicenseRegistry.TermsNoticeTooLong.selector, NOTICE + 1, NOTICE)
        );
    }

    function test_Sublicense_RevertWhen_ThereAreNoUnits() public {
        terms.units = 0;

        _refuses(abi.encodeWithSelector(ILicenseRegistry.TermsUnitsMissing.selector));
    }

    function test_Sublicense_RevertWhen_MoreThanUndrawn() public {
        terms.units = UNITS + 1;

        _refuses(
            abi.encodeWithSelector(ILicenseRegistry.SplitTooLarge.selector, lane, UNITS + 1, UNITS)
        );
    }

    function test_Sublicense_RevertWhen_TheLanesEndHasMoved() public {
        vm.prank(maker);
        licenses.split(lane, END, 1, 0, makerId);

        _refuses(abi.encodeWithSelector(ILicenseRegistry.LaneEndStale.selector, lane, END, END - 1));
    }

    function test_Sublicense_RevertWhen_SentTwice() public {
        _sublicense(lane, terms);

        _refuses(
            abi.encodeWithSelector(
                ILicenseRegistry.LicenseGrantedAlready.selector, licenses.licenseId(terms)
            )
        );
    }

    function test_Sublicense_UntilTheOffersLastSecond() public {
        vm.warp(terms.offerUntil);
        uint256 snapshot = vm.snapshotState();
        _sublicense(lane, terms);
        vm.revertToState(snapshot);
        vm.warp(terms.offerUntil + 1);

        _refuses(abi.encodeWithSelector(ILicenseRegistry.OfferExpired.selector, terms.offerUntil));
    }

    function test_Sublicense_UntilTheParentEnds() public {
        terms.offerUntil = root.notAfter;
        vm.warp(root.notAfter - 1);
        uint256 snapshot = vm.snapshotState();
        _sublicense(lane, terms);
        vm.revertToState(snapshot);
        vm.warp(root.notAfter);

        _refuses(_ending());
    }

    /// @dev A licensee never pays for what is stopped already, in whatever order calls land.
    function test_Sublicense_RevertWhen_AStopIsAnnouncedInFront() public {
        bytes32 id = licenses.licenseId(root);
        vm.prank(designer);
        licenses.stop(id, _now() + 1000);

        _refuses(_ending());
    }

    function test_Sublicense_RevertWhen_AnyLicenseAboveEnds() public {
        bytes32 id = licenses.licenseId(root);
        (, uint40 made) = _sublicense(lane, terms);
        vm.prank(designer);
        licenses.stop(id, _now() + 1000);
        terms = _termsUnder(made, makerId);
        vm.warp(root.notBefore);

        _refuse(operator, _ending());
        licenses.sublicense(made, END, terms, "", "");
    }

    function test_Sublicense_RevertWhen_HolderIsAMachineAnAuthorityOrNobody() public {
        bytes32[3] memory holders = [machineId, authorityId, bytes32("nobody")];
        for (uint256 i = 0; i < holders.length; ++i) {
            terms.holder = holders[i];

            _refuses(
                abi.encodeWithSelector(ILicenseRegistry.HolderKindInvalid.selector, holders[i])
            );
        }
    }

    function test_Sublicense_RevertWhen_TheWindowIsEmpty() public {
        terms.notBefore = 2;

        _refuses(abi.encodeWithSelector(ILicenseRegistry.TermsWindowEmpty.selector, 2, 2));
    }

    function test_Sublicense_RevertWhen_SomebodyElseSigned() public {
        _refusesSignature(_sign(DESIGNER_KEY, _digest()));
        _refusesSignature(_sign(OPERATOR_KEY, _digest()));
        _refusesSignature("");
        _refusesSignature(_malleate(_sign(MAKER_KEY, _digest())));
    }

    function test_Sublicense_RevertWhen_TheLicensorIsNoMore() public {
        bytes memory signature = _sign(MAKER_KEY, _digest());
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        vm.prank(buyer);
        identities.acceptController(makerId);

        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenseRegistry.LicensorSignatureInvalid.selector, licenses.licenseId(terms), buyer
            )
        );
        licenses.sublicense(lane, END, terms, signature, "");
    }

    /// @dev Another lane of the same holder, or another end, is not what was signed.
    function test_Sublicense_RevertWhen_SignedForAnotherLane() public {
        vm.prank(maker);
        uint40 other = licenses.split(lane, END, 30, 0, makerId);
        bytes memory signature = _sign(MAKER_KEY, _digest());

        vm.expectRevert(_invalid());
        licenses.sublicense(other, END, terms, signature, "");
        vm.expectRevert(_invalid());
        licenses.sublicense(lane, 31, terms, signature, "");
    }

    function test_Sublicense_RevertWhen_ReplayedElsewhere() public {
        bytes32 content = Eip712.sublicense(lane, END, terms);
        uint256 chain = block.chainid;

        _refusesSignature(_typed(content, Eip712.LICENSES, chain + 1, address(licenses)));
        _refusesSignature(_typed(content, Eip712.LICENSES, chain, address(parts)));
        _refusesSignature(_typed(content, Eip712.PARTS, chain, address(licenses)));
        bytes memory good = _typed(content, Eip712.LICENSES, chain, address(licenses));
        vm.chainId(chain + 1);
        _refusesSignature(good);
        vm.chainId(chain);
        licenses.sublicense(lane, END, terms, good, "");
    }

    /// @dev What is signed to grant, to accept and to extend is each of another type (T18).
    function test_Sublicense_RevertWhen_SignedAsAnotherType() public {
        _refusesSignature(_sign(MAKER_KEY, _ofLicenses(Eip712.terms(terms))));
        _refusesSignature(_sign(MAKER_KEY, _ofLicenses(Eip712.acceptance(terms))));
        bytes32 id = licenses.licenseId(root);
        bytes32 extension = Eip712.extension(id, 0, END, terms.units, terms.offerUntil);
        _refusesSignature(_sign(MAKER_KEY, _ofLicenses(extension)));
    }

    function _typed(bytes32 content, string memory name, uint256 chain, address verifier)
        private
        pure
        returns (bytes memory)
    {
        return _sign(MAKER_KEY, Eip712.typed(content, name, chain, verifier));
    }

    function _digest() private view returns (bytes32) {
        return _ofLicenses(Eip712.sublicense(lane, END, terms));
    }

    function _refuses(bytes memory error) private {
        _refuses(lane, END, error);
    }

    function _refuses(uint40 number, uint40 end, bytes memory error) private {
        _refuse(maker, error);
        licenses.sublicense(number, end, terms, "", "");
    }

    function _refusesSignature(bytes memory signature) private {
        _refuse(stranger, _invalid());
        licenses.sublicense(lane, END, terms, signature, "");
    }

    function _invalid() private view returns (bytes memory) {
        return abi.encodeWithSelector(
            ILicenseRegistry.LicensorSignatureInvalid.selector, licenses.licenseId(terms), maker
        );
    }

    function _ending() private view returns (bytes memory) {
        return
            abi.encodeWithSelector(
                ILicenseRegistry.LicenseEnding.selector, licenses.licenseId(root)
            );
    }
}
