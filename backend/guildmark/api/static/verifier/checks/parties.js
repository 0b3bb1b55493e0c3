// (1) Operator, site, machine and their links existed while the part was built.

import { same, toHex, word } from "../bytes.js";
import { actFindings, identityOf } from "../doubts.js";
import { IDENTITIES, LINKS, LINK_COUNTS, OPERATORS } from "../state.js";
import { cover, covered, intervalOf, windowOf } from "../window.js";
import { SKIPPED, Undecided, fail, isLink, proven, stated, unknown } from "./check.js";

export const [ORGANIZATION, SITE, MACHINE] = [1, 2, 3];
const KINDS = {
  [MACHINE]: { word: "machine", code: "verify.machineUnregistered" },
  [SITE]: { word: "site", code: "verify.siteUnregistered" },
  [ORGANIZATION]: { word: "organization", code: "verify.makerUnregistered" },
};
const [MACHINE_LINK, SITE_LINK] = ["The link from machine to site",
  "The link from site to organization"];
const REGISTERED = {
  none: (reason) => fail("verify.registeredLater", reason),
  part: (reason) => unknown("verify.registeredMeanwhile", reason),
};
const MACHINE_LINKED = {
  none: (reason) => fail("verify.machineUnlinked", reason),
  part: (reason) => unknown("verify.machineLinkedPartly", reason),
};
const SITE_LINKED = {
  none: (reason) => fail("verify.siteUnlinked", reason),
  part: (reason) => unknown("verify.siteLinkedPartly", reason),
};

function* machine(theCase) {
  yield* identity(theCase, stated(theCase).run.machine, MACHINE);
}

function* machineLink(theCase) {
  const { machine: child, site: parent } = stated(theCase).run;
  const link = theCase.evidence.disclosed.siteLink;
  if (link !== null && !isLink(link, child, parent)) {
    yield fail("verify.linkMismatch",
      "The shown link is not from the statement's machine to its site.");
  } else {
    yield* linked(theCase, link, MACHINE_LINK, MACHINE_LINKED);
  }
}

function* site(theCase) {
  yield* identity(theCase, stated(theCase).run.site, SITE);
}

function* siteLink(theCase) {
  const child = stated(theCase).run.site;
  const link = theCase.evidence.disclosed.makerLink;
  if (link !== null && !same(link.child, child)) {
    yield fail("verify.linkMismatch", "The shown link is not from the statement's site.");
  } else {
    yield* linked(theCase, link, SITE_LINK, SITE_LINKED);
  }
}

function* maker(theCase) {
  const link = theCase.evidence.disclosed.makerLink;
  // A link that is not shown is said above.
  if (link === null) yield SKIPPED;
  else yield* identity(theCase, link.parent, ORGANIZATION);
}

function* operator(theCase) {
  const { disclosed: { operator: named }, record: { log } } = theCase.evidence;
  const found = proven(theCase, OPERATORS, log);
  if (found === 0n) {
    yield fail("verify.logUnknown", `The chain knows no log ${log}.`);
  } else if (named === null) {
    yield unknown("verify.operatorMissing", `The operator of log ${log} is not shown.`);
  } else if (!same(word(found), named)) {
    yield fail("verify.operatorMismatch",
      `Log ${log} belongs to another operator than the bundle says.`);
  } else {
    yield* identity(theCase, named, ORGANIZATION, "verify.operatorUnregistered");
  }
}

function* identity(theCase, id, kind, unregistered = KINDS[kind].code) {
  const { kind: found, since } = identityOf(proven(theCase, IDENTITIES, id));
  const named = `${KINDS[kind].word} ${toHex(id)}`;
  if (found === 0) {
    yield fail(unregistered, `The ${named} is not registered.`);
  } else if (found !== kind) {
    yield fail("verify.kindMismatch", `The ${named} is registered as another kind.`);
  } else {
    const stay = [{ since, until: 0 }];
    yield* covered(`The registration of ${named}`, stay, windowOf(theCase), REGISTERED);
    yield* actFindings(theCase, id, since, `The ${named} was registered`);
  }
}

/** Yield what is wrong with a link, named in words: that it did not hold, or who made it. */
export function* linked(theCase, link, what, right) {
  if (link === null) {
    throw new Undecided(unknown("verify.linkMissing", `${what} is not shown.`));
  }
  const ends = [link.child, link.parent];
  const count = proven(theCase, LINK_COUNTS, ...ends);
  if (count === 0n) {
    yield right.none(`${what} does not exist.`);
    return;
  }
  // Intervals that began after the block are shown in vain, and do no harm.
  if (count > BigInt(link.count)) {
    throw new Undecided(unknown("verify.linkMissing",
      `${what} has ${count} intervals, ${link.count} are shown.`));
  }
  const numbers = Array.from({ length: Number(count) }, (_, at) => at + 1);
  const words = numbers.map((number) => proven(theCase, LINKS, ...ends, number));
  // A slot that holds nothing is no interval without bounds.
  const intervals = words.filter((one) => one !== 0n).map(intervalOf);
  const window = windowOf(theCase);
  yield* covered(what, intervals, window, right);
  for (const one of intervals.filter((interval) => cover([interval], window) !== "none")) {
    for (const end of ends) yield* actFindings(theCase, end, one.since, `${what} was made`);
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
