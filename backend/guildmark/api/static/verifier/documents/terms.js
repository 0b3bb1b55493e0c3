// License terms: their id on chain, and what they allow.

import { ascii, concat, same, word } from "../bytes.js";
import { keccak256 } from "../crypto.js";
import { typedDigest } from "../typed.js";
import { Clauses, verified } from "./clauses.js";

const TYPE = keccak256(ascii(
  "Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,uint40 notBefore,"
  + "uint40 notAfter,uint40 notice,bytes32 parent,address currency,uint256 royalty,uint256 fee,"
  + "uint40 offerUntil,uint256 nonce,bytes32 termsRoot)",
));
const NAME = "Guildmark Licenses";
const SCHEME = "https://";
const KINDS = ["revision", "recipe", "site", "machine", "labelNamespace", "country",
  "countryDenied", "controlClass", "licenseText", "text"];
const MEMBER = new RegExp(`^/terms/(?:${KINDS.join("|")})/[0-9]+$`);

/** Return a license's id: what its licensor signs (EIP-712), on one chain and registry. */
export function licenseId(terms, chainId, contract) {
  const { design, holder, parent, currency, termsRoot } = terms;
  const struct = keccak256(concat(
    TYPE, design, word(terms.designEpoch), word(terms.units), holder, word(terms.notBefore),
    word(terms.notAfter), word(terms.notice), parent, new Uint8Array(12), currency, word(terms.royalty),
    word(terms.fee), word(terms.offerUntil), word(terms.nonce), termsRoot,
  ));
  return typedDigest(NAME, { chainId, contract }, struct);
}

/** Return the license that the design's owner signed, null where it is not shown. */
export function rootLicense({ licenses }) {
  const last = licenses?.at(-1);
  return last !== undefined && same(last.terms.parent, new Uint8Array(32)) ? last : null;
}

/** Return the shown terms of a license, null where their root says something else. */
export async function termsOf({ terms, members }) {
  const isNone = terms.termsRoot.every((byte) => byte === 0) && members.leaves.length === 0;
  // Without a tree no leaf is there that could be opened.
  return isNone ? new Clauses([], []) : verified(members, terms.termsRoot);
}

/** Return the shown members of a kind. */
export function namedIn(members, kind) {
  return members.below(`/terms/${kind}/`).map(({ value }) => value).filter((one) => one !== null);
}

/** Return whether a member of a kind may be there that is not shown. */
export function mayHide(members, kind) {
  return members.mayHide(`/terms/${kind}/`);
}

/** Return the paths of members of no known kind, or no text: nobody can say what they ask for. */
export function unknownIn(members) {
  return members.shown.filter(({ type, value, path }) => (
    type !== "text" || value === null || !MEMBER.test(path)
  )).map(({ path }) => path);
}

/** Return whether terms, as far as they are shown, allow a value: "yes", "no" or "unknown". */
export function allows(members, kind, value) {
  const named = namedIn(members, kind);
  if (named.some((one) => matches(kind, one, value))) return "yes";
  if (mayHide(members, kind)) return "unknown";
  return named.length > 0 ? "no" : "yes";
}

function matches(kind, member, value) {
  return kind === "labelNamespace" ? isInNamespace(value, member) : value === member;
}

/** Return whether a label begins as a namespace does; a host ends at its slash. */
export function isInNamespace(label, namespace) {
  const path = namespace.slice(SCHEME.length);
  if (!namespace.startsWith(SCHEME) || path === "") return false;
  return label.startsWith(path.includes("/") ? namespace : `${namespace}/`);
}
