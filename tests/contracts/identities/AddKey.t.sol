// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Keyed} from "./Keyed.sol";

contract AddKeyTest is Keyed {
    function test_AddKey_StoresTheKeyFromNowOn() public {
        bytes memory publicKey = abi.encodePacked(keccak256("ed25519"));
        bytes32 expected = _id(IIdentityRegistry.Algorithm.Ed25519, publicKey);

        _emits(technician, address(identities));
        emit IIdentityRegistry.KeyAdded(
            expected, machineId, IIdentityRegistry.Algorithm.Ed25519, publicKey
        );
        bytes32 id = identities.addKey(machineId, IIdentityRegistry.Algorithm.Ed25519, publicKey);

        IIdentityRegistry.Key memory self = identities.keyOf(id);
        vm.assertEq(id, expected, "id");
        vm.assertTrue(self.algorithm == IIdentityRegistry.Algorithm.Ed25519, "algorithm");
        vm.assertEq(self.from, _now(), "from");
        vm.assertEq(self.to, 0, "to");
        vm.assertEq(self.noticeAt, 0, "noticeAt");
        vm.assertEq(self.suspectedFrom, 0, "suspectedFrom");
    }

    function test_AddKey_AdmitsBothCompressedFormsOnly() public {
        for (uint8 algorithm = 1; algorithm <= 2; ++algorithm) {
            for (uint8 first = 0; first <= 5; ++first) {
                bytes memory publicKey = abi.encodePacked(first, keccak256(abi.encode(algorithm)));
                bool isAdmitted = first == 2 || first == 3;

                vm.assertEq(_tries(algorithm, publicKey), isAdmitted, "first byte");
            }
        }
    }

    function test_AddKey_AdmitsExactLengthsOnly() public {
        for (uint256 length = 0; length <= 65; ++length) {
            bytes memory publicKey = new bytes(length);
            if (length > 0) publicKey[0] = 0x02;

            vm.assertEq(_tries(1, publicKey), length == 33, "secp256k1");
            vm.assertEq(_tries(2, publicKey), length == 33, "P-256");
            vm.assertEq(_tries(3, publicKey), length == 32, "Ed25519");
        }
    }

    function test_AddKey_RevertWhen_AlgorithmIsNone() public {
        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.PublicKeyInvalid.selector,
                IIdentityRegistry.Algorithm.None,
                _point(2)
            )
        );
        identities.addKey(machineId, IIdentityRegistry.Algorithm.None, _point(2));
    }

    function test_AddKey_RevertWhen_PublicKeyIsUncompressed() public {
        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.PublicKeyInvalid.selector,
                IIdentityRegistry.Algorithm.P256,
                _point(4)
            )
        );
        identities.addKey(machineId, IIdentityRegistry.Algorithm.P256, _point(4));
    }

    function test_AddKey_RevertWhen_HolderIsNoMachine() public {
        _refuse(
            siteManager,
            abi.encodeWithSelector(
                IIdentityRegistry.KeyHolderNotMachine.selector, siteId, IIdentityRegistry.Kind.Site
            )
        );
        identities.addKey(siteId, IIdentityRegistry.Algorithm.P256, _point(2));
    }

    function test_AddKey_RevertWhen_CallerIsNotTheController() public {
        _refuse(siteManager, _notController(siteManager));
        identities.addKey(machineId, IIdentityRegistry.Algorithm.P256, _point(2));
    }

    function test_AddKey_RevertWhen_AddedAlready() public {
        _refuse(technician, abi.encodeWithSelector(IIdentityRegistry.KeyAddedAlready.selector, key));
        identities.addKey(machineId, IIdentityRegistry.Algorithm.Secp256k1, _point(2));
    }

    function test_AddKey_RevertWhen_ItHasEnded() public {
        vm.prank(technician);
        identities.endKey(machineId, key);

        _refuse(technician, abi.encodeWithSelector(IIdentityRegistry.KeyAddedAlready.selector, key));
        identities.addKey(machineId, IIdentityRegistry.Algorithm.Secp256k1, _point(2));
    }

    function test_AddKey_GivesEachMachineAKeyOfItsOwn() public {
        bytes32 other = _register(IIdentityRegistry.Kind.Machine, stranger);

        vm.prank(stranger);
        bytes32 same = identities.addKey(other, IIdentityRegistry.Algorithm.Secp256k1, _point(2));

        vm.assertNotEq(same, key, "id");
    }

    function _id(IIdentityRegistry.Algorithm algorithm, bytes memory publicKey)
        private
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256("guildmark/key/v1");
        return keccak256(abi.encode(domain, machineId, algorithm, publicKey));
    }

    function _tries(uint8 algorithm, bytes memory publicKey) private returns (bool isDone) {
        bytes memory call = abi.encodeCall(
            IIdentityRegistry.addKey, (machineId, IIdentityRegistry.Algorithm(algorithm), publicKey)
        );
        vm.prank(technician);
        (isDone,) = address(identities).call(call);
    }
}
