// (1) Operator, site, machine and links existed while the part was built. Notices are not looked at.

import { same, word } from "../bytes.js";
import { IDENTITIES, LINKS, LINK_COUNTS, OPERATORS } from "../state.js";
import { cover, intervalOf, windowOf } from "../window.js";
import { Undecided, fail, proven, stated, unknown } from "./check.js";

const [ORGANIZATION, SITE, MACHINE] = [1n, 2n, 3n];
const UNREGISTERED = {
  [MACHINE]: fail("verify.machineUnregistered", "Nobody registered the machine."),
  [SITE]: fail("verify.siteUnregistered", "Nobody registered the site."),
  [ORGANIZATION]: fail("verify.makerUnregistered", "Nobody registered the site's organization."),
};
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
  yield* identity(theCase, stated(theCase).machine, MACHINE);
}

function* machineLink(theCase) {
  const { machine: child, site: parent } = stated(theCase);
  const link = theCase.evidence.siteLink;
  if (link !== null && !(same(link.child, child) && same(link.parent, parent))) {
    yield fail("verify.linkMismatch", "The shown link is not from the machine to its site.");
  } else {
    yield* linked(theCase, link, MACHINE_LINK);
  }
}

function* site(theCase) {
  yield* identity(theCase, stated(theCase).site, SITE);
}

function* siteLink(theCase) {
  const link = theCase.evidence.makerLink;
  if (link !== null && !same(link.child, stated(theCase).site)) {
    yield fail("verify.linkMismatch", "The shown link is not from the statement's site.");
  } else {
    yield* linked(theCase, link, SITE_LINK);
  }
}

function* maker(theCase) {
  const link = theCase.evidence.makerLink;
  if (link === null) throw new Undecided();
  yield* identity(theCase, link.parent, ORGANIZATION);
}

function* operator(theCase) {
  const { operator: shown, record } = theCase.evidence;
  const found = proven(theCase, OPERATORS, record.log);
  if (found === 0n) {
    yield fail("verify.logUnknown", "The chain knows no such log.");
    return;
  }
  if (shown === null) throw new Undecided();
  if (!same(word(found), shown)) {
    yield fail("verify.operatorMismatch", "The log belongs to another operator.");
  } else {
    yield* identity(theCase, shown, ORGANIZATION, NO_OPERATOR);
  }
}

function* identity(theCase, id, kind, unregistered = UNREGISTERED[kind]) {
  const found = proven(theCase, IDENTITIES, id);
  const foundKind = (found >> 160n) % 256n;
  if (foundKind === 0n) {
    yield unregistered;
  } else if (foundKind !== kind) {
    yield fail("verify.kindMismatch", "An identity is registered as another kind.");
  } else {
    const { since } = intervalOf(found >> 168n);
    const held = cover([{ since, until: 0 }], windowOf(theCase));
    if (held === "none") {
      yield fail("verify.registeredLater", "An identity was registered after the part was logged.");
    } else if (held === "part") {
      yield unknown("verify.registeredMeanwhile", "An identity was perhaps registered too late.");
    }
  }
}

function* linked(theCase, link, right) {
  if (link === null) throw new Undecided();
  const { child, parent } = link;
  const count = proven(theCase, LINK_COUNTS, child, parent);
  if (count > BigInt(link.count)) throw new Undecided();
  const numbers = Array.from({ length: Number(count) }, (_, at) => at + 1);
  const words = numbers.map((number) => proven(theCase, LINKS, child, parent, number));
  // A slot that holds nothing is no interval without bounds.
  const intervals = words.filter((one) => one !== 0n).map(intervalOf);
  const held = count === 0n ? "none" : cover(intervals, windowOf(theCase));
  if (held === "none") yield right.none;
  if (held === "part") yield right.part;
}

export const PARTIES = {
  number: 1,
  name: "operator, site and machine",
  isWhole: false,
  rules: [
    { at: "the machine's registration", rule: machine },
    { at: "its link to the site during the build", rule: machineLink },
    { at: "the site's registration", rule: site },
    { at: "its link to the organization during the build", rule: siteLink },
    { at: "the organization's registration", rule: maker },
    { at: "the log's operator", rule: operator },
  ],
};
