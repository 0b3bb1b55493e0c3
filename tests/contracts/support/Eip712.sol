// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";

/// @title What the parties sign, written out apart from the contracts
library Eip712 {
    string internal constant LICENSES = "Guildmark Licenses";
    string internal constant PARTS = "Guildmark Parts";
    bytes private constant TERMS = "Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,"
        "uint40 notBefore,uint40 notAfter,uint40 notice,bytes32 parent,address currency,"
        "uint256 royalty,uint256 fee,uint40 offerUntil,uint256 nonce,bytes32 termsRoot)";

    function typed(bytes32 content, string memory name, uint256 chain, address verifier)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(hex"1901", separator(name, chain, verifier), content));
    }

    function separator(string memory name, uint256 chain, address verifier)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domainType = keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        );
        bytes32 nameHash = keccak256(bytes(name));
        return keccak256(abi.encode(domainType, nameHash, keccak256("1"), chain, verifier));
    }

    function terms(ILicenseRegistry.Terms memory content) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(TERMS), content));
    }

    function acceptance(ILicenseRegistry.Terms memory content) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(bytes.concat("Acceptance(Terms terms)", TERMS));
        return keccak256(abi.encode(typeHash, terms(content)));
    }

    function sublicense(uint40 lane, uint40 end, ILicenseRegistry.Terms memory content)
        internal
        pure
        returns (bytes32)
    {
        bytes memory first = "Sublicense(uint40 lane,uint40 end,Terms terms)";
        bytes32 typeHash = keccak256(bytes.concat(first, TERMS));
        return keccak256(abi.encode(typeHash, lane, end, terms(content)));
    }

    function extension(bytes32 license, uint40 epoch, uint40 units, uint40 more, uint40 until)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(
            "Extension(bytes32 license,uint40 designEpoch,uint40 units,uint40 more,"
            "uint40 offerUntil)"
        );
        return keccak256(abi.encode(typeHash, license, epoch, units, more, until));
    }

    function voidPart(uint256 part) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("Void(uint256 part)"), part));
    }

    function supersede(uint256 part, uint64 byIndex) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Supersede(uint256 part,uint64 byIndex)");
        return keccak256(abi.encode(typeHash, part, byIndex));
    }
}
