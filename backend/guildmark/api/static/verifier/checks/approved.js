// Part of (7): who approved the recipe, where it asks to be approved.
//
// That nobody approved it cannot be shown: what lacks is unknown, never failed.

import { same, toHex } from "../bytes.js";
import { accreditedOver } from "../accreditations.js";
import { rootLicense } from "../documents/terms.js";
import { actFindings, identityOf } from "../doubts.js";
import { displayName } from "../naming.js";
import { publishedFindings, shownEpochs, tenuresAt } from "../publishing.js";
import { approverOf } from "../recipes.js";
import { DESIGN_OWNERS, IDENTITIES, RECIPES, fieldsOf } from "../state.js";
import { windowOf } from "../window.js";
import { issuerTimes, provenAccreditations } from "./accreditation.js";
import { Undecided, proven, stated, unknown, withheld } from "./check.js";
import { masterClauses } from "./clauses.js";
import { ORGANIZATION } from "./parties.js";

const CLAUSE = "/qa/approval";
const missing = (reason) => unknown("verify.approvalMissing", reason);

/** Yield why no approval counts; nothing where one does, or the recipe asks for none. */
export async function* approved(theCase) {
  const clauses = await masterClauses(theCase);
  if (clauses.mayHide(CLAUSE)) {
    yield withheld("verify.approvalWithheld", "The recipe may ask for an approval that is not shown.");
  }
  // One below it asks in a form that is not known, and goes first.
  const asking = clauses.shown.filter(({ path }) => `${path}/`.startsWith(`${CLAUSE}/`)).at(-1);
  if (asking === undefined) return;
  const standard = standardOf(asking);
  if (standard === null) {
    yield unknown("verify.approvalUnread",
      `The clause ${asking.path} asks for an approval in an unknown form.`);
  } else {
    yield* lacking(theCase, standard);
  }
}

/** Return what a clause asks its approver to be accredited for, null in an unknown form. */
function standardOf({ path, type, class: klass, value }) {
  return path === CLAUSE && type === "text" && klass === "core" && value ? value : null;
}

async function* lacking(theCase, standard) {
  const shown = theCase.evidence.disclosed.approvals ?? [];
  if (shown.length === 0) {
    yield missing(`The recipe asks to be approved under ${standard}; no approval is shown.`);
    return;
  }
  const judged = [];
  for (const one of shown) judged.push(await lackOf(theCase, one, standard));
  if (judged.every((found) => found !== null)) yield* judged;
}

/**
 * Return the first reason why an approval does not count, null where it does.
 *
 * Where no standard is named, its approver may be accredited for any.
 */
export async function lackOf(theCase, signed, standard = null) {
  try {
    const found = [];
    for await (const one of against(theCase, signed, standard)) found.push(one);
    return found[0] ?? null;
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    // What is not proven of it speaks for it alone.
    return error.finding;
  }
}

/** Return whether the design's owner is to have signed. */
export function isDesigners({ approver }) {
  return approver.every((byte) => byte === 0);
}

async function* against(theCase, signed, standard) {
  const { approval: said } = signed;
  const who = isDesigners(said) ? "The designer" : await displayName(theCase, said.approver);
  if (!same(said.recipe, stated(theCase).recipe)) {
    yield missing(`${who} approved another recipe.`);
  } else if (standard !== null && said.standard !== standard) {
    const under = said.standard || "no standard";
    yield missing(`${who} approved under ${under}, asked is ${standard}.`);
  } else if (said.approvedOn > windowOf(theCase).end) {
    yield missing(`${who} approved at ${said.approvedOn}, after the part was logged.`);
  } else if (isDesigners(said)) {
    yield* signedByDesigner(theCase, signed);
  } else {
    yield* spoken(theCase, signed, who);
    yield* accredited(theCase, said, who);
    yield* actFindings(theCase, said.approver, said.approvedOn, "The recipe was approved");
  }
}

/**
 * Yield why the designer's approval does not count.
 *
 * Whoever gave the design on gains nothing by an earlier time: he owned it, too, when the recipe
 * was published.
 */
function* signedByDesigner(theCase, signed) {
  const { recipe, approvedOn } = signed.approval;
  const [published] = fieldsOf(proven(theCase, RECIPES, recipe), 40);
  const signer = signerOf(theCase, signed);
  const owners = tenuresAt(theCase, Math.max(approvedOn, published));
  if (!owners.some(({ account }) => account === signer)) {
    yield missing("The account that signed as the designer did not own the design then.");
    return;
  }
  yield* publishedFindings(theCase, approvedOn, "The recipe was approved");
}

/** Return the account that signed on the pinned chain, null where none did. */
function signerOf({ evidence, trust }, signed) {
  const pin = trust === null ? evidence.pin : trust.chain;
  if (!pin.contracts.recipes) {
    throw new Undecided(missing("The pinned chain has no recipe registry."));
  }
  return approverOf(signed, pin);
}

/** Yield why whoever signed does not speak for the approver, or is the designer himself. */
function* spoken(theCase, signed, who) {
  const { approver } = signed.approval;
  const { kind, account } = identityOf(proven(theCase, IDENTITIES, approver));
  const signer = signerOf(theCase, signed);
  if (kind !== ORGANIZATION) {
    yield missing(`The approver ${toHex(approver)} is no registered organization.`);
  } else if (signer === null || signer !== account) {
    yield missing(`The account that signed the approval does not speak for ${who}.`);
  } else if (ownersOf(theCase).includes(signer)) {
    yield missing("The designer alone approved the recipe.");
  }
}

/** Return the accounts that owned the design, none where no license says so: (6) tells. */
function ownersOf(theCase) {
  const root = rootLicense(theCase.evidence.disclosed);
  if (root === null) return [];
  return shownEpochs(theCase).map((epoch) => (
    fieldsOf(proven(theCase, DESIGN_OWNERS, root.terms.design, epoch), 160)[0]));
}

async function* accredited(theCase, said, who) {
  const { given, unproven } = await provenAccreditations(theCase);
  const answer = accreditedOver(
    [toHex(said.approver)], { standard: said.standard },
    { begin: said.approvedOn, end: windowOf(theCase).end },
    { shown: given.filter(({ doubts }) => doubts.length === 0), roots: issuerTimes(theCase) },
  );
  if (answer.standing === "held") return;
  const reason = `${who} approved the recipe. ${answer.reason}`;
  yield* unproven;
  yield answer.standing === "unlisted" ? unknown("verify.approvalUnlisted", reason)
    : missing(reason);
}
