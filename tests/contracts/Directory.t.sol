// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDirectory} from "../../contracts/interfaces/IDirectory.sol";
import {Deployed} from "./support/Deployed.sol";

contract DirectoryTest is Deployed {
    function test_Contracts_NamesAll() public view {
        IDirectory.Contracts memory all = directory.contracts();

        vm.assertEq(all.identities, address(identities), "identities");
        vm.assertEq(all.designs, address(designs), "designs");
        vm.assertEq(all.licenses, address(licenses), "licenses");
        vm.assertEq(all.recipes, address(recipes), "recipes");
        vm.assertEq(all.log, address(log), "log");
        vm.assertEq(all.parts, address(parts), "parts");
        vm.assertEq(all.equivalence, address(equivalence), "equivalence");
        vm.assertEq(all.recalls, address(recalls), "recalls");
    }

    function test_Deploy_PublishesAll() public {
        vm.expectEmit();
        emit IDirectory.DirectoryPublished(directory.contracts());
        _directory(_addresses());
    }

    function test_Deploy_RevertWhen_AnAddressHasNoCode() public {
        for (uint256 i = 0; i < 8; ++i) {
            address[8] memory addresses = _addresses();
            addresses[i] = stranger;

            vm.expectRevert(abi.encodeWithSelector(IDirectory.CodeMissing.selector, stranger));
            _directory(addresses);
        }
    }

    function _addresses() private view returns (address[8] memory) {
        return [
            address(identities),
            address(designs),
            address(licenses),
            address(recipes),
            address(log),
            address(parts),
            address(equivalence),
            address(recalls)
        ];
    }

    function _directory(address[8] memory addresses) private {
        vm.deployCode("Directory.sol", abi.encode(addresses));
    }
}
