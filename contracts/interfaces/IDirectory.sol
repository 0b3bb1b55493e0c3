// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The addresses of one deployment
/// @notice Immutable; deployed last, it refuses an address without code.
interface IDirectory {
    /// @notice The contracts of a deployment.
    struct Contracts {
        address identities;
        address designs;
        address licenses;
        address recipes;
        address log;
        address parts;
        address equivalence;
        address recalls;
    }

    /// @notice The contracts of this deployment are named.
    event DirectoryPublished(Contracts contracts);

    error CodeMissing(address account);

    /// @notice All addresses.
    function contracts() external view returns (Contracts memory);
}
