// Says what the page's verifier computes of each line: {kind, given} in, {found} out, as JSON.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(`${process.argv[2]}/`);
const module = (name) => import(new URL(name, folder));
const { accreditedOver, accreditationId } = await module("accreditations.js");
const { toHex } = await module("bytes.js");
const { decide, qualityPlan, samples } = await module("conformity.js");
const { admits, narrows, violations } = await module("documents/bounds.js");
const { Clauses, readClause, readDisclosure } = await module("documents/clauses.js");
const { READERS } = await module("documents/disclosures.js");
const { ruled } = await module("documents/differing.js");
const { CODES, converted } = await module("documents/quantity.js");
const { rounded } = await module("fraction.js");
const { useIn } = await module("lawful.js");
const { approverOf, recipeId, siteRecipeId } = await module("recipes.js");
const { readMeasurement } = await module("documents/values.js");
const { isPlain, quoted } = await module("words.js");

function clausesOf(shown) {
  const { leaves, opened } = readDisclosure(shown);
  return new Clauses(leaves, opened);
}

async function accreditationOf(one) {
  const [read] = READERS.accreditations([{ issuer: one.issuer, subject: one.subject,
    scope: one.scope }]);
  const { issuer, subject, word } = one;
  return { issuer, subject, scope: read.scope, word, id: toHex(await accreditationId(read)) };
}

const KINDS = {
  units: () => [...CODES].sort(),
  admits: ({ clause, value, unit }) => admits(readClause(clause), value, unit),
  narrows: ({ clause, wider }) => narrows(readClause(clause), readClause(wider)),
  violations: ({ master, site }) => [...violations(clausesOf(master), clausesOf(site))]
    .map(({ leaf, deviation, path }) => [leaf, deviation, path]),
  ruled: ({ before, after }) => {
    const { least, isKnown } = ruled(clausesOf(before), clausesOf(after));
    return [least, isKnown];
  },
  hides: ({ shown, prefix }) => {
    const clauses = clausesOf(shown);
    return [clauses.mayHide(prefix), clauses.below(prefix).map(({ path }) => path)];
  },
  converted: ({ value, unit, other }) => {
    const { n, d } = converted(value, unit, other);
    return [String(n), String(d)];
  },
  rounded: ({ n, d }) => rounded({ n: BigInt(n), d: BigInt(d) }),
  decide: ({ measured, tolerance, plan }) => {
    const { outcome, reason } = decide(
      readMeasurement(measured), readClause(tolerance), qualityPlan(clausesOf(plan)),
    );
    return [outcome, reason];
  },
  plan: ({ shown, unit }) => {
    const plan = qualityPlan(clausesOf(shown));
    const { rule, leastRatio, isRawAsked, calibration, every, unread } = plan;
    return [rule, leastRatio, isRawAsked, calibration, every, unread, samples(plan, unit)];
  },
  accredited: async ({ subjects, wanted, window, shown, roots }) => {
    const known = await Promise.all(shown.map(accreditationOf));
    const { standing, reason, links } = accreditedOver(subjects, wanted, window, {
      shown: known, roots: (identity) => roots[identity] ?? [],
    });
    const words = standing === "held" ? "" : reason;
    return [standing, words, links.map((link) => known.indexOf(link)), known.map(({ id }) => id)];
  },
  quoted: (text) => quoted(text),
  plain: (text) => isPlain(text, 200),
  use: ({ shown, country }) => useIn(clausesOf(shown), country),
  approver: ({ signed, chainId, address }) => {
    const [read] = READERS.approvals([signed]);
    const found = approverOf(read, { chainId, contracts: { recipes: { address } } });
    return found === null ? null : `0x${found.toString(16).padStart(40, "0")}`;
  },
  ids: ({ recipe, siteRecipe }) => {
    const nothing = { leaves: [], opened: [] };
    const read = READERS.recipe({ recipe, steps: 0, clauses: nothing });
    const own = READERS["site-recipe"]({ recipe: siteRecipe, clauses: nothing });
    return [toHex(recipeId(read.recipe)), toHex(siteRecipeId(own.recipe))];
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { kind, given } = JSON.parse(line);
  console.log(JSON.stringify({ found: await KINDS[kind](given) }));
}
