// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {Eip712} from "../support/Eip712.sol";
import {Wallet} from "../support/Wallet.sol";
import {Logged} from "./Logged.sol";

contract VoidPartTest is Logged {
    function test_Void_SetsTheFate() public {
        _emits(siteManager, address(parts));
        emit IPartRegistry.PartVoided(_part(1), siteId);
        parts.voidPart(_record(), 1, "");

        vm.assertEq(parts.fateOf(number, 6), VOID, "fate");
        vm.assertEq(parts.fateOf(number, 5), 0, "the neighbour's");
    }

    function test_Void_EveryGrantedPosition() public {
        bool[7] memory granted = [true, true, true, false, false, true, false];
        for (uint40 position = 0; position < COUNT; ++position) {
            bytes memory call =
                abi.encodeCall(IPartRegistry.voidPart, (_record(), position, bytes("")));

            vm.prank(siteManager);
            (bool isDone,) = address(parts).call(call);

            vm.assertEq(isDone, granted[position], "granted");
        }
    }

    function test_Void_OfATokenWithItsOwnersSignature() public {
        _materialise(buyer);
        bytes memory signature = _sign(BUYER_KEY, _voidDigest(_part(1)));

        vm.prank(siteManager);
        parts.voidPart(_record(), 1, signature);

        vm.assertEq(parts.fateOf(number, 6), VOID, "fate");
    }

    function test_Void_OfATokenOfTheCallerHimself() public {
        _materialise(siteManager);

        vm.prank(siteManager);
        parts.voidPart(_record(), 1, "");

        vm.assertEq(parts.fateOf(number, 6), VOID, "fate");
    }

    function test_Void_OfAWalletsToken() public {
        _materialise(address(new Wallet(buyer)));
        bytes memory signature = _sign(BUYER_KEY, _voidDigest(_part(1)));

        vm.prank(siteManager);
        parts.voidPart(_record(), 1, signature);

        vm.assertEq(parts.fateOf(number, 6), VOID, "fate");
    }

    function test_Void_RevertWhen_TheOwnerDidNotSign() public {
        _materialise(buyer);

        _refuses("");
        _refuses(_sign(SITE_KEY, _voidDigest(_part(1))));
        _refuses(_malleate(_sign(BUYER_KEY, _voidDigest(_part(1)))));
    }

    function test_Void_RevertWhen_TheWalletRefuses() public {
        address wallet = address(new Wallet(buyer));
        _materialise(wallet);
        bytes memory signature = _sign(STRANGER_KEY, _voidDigest(_part(1)));

        _refuse(
            siteManager,
            abi.encodeWithSelector(
                IPartRegistry.PossessorSignatureInvalid.selector, _part(1), wallet
            )
        );
        parts.voidPart(_record(), 1, signature);
    }

    function test_Void_RevertWhen_AnOwnerBeforeSigned() public {
        _materialise(buyer);
        bytes memory signature = _sign(BUYER_KEY, _voidDigest(_part(1)));
        _transfer(address(parts), buyer, stranger, _part(1));

        _refuse(
            siteManager,
            abi.encodeWithSelector(
                IPartRegistry.PossessorSignatureInvalid.selector, _part(1), stranger
            )
        );
        parts.voidPart(_record(), 1, signature);
    }

    function test_Void_RevertWhen_SignedForSomethingElse() public {
        _materialise(buyer);
        uint256 part = _part(1);
        bytes32 content = Eip712.voidPart(part);
        uint256 chain = block.chainid;

        _refuses(_sign(BUYER_KEY, _voidDigest(part + 1)));
        _refuses(_sign(BUYER_KEY, Eip712.typed(content, Eip712.PARTS, chain + 1, address(parts))));
        _refuses(_sign(BUYER_KEY, Eip712.typed(content, Eip712.PARTS, chain, address(licenses))));
        _refuses(_sign(BUYER_KEY, Eip712.typed(content, Eip712.LICENSES, chain, address(parts))));
        _refuses(_sign(BUYER_KEY, _supersedeDigest(part, VOID)));
    }

    function test_Void_RevertWhen_ReplayedAfterAFork() public {
        _materialise(buyer);
        bytes memory signature = _sign(BUYER_KEY, _voidDigest(_part(1)));

        vm.chainId(block.chainid + 1);

        _refuses(signature);
    }

    function test_Void_RevertWhen_SentTwice() public {
        vm.prank(siteManager);
        parts.voidPart(_record(), 1, "");

        _refuse(siteManager, abi.encodeWithSelector(IPartRegistry.FateSet.selector, _part(1), VOID));
        parts.voidPart(_record(), 1, "");
    }

    function test_Void_RevertWhen_CallerIsTheOwnerOfTheToken() public {
        _materialise(buyer);

        _refuse(
            buyer, abi.encodeWithSelector(IPartRegistry.CallerNotHolder.selector, siteId, buyer)
        );
        parts.voidPart(_record(), 1, "");
    }

    function test_Void_RevertWhen_RecordIsUnknown() public {
        IBuildLog.Record memory forged = _record();
        forged.time += 1;

        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.RecordUnknown.selector, number, forged.seq)
        );
        parts.voidPart(forged, 1, "");
    }

    function test_Void_RevertWhen_ThePositionIsOutOfRange() public {
        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.PositionOutOfRange.selector, COUNT, COUNT)
        );
        parts.voidPart(_record(), COUNT, "");
    }

    function test_Void_RevertWhen_ThePositionHasNoUnit() public {
        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.UnitNotGranted.selector, number, _record().seq, 6)
        );
        parts.voidPart(_record(), 6, "");
    }

    function _refuses(bytes memory signature) private {
        _refuse(
            siteManager,
            abi.encodeWithSelector(
                IPartRegistry.PossessorSignatureInvalid.selector, _part(1), buyer
            )
        );
        parts.voidPart(_record(), 1, signature);
    }
}
