// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/interfaces/IERC721Metadata.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/interfaces/IERC721Receiver.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Deployed} from "./Deployed.sol";

contract Receiver is IERC721Receiver {
    bytes4 private immutable _answer;
    bytes32 public told;

    constructor(bytes4 answer) {
        _answer = answer;
    }

    function onERC721Received(address caller, address from, uint256 id, bytes calldata data)
        external
        returns (bytes4)
    {
        told = keccak256(abi.encode(caller, from, id, data));
        return _answer;
    }
}

contract RefusingReceiver is IERC721Receiver {
    error Refused(uint256 id);

    function onERC721Received(address, address, uint256 id, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        revert Refused(id);
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

    /// @dev Three ways to move it, each by the owner, the approved and an operator for all.
    function test_Token_TransferredInEachWayByEachWhoMay() public {
        vm.prank(owner);
        token.approve(technician, id);
        vm.prank(owner);
        token.setApprovalForAll(authority, true);
        address[3] memory callers = [owner, technician, authority];
        Receiver receiver = new Receiver(IERC721Receiver.onERC721Received.selector);
        for (uint256 i = 0; i < 9; ++i) {
            uint256 snapshot = vm.snapshotState();

            vm.prank(callers[i / 3]);
            vm.expectEmit(address(token));
            emit IERC721.Transfer(owner, address(receiver), id);
            if (i % 3 == 0) token.transferFrom(owner, address(receiver), id);
            else if (i % 3 == 1) token.safeTransferFrom(owner, address(receiver), id);
            else token.safeTransferFrom(owner, address(receiver), id, "data");

            vm.assertEq(token.ownerOf(id), address(receiver), "ownerOf");
            vm.assertEq(token.getApproved(id), address(0), "approval ends");
            bytes memory data = i % 3 == 2 ? bytes("data") : bytes("");
            bytes32 told = keccak256(abi.encode(callers[i / 3], owner, id, data));
            vm.assertEq(receiver.told(), i % 3 == 0 ? bytes32(0) : told, "told");
            vm.revertToState(snapshot);
        }
    }

    function test_Token_TransferredToItsOwner() public {
        vm.prank(owner);
        token.approve(authority, id);

        vm.prank(owner);
        token.transferFrom(owner, owner, id);

        vm.assertEq(token.ownerOf(id), owner, "ownerOf");
        vm.assertEq(token.balanceOf(owner), 1, "balanceOf");
        vm.assertEq(token.getApproved(id), address(0), "approval ends");
    }

    function test_Token_ApprovedByAnOperatorForAll() public {
        vm.prank(owner);
        token.setApprovalForAll(authority, true);

        vm.prank(authority);
        token.approve(technician, id);

        vm.assertEq(token.getApproved(id), technician, "getApproved");
    }

    function test_Token_ApprovalsAreTakenBack() public {
        vm.prank(owner);
        token.approve(technician, id);
        vm.prank(owner);
        token.approve(address(0), id);
        vm.prank(owner);
        token.setApprovalForAll(authority, true);
        vm.prank(owner);
        token.setApprovalForAll(authority, false);

        vm.assertEq(token.getApproved(id), address(0), "getApproved");
        vm.assertFalse(token.isApprovedForAll(owner, authority), "isApprovedForAll");
        _refuse(technician, _insufficient(technician));
        token.transferFrom(owner, stranger, id);
        _refuse(authority, _insufficient(authority));
        token.transferFrom(owner, stranger, id);
    }

    /// @dev An approval is the owner's, who has it no more.
    function test_Token_AnOperatorOfTheFormerOwnerHasNoRight() public {
        vm.prank(owner);
        token.setApprovalForAll(authority, true);
        vm.prank(owner);
        token.transferFrom(owner, stranger, id);

        _refuse(authority, _insufficient(authority));
        token.transferFrom(stranger, authority, id);
    }

    function test_Token_RevertWhen_TheOperatorIsNobody() public {
        _refuse(
            owner, abi.encodeWithSelector(IERC721Errors.ERC721InvalidOperator.selector, address(0))
        );
        token.setApprovalForAll(address(0), true);
    }

    function test_Token_RevertWhen_TheReceiverReverts() public {
        address receiver = address(new RefusingReceiver());

        _refuse(owner, abi.encodeWithSelector(RefusingReceiver.Refused.selector, id));
        token.safeTransferFrom(owner, receiver, id);
        vm.prank(owner);
        token.transferFrom(owner, receiver, id);
        vm.assertEq(token.ownerOf(id), receiver, "only the safe way asks");
    }

    function test_Token_RevertWhen_TheReceiverIsAnotherContract() public {
        _refuse(
            owner,
            abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(log))
        );
        token.safeTransferFrom(owner, address(log), id);
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

    function test_Token_RevertWhen_TheOwnerAskedForIsNobody() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721InvalidOwner.selector, address(0))
        );
        token.balanceOf(address(0));
    }

    function testFuzz_Token_KnowsNoOtherInterface(bytes4 other) public view {
        vm.assume(
            other != type(IERC165).interfaceId && other != type(IERC721).interfaceId
                && other != type(IERC721Metadata).interfaceId && other != type(IERC2981).interfaceId
        );

        vm.assertFalse(token.supportsInterface(other), "unknown");
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

    function _insufficient(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, caller, id);
    }
}
