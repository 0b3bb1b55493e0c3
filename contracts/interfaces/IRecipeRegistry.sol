// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Recipes: roots of salted clause trees, their status over time, and the sites' own recipes
/// @notice A recipe's content stays off chain; its root, status and succession are here.
interface IRecipeRegistry {
    /// @notice How a recipe changes the one that it supersedes.
    enum Change {
        None,
        Editorial,
        Minor,
        Requalify
    }

    /// @notice A recipe's status; steps are dated and append-only.
    enum Status {
        None,
        Draft,
        Trial,
        Qualified,
        Suspended,
        Retired
    }

    /// @notice A recipe; its id is keccak256(abi.encode(keccak256("guildmark/recipe/v1"), Recipe)).
    /// @param root Root of the salted clause tree.
    /// @param design The design.
    /// @param revision Number of the design's revision.
    /// @param supersedes The recipe before, 0 = none.
    /// @param change None exactly where it supersedes none.
    /// @param plan Digest of the qualification plan, 0 = none.
    struct Recipe {
        bytes32 root;
        bytes32 design;
        uint40 revision;
        bytes32 supersedes;
        Change change;
        bytes32 plan;
    }

    /// @notice A site's recipe; its id is
    /// keccak256(abi.encode(keccak256("guildmark/site-recipe/v1"), SiteRecipe)).
    /// @param master The recipe that it follows.
    /// @param site The site.
    /// @param model Salted digest of the machine model.
    /// @param root Root of the site's clause tree.
    struct SiteRecipe {
        bytes32 master;
        bytes32 site;
        bytes32 model;
        bytes32 root;
    }

    /// @notice One dated step; one slot.
    struct Step {
        Status status;
        uint40 at;
    }

    /// @notice A recipe is on record.
    event RecipePublished(bytes32 indexed id, bytes32 indexed design, Recipe recipe, Status status);
    /// @notice The recipe came to another status.
    event RecipeStatusChanged(bytes32 indexed id, Status status, uint40 number);
    /// @notice A site published how it keeps a recipe.
    event SiteRecipePublished(
        bytes32 indexed id, bytes32 indexed master, bytes32 indexed site, SiteRecipe recipe
    );

    error RecipeRootMissing();
    error RecipePublishedAlready(bytes32 id);
    error RecipeUnknown(bytes32 id);
    error RecipeSupersededAlready(bytes32 id, bytes32 successor);
    error RecipeOfOtherDesign(bytes32 supersedes, bytes32 design);
    error ChangeMismatch(Change change, bytes32 supersedes);
    error StatusInvalid(Status from, Status to);
    error StepsStale(bytes32 id, uint40 expected, uint40 actual);
    error DesignRevisionUnknown(bytes32 design, uint40 revision);
    error CallerNotDesignOwner(bytes32 design, address caller);
    error CallerNotSite(bytes32 site, address caller);
    error HolderNotSite(bytes32 id);
    error SiteRecipePublishedAlready(bytes32 id);

    /// @notice Publish a recipe, as the design's owner, with its first status (Draft, Trial or
    /// Qualified).
    function publish(Recipe calldata recipe, Status status) external returns (bytes32 id);

    /// @notice Add a status step, as the design's owner, naming how many there are. Retired is
    /// final; Draft is not returned to.
    function setStatus(bytes32 id, uint40 steps, Status status) external;

    /// @notice Publish a site's recipe, as the site's controller.
    function publishSiteRecipe(SiteRecipe calldata recipe) external returns (bytes32 id);

    /// @notice The block time at which a recipe was published, 0 = unknown.
    function publishedAt(bytes32 id) external view returns (uint40);

    /// @notice How many status steps a recipe has.
    function stepCount(bytes32 id) external view returns (uint40);

    /// @notice Step `number` (from 1).
    function step(bytes32 id, uint40 number) external view returns (Step memory);

    /// @notice The recipe that supersedes this one, 0 = none.
    function successorOf(bytes32 id) external view returns (bytes32);

    /// @notice The block time at which a site's recipe was published, 0 = unknown.
    function siteRecipePublishedAt(bytes32 id) external view returns (uint40);
}
