// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {Eip712} from "../support/Eip712.sol";
import {Wallet} from "../support/Wallet.sol";
import {Logged} from "./Logged.sol";

contract SupersedeTest is Logged {
    uint64 internal by;

    function setUp() public override {
        super.setUp();
        by = _record().firstIndex + 2;
    }

    function test_Supersede_SetsTheFate() public {
        bytes memory signature = _writers();

        _emits(siteManager, address(parts));
        emit IPartRegistry.PartSuperseded(_part(1), by);
        parts.supersede(_record(), 1, by, signature, "");

        vm.assertEq(parts.fateOf(number, 6), by, "fate");
        vm.assertEq(parts.fateOf(number, by), 0, "the later entry's");
    }

    function test_Supersede_ByTheLastEntryOfTheLog() public {
        by = log.head(number).size - 1;
        bytes memory signature = _writers();

        vm.prank(siteManager);
        parts.supersede(_record(), 1, by, signature, "");

        vm.assertEq(parts.fateOf(number, 6), by, "fate");
    }

    function test_Supersede_OfATokenWithItsOwnersSignature() public {
        _materialise(buyer);
        bytes memory owners = _sign(BUYER_KEY, _supersedeDigest(_part(1), by));
        bytes memory signature = _writers();

        vm.prank(siteManager);
        parts.supersede(_record(), 1, by, signature, owners);

        vm.assertEq(parts.fateOf(number, 6), by, "fate");
    }

    function test_Supersede_WhereTheSiteWritesItsOwnLog() public {
        vm.prank(operator);
        log.setWriter(number, siteManager);

        vm.prank(siteManager);
        parts.supersede(_record(), 1, by, "", "");

        vm.assertEq(parts.fateOf(number, 6), by, "fate");
    }

    function test_Supersede_SignedByAWritingWallet() public {
        Wallet wallet = new Wallet(writer);
        vm.prank(operator);
        log.setWriter(number, address(wallet));
        bytes memory signature = _writers();

        vm.prank(siteManager);
        parts.supersede(_record(), 1, by, signature, "");

        vm.assertEq(parts.fateOf(number, 6), by, "fate");
    }

    function test_Supersede_RevertWhen_TheWriterDidNotSign() public {
        uint256 part = _part(1);

        _refusesWriter("");
        _refusesWriter(_sign(OPERATOR_KEY, _supersedeDigest(part, by)));
        _refusesWriter(_sign(WRITER_KEY, _supersedeDigest(part, by + 1)));
        _refusesWriter(_sign(WRITER_KEY, _supersedeDigest(part + 1, by)));
        _refusesWriter(_sign(WRITER_KEY, _voidDigest(part)));
        _refusesWriter(_malleate(_writers()));
    }

    function test_Supersede_RevertWhen_SignedElsewhere() public {
        bytes32 content = Eip712.supersede(_part(1), by);
        uint256 chain = block.chainid;

        _refusesDigest(Eip712.typed(content, Eip712.PARTS, chain + 1, address(parts)));
        _refusesDigest(Eip712.typed(content, Eip712.PARTS, chain, address(licenses)));
        _refusesDigest(Eip712.typed(content, Eip712.LICENSES, chain, address(parts)));
    }

    function test_Supersede_RevertWhen_TheWriterWasReplaced() public {
        bytes memory signature = _writers();
        vm.prank(operator);
        log.setWriter(number, stranger);

        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.WriterSignatureInvalid.selector, number, stranger)
        );
        parts.supersede(_record(), 1, by, signature, "");
    }

    function test_Supersede_RevertWhen_TheLogIsClosed() public {
        bytes memory signature = _writers();
        vm.prank(operator);
        log.close(number);

        _refuse(
            siteManager,
            abi.encodeWithSelector(
                IPartRegistry.WriterSignatureInvalid.selector, number, address(0)
            )
        );
        parts.supersede(_record(), 1, by, signature, "");
    }

    function test_Supersede_RevertWhen_TheOwnerDidNotSign() public {
        _materialise(buyer);
        bytes memory signature = _writers();
        bytes[3] memory wrong = [bytes(""), signature, _sign(BUYER_KEY, _voidDigest(_part(1)))];
        for (uint256 i = 0; i < wrong.length; ++i) {
            _refuse(
                siteManager,
                abi.encodeWithSelector(
                    IPartRegistry.PossessorSignatureInvalid.selector, _part(1), buyer
                )
            );
            parts.supersede(_record(), 1, by, signature, wrong[i]);
        }
    }

    function test_Supersede_RevertWhen_ByItselfOrAnEarlierEntry() public {
        for (uint64 index = 5; index <= 6; ++index) {
            _refuse(
                siteManager,
                abi.encodeWithSelector(IPartRegistry.SupersededByEarlier.selector, 6, index)
            );
            parts.supersede(_record(), 1, index, "", "");
        }
    }

    function test_Supersede_RevertWhen_TheLaterEntryIsNotLogged() public {
        uint48 size = log.head(number).size;

        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.SupersedingEntryMissing.selector, size, size)
        );
        parts.supersede(_record(), 1, size, "", "");
        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.SupersedingEntryMissing.selector, VOID, size)
        );
        parts.supersede(_record(), 1, VOID, "", "");
    }

    function test_Supersede_RevertWhen_SentTwice() public {
        bytes memory signature = _writers();
        vm.prank(siteManager);
        parts.supersede(_record(), 1, by, signature, "");

        _refuse(siteManager, abi.encodeWithSelector(IPartRegistry.FateSet.selector, _part(1), by));
        parts.supersede(_record(), 1, by, signature, "");
    }

    function test_Supersede_RevertWhen_CallerIsTheWriter() public {
        bytes memory signature = _writers();

        _refuse(
            writer, abi.encodeWithSelector(IPartRegistry.CallerNotHolder.selector, siteId, writer)
        );
        parts.supersede(_record(), 1, by, signature, "");
    }

    function test_Supersede_RevertWhen_ThePositionHasNoUnit() public {
        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.UnitNotGranted.selector, number, _record().seq, 3)
        );
        parts.supersede(_record(), 3, by, "", "");
    }

    function _writers() private view returns (bytes memory) {
        return _sign(WRITER_KEY, _supersedeDigest(_part(1), by));
    }

    function _refusesDigest(bytes32 digest) private {
        _refusesWriter(_sign(WRITER_KEY, digest));
    }

    function _refusesWriter(bytes memory signature) private {
        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.WriterSignatureInvalid.selector, number, writer)
        );
        parts.supersede(_record(), 1, by, signature, "");
    }
}
