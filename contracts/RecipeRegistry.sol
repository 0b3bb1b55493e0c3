// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDesignRegistry} from "./interfaces/IDesignRegistry.sol";
import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";
import {IRecipeRegistry} from "./interfaces/IRecipeRegistry.sol";

/// @title Recipes: roots of salted clause trees, their status over time, and the sites' own recipes
contract RecipeRegistry is IRecipeRegistry {
    /// @dev When a recipe was published and how many status steps it has; one slot.
    struct Publication {
        uint40 at;
        uint40 steps;
    }

    bytes32 private constant RECIPE_DOMAIN = keccak256("guildmark/recipe/v1");
    bytes32 private constant SITE_RECIPE_DOMAIN = keccak256("guildmark/site-recipe/v1");

    IIdentityRegistry private immutable _identities;
    IDesignRegistry private immutable _designRegistry;

    mapping(bytes32 id => Publication publication) private _recipes;
    mapping(bytes32 id => mapping(uint40 number => Step step)) private _steps;
    mapping(bytes32 id => bytes32 successor) private _successors;
    mapping(bytes32 id => uint40 at) private _siteRecipes;
    mapping(bytes32 id => bytes32 design) private _designs;

    constructor(address identities, address designs) {
        _identities = IIdentityRegistry(identities);
        _designRegistry = IDesignRegistry(designs);
    }

    /// @inheritdoc IRecipeRegistry
    function publish(Recipe calldata recipe, Status status) external returns (bytes32 id) {
        _requireDesignOwner(recipe.design);
        if (recipe.root == 0) revert RecipeRootMissing();
        uint40 revisions = _designRegistry.design(recipe.design).revisions;
        if (recipe.revision == 0 || recipe.revision > revisions) {
            revert DesignRevisionUnknown(recipe.design, recipe.revision);
        }
        if (status == Status.None || status > Status.Qualified) {
            revert StatusInvalid(Status.None, status);
        }
        id = keccak256(abi.encode(RECIPE_DOMAIN, recipe));
        if (_recipes[id].at != 0) revert RecipePublishedAlready(id);
        _requireSuccession(recipe);

        uint40 time = uint40(block.timestamp);
        _recipes[id] = Publication({at: time, steps: 1});
        _steps[id][1] = Step({status: status, at: time});
        _designs[id] = recipe.design;
        if (recipe.supersedes != 0) _successors[recipe.supersedes] = id;

        emit RecipePublished(id, recipe.design, recipe, status);
    }

    /// @inheritdoc IRecipeRegistry
    function setStatus(bytes32 id, uint40 steps, Status status) external {
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_recipes[id].at == 0) revert RecipeUnknown(id);
        _requireDesignOwner(_designs[id]);
        uint40 actual = _recipes[id].steps;
        if (steps != actual) revert StepsStale(id, steps, actual);
        Status current = _steps[id][actual].status;
        if (!_mayFollow(current, status)) revert StatusInvalid(current, status);

        uint40 number = actual + 1;
        _recipes[id].steps = number;
        _steps[id][number] = Step({status: status, at: uint40(block.timestamp)});

        emit RecipeStatusChanged(id, status, number);
    }

    /// @inheritdoc IRecipeRegistry
    function publishSiteRecipe(SiteRecipe calldata recipe) external returns (bytes32 id) {
        if (_identities.kindOf(recipe.site) != IIdentityRegistry.Kind.Site) {
            revert HolderNotSite(recipe.site);
        }
        if (_identities.controllerOf(recipe.site) != msg.sender) {
            revert CallerNotSite(recipe.site, msg.sender);
        }
        if (recipe.root == 0) revert RecipeRootMissing();
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_recipes[recipe.master].at == 0) revert RecipeUnknown(recipe.master);
        id = keccak256(abi.encode(SITE_RECIPE_DOMAIN, recipe));
        if (_siteRecipes[id] != 0) revert SiteRecipePublishedAlready(id);

        _siteRecipes[id] = uint40(block.timestamp);

        emit SiteRecipePublished(id, recipe.master, recipe.site, recipe);
    }

    /// @inheritdoc IRecipeRegistry
    function publishedAt(bytes32 id) external view returns (uint40) {
        return _recipes[id].at;
    }

    /// @inheritdoc IRecipeRegistry
    function stepCount(bytes32 id) external view returns (uint40) {
        return _recipes[id].steps;
    }

    /// @inheritdoc IRecipeRegistry
    function step(bytes32 id, uint40 number) external view returns (Step memory) {
        return _steps[id][number];
    }

    /// @inheritdoc IRecipeRegistry
    function successorOf(bytes32 id) external view returns (bytes32) {
        return _successors[id];
    }

    /// @inheritdoc IRecipeRegistry
    function siteRecipePublishedAt(bytes32 id) external view returns (uint40) {
        return _siteRecipes[id];
    }

    function _requireDesignOwner(bytes32 design) private view {
        if (_designRegistry.designOwner(design) != msg.sender) {
            revert CallerNotDesignOwner(design, msg.sender);
        }
    }

    function _requireSuccession(Recipe calldata recipe) private view {
        bytes32 supersedes = recipe.supersedes;
        if ((supersedes == 0) != (recipe.change == Change.None)) {
            revert ChangeMismatch(recipe.change, supersedes);
        }
        if (supersedes == 0) return;
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_recipes[supersedes].at == 0) revert RecipeUnknown(supersedes);
        if (_designs[supersedes] != recipe.design) {
            revert RecipeOfOtherDesign(supersedes, recipe.design);
        }
        bytes32 successor = _successors[supersedes];
        if (successor != 0) revert RecipeSupersededAlready(supersedes, successor);
    }

    function _mayFollow(Status current, Status next) private pure returns (bool) {
        return current != Status.Retired && next > Status.Draft && next != current;
    }
}
