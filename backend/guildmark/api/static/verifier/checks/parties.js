// (1) Operator, site, machine and their links existed while the part was built.

import { same, word } from "../bytes.js";
import { actFindings, identityOf } from "../doubts.js";
import { IDENTITIES, LINKS, LINK_COUNTS, OPERATORS } from "../state.js";
import { cover, held, intervalOf, windowOf } from "../window.js";
import { SKIPPED, Undecided, fail, isLink, proven, stated, unknown } from "./check.js";

export const [ORGANIZATION, SITE, MACHINE] = [1, 2, 3];
const UNREGISTERED = {
  [MACHINE]: fail("verify.machineUnregistered", "Nobody registered the machine."),
  [SITE]: fail("verify.siteUnregistered", "Nobody registered the site."),
  [ORGANIZATION]: fail("verify.makerUnregistered", "Nobody registered the site's organization."),
};
const REGISTERED = {
  none: fail("verify.registeredLater", "An identity was registered after the part was logged."),
  part: unknown("verify.registeredMeanwhile", "An identity was perhaps registered too late."),
};
const MISMATCH = fail("verify.linkMismatch", "The shown link is not of the statement's parties.");
const LINK_MISSING = unknown("verify.linkMissing", "A link is not shown, or not all of it.");
const OPERATOR_MISSING = unknown("verify.operatorMissing", "The log's operator is not shown.");
const MACHINE_LINK = {
  none: fail("verify.machineUnlinked", "The machine was not linked to the site meanwhile."),
  part: unknown("verify.machineLinkedPartly", "The machine's link held a part of the time."),
};
const SITE_LINK = {
  none: fail("verify.siteUnlinked", "The site was not linked to the organization meanwhile."),
  part: unknown("verify.siteLinkedPartly", "The site's link held a part of the time."),
};
const NO_OPERATOR = fail("verify.operatorUnregistered", "Nobody registered the log's operator.");

function* machine(theCase) {
  yield* identity(theCase, stated(theCase).run.machine, MACHINE);
}

function* machineLink(theCase) {
  const { machine: child, site: parent } = stated(theCase).run;
  const link = theCase.evidence.disclosed.siteLink;
  if (link !== null && !isLink(link, child, parent)) yield MISMATCH;
  else yield* linked(theCase, link, MACHINE_LINK);
}

function* site(theCase) {
  yield* identity(theCase, stated(theCase).run.site, SITE);
}

function* siteLink(theCase) {
  const child = stated(theCase).run.site;
  const link = theCase.evidence.disclosed.makerLink;
  if (link !== null && !same(link.child, child)) yield MISMATCH;
  else yield* linked(theCase, link, SITE_LINK);
}

function* maker(theCase) {
  const link = theCase.evidence.disclosed.makerLink;
  // A link that is not shown is said above.
  if (link === null) yield SKIPPED;
  else yield* identity(theCase, link.parent, ORGANIZATION);
}

function* operator(theCase) {
  const { disclosed: { operator: named }, record } = theCase.evidence;
  const found = proven(theCase, OPERATORS, record.log);
  if (found === 0n) yield fail("verify.logUnknown", "The chain knows no such log.");
  else if (named === null) yield OPERATOR_MISSING;
  else if (!same(word(found), named)) {
    yield fail("verify.operatorMismatch", "The log belongs to another operator.");
  } else yield* identity(theCase, named, ORGANIZATION, NO_OPERATOR);
}

function* identity(theCase, id, kind, unregistered = UNREGISTERED[kind]) {
  const { kind: found, since } = identityOf(proven(theCase, IDENTITIES, id));
  if (found === 0) {
    yield unregistered;
  } else if (found !== kind) {
    yield fail("verify.kindMismatch", "An identity is registered as another kind.");
  } else {
    yield* held([{ since, until: 0 }], windowOf(theCase), REGISTERED);
    yield* actFindings(theCase, id, since);
  }
}

/** Yield what is wrong with a link: that it did not hold all the while, or who made it. */
export function* linked(theCase, link, right) {
  if (link === null) throw new Undecided(LINK_MISSING);
  const ends = [link.child, link.parent];
  const count = proven(theCase, LINK_COUNTS, ...ends);
  if (count === 0n) {
    yield right.none;
    return;
  }
  // Intervals that began after the block are shown in vain, and do no harm.
  if (count > BigInt(link.count)) throw new Undecided(LINK_MISSING);
  const numbers = Array.from({ length: Number(count) }, (_, at) => at + 1);
  const words = numbers.map((number) => proven(theCase, LINKS, ...ends, number));
  // A slot that holds nothing is no interval without bounds.
  const intervals = words.filter((one) => one !== 0n).map(intervalOf);
  const window = windowOf(theCase);
  yield* held(intervals, window, right);
  for (const one of intervals.filter((interval) => cover([interval], window) !== "none")) {
    for (const end of ends) yield* actFindings(theCase, end, one.since);
  }
}

export const PARTIES = {
  number: 1,
  name: "operator, site and machine",
  rules: [
    { at: "the machine's registration", rule: machine },
    { at: "its link to the site during the build", rule: machineLink },
    { at: "the site's registration", rule: site },
    { at: "its link to the organization during the build", rule: siteLink },
    { at: "the organization's registration", rule: maker },
    { at: "the log's operator", rule: operator },
  ],
};
