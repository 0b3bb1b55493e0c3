// Recipes and site recipes: their ids on chain, and what is signed to approve one.

import { ascii, concat, fromHex, word } from "./bytes.js";
import { keccak256 } from "./crypto.js";
import { signerOf, typedDigest } from "./typed.js";

const RECIPE_DOMAIN = keccak256(ascii("guildmark/recipe/v1"));
const SITE_RECIPE_DOMAIN = keccak256(ascii("guildmark/site-recipe/v1"));
const REGISTRY = "Guildmark Recipes";
const APPROVAL_TYPE = keccak256(ascii(
  "RecipeApproval(bytes32 recipe,bytes32 approver,uint8 ruled,uint40 approvedOn,"
  + "string standard,string reason)",
));

export function recipeId({ root, design, revision, supersedes, change, plan }) {
  return keccak256(concat(
    RECIPE_DOMAIN, root, design, word(revision), supersedes, word(change), plan,
  ));
}

export function siteRecipeId({ master, site, model, root }) {
  return keccak256(concat(SITE_RECIPE_DOMAIN, master, site, model, root));
}

/** Return the account that signed an approval for the pinned chain, null where none did. */
export function approverOf({ approval: said, signature }, { chainId, contracts }) {
  const struct = keccak256(concat(
    APPROVAL_TYPE, said.recipe, said.approver, word(said.ruled), word(said.approvedOn),
    keccak256(ascii(said.standard)), keccak256(ascii(said.reason)),
  ));
  const contract = fromHex(contracts.recipes.address, 20);
  return signerOf(typedDigest(REGISTRY, { chainId, contract }, struct), signature);
}
