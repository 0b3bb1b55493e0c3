// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Coin, HookedCoin, RefusingCoin, Taker, TakingCoin, TaxedCoin} from "../support/Coins.sol";
import {Deployed} from "../support/Deployed.sol";
import {Eip712} from "../support/Eip712.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Fees, royalties and what waits to be withdrawn.
contract PayTest is Deployed {
    uint40 internal constant END = UNITS + 1;
    uint256 internal constant ROYALTY = 7;
    uint256 internal constant FEE = 1000;

    Coin internal coin;
    ILicenseRegistry.Terms internal terms;
    uint40 internal number;
    uint40 internal whole;
    uint40 internal lane;

    function setUp() public override {
        super.setUp();
        coin = new Coin();
        number = _openLog();
        terms = _terms(_design());
        terms.royalty = ROYALTY;
        vm.deal(buyer, 1 ether);
        vm.deal(maker, 1 ether);
        coin.mint(buyer, 1 ether);
        vm.prank(buyer);
        coin.approve(address(licenses), type(uint256).max);
        _begin(terms);
    }

    function test_Fee_InNativeCoinWaitsForTheOwner() public {
        _withFee(address(0));
        bytes32 id = licenses.licenseId(terms);
        (bytes memory owners, bytes memory licensees) = _signatures();

        _emits(buyer, address(licenses));
        emit ILicenseRegistry.FeePaid(id, designer, address(0), FEE);
        licenses.grant{value: FEE}(terms, owners, licensees);

        vm.assertEq(licenses.creditOf(address(0), designer), FEE, "credit");
        vm.assertEq(address(licenses).balance, FEE, "held");
        vm.assertEq(buyer.balance, 1 ether - FEE, "who submits pays");
    }

    function test_Fee_InAnotherCoinWaitsForTheOwner() public {
        _withFee(address(coin));
        (bytes memory owners, bytes memory licensees) = _signatures();

        vm.prank(buyer);
        licenses.grant(terms, owners, licensees);

        vm.assertEq(licenses.creditOf(address(coin), designer), FEE, "credit");
        vm.assertEq(coin.balanceOf(address(licenses)), FEE, "held");
        vm.assertEq(coin.balanceOf(buyer), 1 ether - FEE, "who submits pays");
    }

    function test_Fee_OfAChildWaitsForItsLicensor() public {
        ILicenseRegistry.Terms memory child = _termsUnder(whole, operatorId);
        child.fee = FEE;
        vm.deal(operator, FEE);
        bytes memory signature =
            _sign(MAKER_KEY, _ofLicenses(Eip712.sublicense(whole, END - 20, child)));

        vm.prank(operator);
        licenses.sublicense{value: FEE}(whole, END - 20, child, signature, "");

        vm.assertEq(licenses.creditOf(address(0), maker), FEE, "credit");
    }

    /// @dev Nobody pays an owner whom he did not mean: the epoch is signed and has moved.
    function test_Fee_RevertWhen_TheDesignIsSoldInFront() public {
        _withFee(address(0));
        (bytes memory owners, bytes memory licensees) = _signatures();
        _transfer(address(designs), designer, stranger, uint256(terms.design));

        _refuse(
            buyer,
            abi.encodeWithSelector(ILicenseRegistry.DesignEpochStale.selector, terms.design, 0, 1)
        );
        licenses.grant{value: FEE}(terms, owners, licensees);
    }

    function test_Fee_RevertWhen_MoreOrLessIsSent() public {
        _withFee(address(0));
        (bytes memory owners, bytes memory licensees) = _signatures();

        _refuse(buyer, _valueMismatch(FEE, FEE - 1));
        licenses.grant{value: FEE - 1}(terms, owners, licensees);
        _refuse(buyer, _valueMismatch(FEE, FEE + 1));
        licenses.grant{value: FEE + 1}(terms, owners, licensees);
    }

    function test_Fee_RevertWhen_NativeCoinIsSentForAnother() public {
        _withFee(address(coin));
        (bytes memory owners, bytes memory licensees) = _signatures();

        _refuse(buyer, _valueMismatch(0, 1));
        licenses.grant{value: 1}(terms, owners, licensees);
        _withFee(address(0));
        terms.fee = 0;
        (owners, licensees) = _signatures();
        _refuse(buyer, _valueMismatch(0, 1));
        licenses.grant{value: 1}(terms, owners, licensees);
    }

    function test_Fee_RevertWhen_TheCoinBringsLessOrMore() public {
        _refusesCoin(new TaxedCoin(1));
        _refusesCoin(new TaxedCoin(-1));
        TakingCoin taking = new TakingCoin();
        taking.mint(address(licenses), 1);
        _refusesCoin(taking);
    }

    function test_Fee_RevertWhen_TheCoinRefusesOrIsNone() public {
        Coin refusing = new RefusingCoin();
        _withFee(address(refusing));
        (bytes memory owners, bytes memory licensees) = _signatures();
        _refuse(
            buyer, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, refusing)
        );
        licenses.grant(terms, owners, licensees);

        _withFee(stranger);
        (owners, licensees) = _signatures();
        vm.prank(buyer);
        vm.expectRevert();
        licenses.grant(terms, owners, licensees);
    }

    function test_Grant_RevertWhen_TheLicenseeDidNotAcceptADebt() public {
        _withFee(address(0));
        (bytes memory owners,) = _signatures();
        bytes[7] memory others = [
            bytes(""),
            _sign(DESIGNER_KEY, _ofLicenses(Eip712.acceptance(terms))),
            _sign(MAKER_KEY, licenses.licenseId(terms)),
            _malleate(_accept(MAKER_KEY, terms)),
            _sign(MAKER_KEY, _typed(Eip712.PARTS, block.chainid, address(licenses))),
            _sign(MAKER_KEY, _typed(Eip712.LICENSES, block.chainid, address(parts))),
            _sign(MAKER_KEY, _typed(Eip712.LICENSES, block.chainid + 1, address(licenses)))
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            _refuse(buyer, _unaccepted());
            licenses.grant{value: FEE}(terms, owners, others[i]);
        }
        terms.fee = 0;
        (owners,) = _signatures();
        _refuse(buyer, _unaccepted());
        licenses.grant(terms, owners, "");
    }

    function test_Grant_TheLicenseeWhoCallsNeedNotSign() public {
        _withFee(address(0));
        (bytes memory owners,) = _signatures();

        vm.prank(maker);
        licenses.grant{value: FEE}(terms, owners, "");

        vm.assertEq(licenses.creditOf(address(0), designer), FEE, "credit");
    }

    /// @dev An acceptance is not an owner's signature, nor the other way round (T18).
    function test_Grant_RevertWhen_TheOwnerOnlyAccepted() public {
        terms.nonce = 1;
        bytes memory acceptance = _accept(DESIGNER_KEY, terms);
        bytes memory licensees = _accept(MAKER_KEY, terms);

        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenseRegistry.OwnerSignatureInvalid.selector, licenses.licenseId(terms), designer
            )
        );
        licenses.grant(terms, acceptance, licensees);
    }

    function test_Owed_IsWhatWasDrawnAndNotPaid() public {
        vm.assertEq(licenses.owed(lane, 1), 0, "nothing drawn");
        _draw(5);
        vm.assertEq(licenses.owed(lane, 1), 5 * ROYALTY, "drawn");

        _pay(0, 2);

        vm.assertEq(licenses.owed(lane, 1), 3 * ROYALTY, "paid in part");
        vm.assertEq(licenses.paidUnits(lane, 1), 2, "paidUnits");
        _draw(1);
        vm.assertEq(licenses.owed(lane, 1), 4 * ROYALTY, "and drawn again");
    }

    function test_Pay_WaitsForTheOwner() public {
        _draw(5);

        _emits(buyer, address(licenses));
        emit ILicenseRegistry.RoyaltyPaid(lane, 1, designer, address(0), 5, 5 * ROYALTY);
        licenses.pay{value: 5 * ROYALTY}(lane, 1, 0, 5);

        vm.assertEq(licenses.creditOf(address(0), designer), 5 * ROYALTY, "credit");
        vm.assertEq(licenses.owed(lane, 1), 0, "owed");
    }

    /// @dev The buyer of a design buys its debts.
    function test_Pay_GoesToTheOwnerOfTheBlock() public {
        _draw(5);
        _pay(0, 1);
        _transfer(address(designs), designer, stranger, uint256(terms.design));

        _pay(1, 4);

        vm.assertEq(licenses.creditOf(address(0), designer), ROYALTY, "what was paid before");
        vm.assertEq(licenses.creditOf(address(0), stranger), 4 * ROYALTY, "what was paid after");
    }

    /// @dev A licensee cannot evade the owner's royalty by licensing on for nothing.
    function test_Pay_ForAChildsUnitsIsOwedToEachLicensor() public {
        ILicenseRegistry.Terms memory child = _termsUnder(whole, makerId);
        child.royalty = 3;
        child.currency = address(coin);
        (uint40 below, uint40 first) = _sublicense(whole, child);
        vm.prank(maker);
        uint40 cut = licenses.split(first, END - 20, 10, number, siteId);
        _append(number, 4, "root", _draws(cut, 4));

        vm.assertEq(licenses.owed(cut, below), 4 * 3, "to the licensor");
        vm.assertEq(licenses.owed(cut, 1), 4 * ROYALTY, "to the owner");
        vm.prank(buyer);
        licenses.pay(cut, below, 0, 4);
        vm.prank(buyer);
        licenses.pay{value: 4 * ROYALTY}(cut, 1, 0, 4);

        vm.assertEq(licenses.creditOf(address(coin), maker), 12, "the licensor's");
        vm.assertEq(licenses.creditOf(address(0), designer), 4 * ROYALTY, "the owner's");
    }

    function test_Pay_GoesToTheLicensorsControllerOfTheBlock() public {
        ILicenseRegistry.Terms memory child = _termsUnder(whole, makerId);
        child.royalty = 3;
        (uint40 below, uint40 first) = _sublicense(whole, child);
        vm.prank(maker);
        uint40 cut = licenses.split(first, END - 20, 10, number, siteId);
        _append(number, 4, "root", _draws(cut, 4));
        vm.prank(maker);
        identities.proposeController(makerId, authority);
        vm.prank(authority);
        identities.acceptController(makerId);

        vm.prank(buyer);
        licenses.pay{value: 12}(cut, below, 0, 4);

        vm.assertEq(licenses.creditOf(address(0), authority), 12, "credit");
    }

    function test_Pay_RevertWhen_SentTwice() public {
        _draw(5);
        _pay(0, 2);

        _refuse(buyer, abi.encodeWithSelector(ILicenseRegistry.PaymentStale.selector, lane, 0, 2));
        licenses.pay{value: 2 * ROYALTY}(lane, 1, 0, 2);
    }

    function test_Pay_RevertWhen_MoreThanDrawnOrNothing() public {
        _draw(5);

        _refuse(buyer, abi.encodeWithSelector(ILicenseRegistry.PaymentInvalid.selector, lane, 6, 5));
        licenses.pay{value: 6 * ROYALTY}(lane, 1, 0, 6);
        _refuse(buyer, abi.encodeWithSelector(ILicenseRegistry.PaymentInvalid.selector, lane, 0, 5));
        licenses.pay(lane, 1, 0, 0);
    }

    function test_Pay_RevertWhen_AnotherValueIsSent() public {
        _draw(5);

        _refuse(buyer, _valueMismatch(5 * ROYALTY, 5 * ROYALTY + 1));
        licenses.pay{value: 5 * ROYALTY + 1}(lane, 1, 0, 5);
    }

    function test_Pay_RevertWhen_ThereIsNoRoyalty() public {
        terms.royalty = 0;
        terms.nonce = 1;
        (uint40 free, uint40 first) = _grant(terms);

        _refuse(buyer, abi.encodeWithSelector(ILicenseRegistry.RoyaltyNone.selector, free));
        licenses.pay(first, free, 0, 1);
        vm.assertEq(licenses.owed(first, free), 0, "owed");
    }

    function test_Pay_RevertWhen_TheLicenseIsNotAboveTheLane() public {
        _sublicense(whole, _termsUnder(whole, operatorId));
        bytes memory error =
            abi.encodeWithSelector(ILicenseRegistry.LicenseNotAbove.selector, lane, 2);

        _refuse(buyer, error);
        licenses.pay(lane, 2, 0, 1);
        vm.expectRevert(error);
        licenses.owed(lane, 2);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.LicenseNotAbove.selector, lane, 0));
        licenses.owed(lane, 0);
    }

    function test_Pay_RevertWhen_LaneIsUnknown() public {
        _refuse(buyer, abi.encodeWithSelector(ILicenseRegistry.LaneUnknown.selector, 99));
        licenses.pay(99, 1, 0, 1);
    }

    /// @dev The largest debt that there can be fits.
    function test_Owed_OfAllUnitsAtTheHighestPrice() public {
        terms.royalty = 2 ** 96 - 1;
        terms.units = type(uint40).max - 1;
        terms.nonce = 1;
        (uint40 dear, uint40 first) = _begin(terms);
        vm.prank(maker);
        uint40 all = licenses.split(first, type(uint40).max, terms.units, number, siteId);
        vm.prank(address(log));
        licenses.draw(all, terms.units, number);

        vm.assertEq(licenses.owed(all, dear), (2 ** 96 - 1) * (2 ** 40 - 2), "owed");
    }

    function test_Withdraw_TakesAllOfACoin() public {
        _draw(5);
        _pay(0, 5);

        _emits(designer, address(licenses));
        emit ILicenseRegistry.CreditWithdrawn(address(0), designer, authority, 5 * ROYALTY);
        uint256 amount = licenses.withdraw(address(0), authority);

        vm.assertEq(amount, 5 * ROYALTY, "amount");
        vm.assertEq(authority.balance, 5 * ROYALTY, "got");
        vm.assertEq(licenses.creditOf(address(0), designer), 0, "nothing waits");
        vm.assertEq(address(licenses).balance, 0, "nothing is held");
    }

    function test_Withdraw_OfAnotherCoin() public {
        _withFee(address(coin));
        (bytes memory owners, bytes memory licensees) = _signatures();
        vm.prank(buyer);
        licenses.grant(terms, owners, licensees);

        vm.prank(designer);
        licenses.withdraw(address(coin), designer);

        vm.assertEq(coin.balanceOf(designer), FEE, "got");
    }

    function test_Withdraw_RevertWhen_NothingWaits() public {
        _draw(5);
        _pay(0, 5);
        vm.prank(designer);
        licenses.withdraw(address(0), designer);

        _refuse(
            designer,
            abi.encodeWithSelector(ILicenseRegistry.CreditMissing.selector, address(0), designer)
        );
        licenses.withdraw(address(0), designer);
        _refuse(
            stranger,
            abi.encodeWithSelector(ILicenseRegistry.CreditMissing.selector, address(coin), stranger)
        );
        licenses.withdraw(address(coin), stranger);
    }

    function test_Withdraw_RevertWhen_ItGoesToNobody() public {
        _refuse(designer, abi.encodeWithSelector(ILicenseRegistry.RecipientMissing.selector));
        licenses.withdraw(address(0), address(0));
    }

    /// @dev An owner who takes no coins is paid all the same, and holds up nobody (T31).
    function test_Pay_AnOwnerWhoTakesNoCoins() public {
        Taker taker = new Taker(address(licenses));
        _transfer(address(designs), designer, address(taker), uint256(terms.design));
        _draw(5);

        _pay(0, 5);

        bytes memory call = abi.encodeCall(licenses.withdraw, (address(0), address(taker)));
        vm.assertFalse(taker.execute(call), "he takes none himself");
        call = abi.encodeCall(licenses.withdraw, (address(0), authority));
        vm.assertTrue(taker.execute(call), "he may name another");
        vm.assertEq(authority.balance, 5 * ROYALTY, "got");
    }

    function test_Withdraw_RevertWhen_TheReceiverRefuses() public {
        address taker = address(new Taker(address(licenses)));
        _draw(5);
        _pay(0, 5);

        _refuse(designer, abi.encodeWithSignature("Error(string)", "no coins, please"));
        licenses.withdraw(address(0), taker);
        vm.assertEq(licenses.creditOf(address(0), designer), 5 * ROYALTY, "it still waits");
    }

    function test_Withdraw_ReenteredByTheReceiverGetsNothingMore() public {
        Taker taker = new Taker(address(licenses));
        _transfer(address(designs), designer, address(taker), uint256(terms.design));
        _draw(5);
        _pay(0, 5);
        vm.deal(address(licenses), 1 ether);
        bytes memory call = abi.encodeCall(licenses.withdraw, (address(0), address(taker)));
        taker.arm(call);

        vm.assertTrue(taker.execute(call), "the first");

        vm.assertFalse(taker.hasWorked(), "the second");
        vm.assertEq(address(taker).balance, 5 * ROYALTY, "once");
    }

    /// @dev Other people's coins lie here: who withdraws while he is paid gets none of them.
    function test_Pay_RevertWhen_TheOwnerWithdrawsOnTheWay() public {
        HookedCoin hooked = _drawnInHookedCoin();
        Taker taker = new Taker(address(licenses));
        _transfer(address(designs), designer, address(taker), uint256(terms.design));
        bytes memory call = abi.encodeCall(licenses.withdraw, (address(hooked), address(taker)));
        hooked.arm(address(taker), abi.encodeCall(taker.execute, (call)));

        _refuse(buyer, _short(hooked, 5));
        licenses.pay(lane, 2, 0, 5);

        vm.assertEq(licenses.creditOf(address(hooked), address(taker)), 0, "no credit");
        vm.assertEq(hooked.balanceOf(address(taker)), 0, "nothing got out");
    }

    /// @dev The inner payment would otherwise count for the outer one, too.
    function test_Pay_RevertWhen_AnotherPaymentIsMadeOnTheWay() public {
        HookedCoin hooked = _drawnInHookedCoin();
        Wallet other = new Wallet(stranger);
        hooked.mint(address(other), 2 * ROYALTY);
        other.execute(
            address(hooked), abi.encodeCall(hooked.approve, (address(licenses), 2 * ROYALTY))
        );
        bytes memory call = abi.encodeCall(licenses.pay, (lane, 2, 3, 2));
        hooked.arm(address(other), abi.encodeCall(other.execute, (address(licenses), call)));

        _refuse(buyer, _short(hooked, 3));
        licenses.pay(lane, 2, 0, 3);

        vm.assertEq(licenses.paidUnits(lane, 2), 0, "nothing counts");
    }

    /// @dev A hook that leaves the registry alone is nobody's business.
    function test_Pay_InACoinThatCallsSomebody() public {
        HookedCoin hooked = _drawnInHookedCoin();
        hooked.arm(address(designs), abi.encodeCall(designs.commit, ("any")));

        vm.prank(buyer);
        licenses.pay(lane, 2, 0, 5);

        vm.assertTrue(hooked.hasWorked(), "it was called");
        vm.assertEq(licenses.creditOf(address(hooked), designer), 5 * ROYALTY, "credit");
    }

    /// @dev Grants terms that the licensee accepts, and gives the site a lane of twenty units.
    function _begin(ILicenseRegistry.Terms memory wanted) private returns (uint40 made, uint40) {
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(wanted));
        (made, whole) = licenses.grant(wanted, signature, _accept(MAKER_KEY, wanted));
        if (wanted.units == UNITS) {
            vm.prank(maker);
            lane = licenses.split(whole, END, 20, number, siteId);
        }
        return (made, whole);
    }

    function _draw(uint40 n) private {
        _append(number, n, "root", _draws(lane, n));
    }

    function _pay(uint40 paid, uint40 units) private {
        vm.prank(buyer);
        licenses.pay{value: units * ROYALTY}(lane, 1, paid, units);
    }

    /// @dev A second license, in a coin with hooks, five units of which are drawn; other people's
    /// coins of that kind are held.
    function _drawnInHookedCoin() private returns (HookedCoin hooked) {
        hooked = new HookedCoin();
        hooked.mint(address(licenses), FEE);
        hooked.mint(buyer, FEE);
        vm.prank(buyer);
        hooked.approve(address(licenses), type(uint256).max);
        terms.currency = address(hooked);
        terms.nonce = 1;
        _begin(terms);
        _draw(5);
    }

    function _withFee(address currency) private {
        terms.currency = currency;
        terms.fee = FEE;
        ++terms.nonce;
    }

    function _signatures() private view returns (bytes memory owners, bytes memory licensees) {
        owners = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        licensees = _accept(MAKER_KEY, terms);
    }

    function _refusesCoin(Coin bad) private {
        bad.mint(buyer, 1 ether);
        vm.prank(buyer);
        bad.approve(address(licenses), type(uint256).max);
        _withFee(address(bad));
        (bytes memory owners, bytes memory licensees) = _signatures();

        _refuse(buyer, abi.encodeWithSelector(ILicenseRegistry.CoinShort.selector, bad, FEE));
        licenses.grant(terms, owners, licensees);
    }

    function _typed(string memory name, uint256 chain, address verifier)
        private
        view
        returns (bytes32)
    {
        return Eip712.typed(Eip712.acceptance(terms), name, chain, verifier);
    }

    function _unaccepted() private view returns (bytes memory) {
        return abi.encodeWithSelector(
            ILicenseRegistry.LicenseeSignatureInvalid.selector, licenses.licenseId(terms), maker
        );
    }

    function _short(Coin bad, uint256 units) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILicenseRegistry.CoinShort.selector, bad, units * ROYALTY);
    }

    function _valueMismatch(uint256 expected, uint256 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILicenseRegistry.ValueMismatch.selector, expected, actual);
    }
}
