// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRecipeRegistry} from "../../../contracts/interfaces/IRecipeRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract PublishSiteRecipeTest is Deployed {
    IRecipeRegistry.SiteRecipe internal own;

    function setUp() public override {
        super.setUp();
        IRecipeRegistry.Recipe memory master;
        master.root = "root";
        master.design = _design();
        master.revision = 1;
        vm.prank(designer);
        own.master = recipes.publish(master, IRecipeRegistry.Status.Qualified);
        own.site = siteId;
        own.model = "model";
        own.root = "own";
    }

    function test_PublishSiteRecipe_KeepsTheTime() public {
        bytes32 expected = keccak256(abi.encode(keccak256("guildmark/site-recipe/v1"), own));

        _emits(siteManager, address(recipes));
        emit IRecipeRegistry.SiteRecipePublished(expected, own.master, siteId, own);
        bytes32 id = recipes.publishSiteRecipe(own);

        vm.assertEq(id, expected, "id");
        vm.assertEq(recipes.siteRecipePublishedAt(id), _now(), "time");
    }

    function test_PublishSiteRecipe_RevertWhen_CallerIsNotTheSite() public {
        _refuse(
            maker, abi.encodeWithSelector(IRecipeRegistry.CallerNotSite.selector, siteId, maker)
        );
        recipes.publishSiteRecipe(own);
    }

    function test_PublishSiteRecipe_RevertWhen_HolderIsNoSite() public {
        own.site = makerId;

        _refuses(maker, abi.encodeWithSelector(IRecipeRegistry.HolderNotSite.selector, makerId));
    }

    function test_PublishSiteRecipe_RevertWhen_SiteIsUnknown() public {
        own.site = "nobody";

        _refuses(
            siteManager,
            abi.encodeWithSelector(IRecipeRegistry.HolderNotSite.selector, bytes32("nobody"))
        );
    }

    function test_PublishSiteRecipe_RevertWhen_MasterIsUnknown() public {
        own.master = "none";

        _refuses(
            siteManager,
            abi.encodeWithSelector(IRecipeRegistry.RecipeUnknown.selector, bytes32("none"))
        );
    }

    function test_PublishSiteRecipe_RevertWhen_RootIsZero() public {
        own.root = 0;

        _refuses(siteManager, abi.encodeWithSelector(IRecipeRegistry.RecipeRootMissing.selector));
    }

    function test_PublishSiteRecipe_RevertWhen_PublishedAlready() public {
        vm.prank(siteManager);
        bytes32 id = recipes.publishSiteRecipe(own);

        _refuses(
            siteManager,
            abi.encodeWithSelector(IRecipeRegistry.SiteRecipePublishedAlready.selector, id)
        );
    }

    function _refuses(address caller, bytes memory error) private {
        _refuse(caller, error);
        recipes.publishSiteRecipe(own);
    }
}
