// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/interfaces/IERC721Metadata.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/interfaces/IERC721Receiver.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Deployed} from "./Deployed.sol";

contract Receiver is IERC721Receiver {
    bytes4 private immutable _answer;

    constructor(bytes4 answer) {
        _answer = answer;
    }

    function onERC721Received(address, address, uint256, bytes calldata)
        external
        view
        returns (bytes4)
    {
        return _answer;
    }
}

/// @title What ERC-721 and ERC-165 ask of every token contract, run for designs and for parts (I10)
abstract contract TokenBehaviour is Deployed {
    IERC721 internal token;
    uint256 internal id;
    address internal owner;

    function test_Token_OfTheOwner() public view {
        vm.assertEq(token.ownerOf(id), owner, "ownerOf");
        vm.assertEq(token.balanceOf(owner), 1, "balanceOf");
        vm.assertEq(token.balanceOf(stranger), 0, "nobody else's");
        vm.assertEq(token.getApproved(id), address(0), "getApproved");
        vm.assertEq(IERC721Metadata(address(token)).tokenURI(id), "", "tokenURI");
    }

    function test_Token_AnnouncesItsInterfaces() public view {
        vm.assertTrue(token.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        vm.assertTrue(token.supportsInterface(type(IERC721).interfaceId), "ERC-721");
        vm.assertTrue(token.supportsInterface(type(IERC721Metadata).interfaceId), "metadata");
        vm.assertFalse(token.supportsInterface(0xffffffff), "the invalid one");
    }

    function test_Token_TransferredByItsOwner() public {
        vm.prank(owner);
        vm.expectEmit(address(token));
        emit IERC721.Transfer(owner, stranger, id);
        token.transferFrom(owner, stranger, id);

        vm.assertEq(token.ownerOf(id), stranger, "ownerOf");
        vm.assertEq(token.balanceOf(owner), 0, "from");
        vm.assertEq(token.balanceOf(stranger), 1, "to");
    }

    function test_Token_TransferredByTheApprovedOnce() public {
        vm.prank(owner);
        vm.expectEmit(address(token));
        emit IERC721.Approval(owner, authority, id);
        token.approve(authority, id);
        vm.prank(authority);
        token.transferFrom(owner, stranger, id);

        vm.assertEq(token.getApproved(id), address(0), "approval ends");
        _refuse(
            authority,
            abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, authority, id)
        );
        token.transferFrom(stranger, authority, id);
    }

    function test_Token_TransferredByAnOperatorForAll() public {
        vm.prank(owner);
        vm.expectEmit(address(token));
        emit IERC721.ApprovalForAll(owner, authority, true);
        token.setApprovalForAll(authority, true);

        vm.assertTrue(token.isApprovedForAll(owner, authority), "isApprovedForAll");
        vm.prank(authority);
        token.transferFrom(owner, stranger, id);
        vm.assertEq(token.ownerOf(id), stranger, "ownerOf");
    }

    function test_Token_TransferredSafely() public {
        address receiver = address(new Receiver(IERC721Receiver.onERC721Received.selector));

        vm.prank(owner);
        token.safeTransferFrom(owner, receiver, id);

        vm.assertEq(token.ownerOf(id), receiver, "ownerOf");
    }

    function test_Token_RevertWhen_TheReceiverDoesNotAccept() public {
        address receiver = address(new Receiver(0));

        _refuse(
            owner, abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, receiver)
        );
        token.safeTransferFrom(owner, receiver, id, "data");
    }

    function test_Token_RevertWhen_SentToNobody() public {
        _refuse(
            owner, abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0))
        );
        token.transferFrom(owner, address(0), id);
    }

    function test_Token_RevertWhen_FromIsNotTheOwner() public {
        _refuse(
            owner,
            abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, stranger, id, owner)
        );
        token.transferFrom(stranger, authority, id);
    }

    function test_Token_RevertWhen_ItDoesNotExist() public {
        bytes memory missing =
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1);

        vm.expectRevert(missing);
        token.ownerOf(1);
        vm.expectRevert(missing);
        token.getApproved(1);
        _refuse(owner, missing);
        token.transferFrom(owner, stranger, 1);
    }

    function testFuzz_Token_RevertWhen_CallerHasNoRight(address caller) public {
        vm.assume(caller != owner && caller != address(0) && caller != address(vm));

        _refuse(
            caller,
            abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, caller, id)
        );
        token.transferFrom(owner, caller, id);
        _refuse(
            caller, abi.encodeWithSelector(IERC721Errors.ERC721InvalidApprover.selector, caller)
        );
        token.approve(caller, id);
    }
}
