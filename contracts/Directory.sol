// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDirectory} from "./interfaces/IDirectory.sol";

/// @title The addresses of one deployment
contract Directory is IDirectory {
    address private immutable _identities;
    address private immutable _designs;
    address private immutable _licenses;
    address private immutable _recipes;
    address private immutable _log;
    address private immutable _parts;
    address private immutable _equivalence;
    address private immutable _recalls;

    // slither-disable-start missing-zero-check the zero address has no code
    constructor(
        address identities,
        address designs,
        address licenses,
        address recipes,
        address log,
        address parts,
        address equivalence,
        address recalls
    ) {
        _identities = _withCode(identities);
        _designs = _withCode(designs);
        _licenses = _withCode(licenses);
        _recipes = _withCode(recipes);
        _log = _withCode(log);
        _parts = _withCode(parts);
        _equivalence = _withCode(equivalence);
        _recalls = _withCode(recalls);

        emit DirectoryPublished(Contracts(
                identities, designs, licenses, recipes, log, parts, equivalence, recalls
            ));
    }

    // slither-disable-end missing-zero-check

    /// @inheritdoc IDirectory
    function contracts() external view returns (Contracts memory) {
        return
            Contracts(
                _identities, _designs, _licenses, _recipes, _log, _parts, _equivalence, _recalls
            );
    }

    function _withCode(address account) private view returns (address) {
        if (account.code.length == 0) revert CodeMissing(account);
        return account;
    }
}
