// Who signed for a part's unit, and when: whoever granted the root license, or extended it.

import { fromHex, same, word } from "./bytes.js";
import { Undecided, fail, proven, unknown } from "./checks/check.js";
import { licenseId } from "./documents/terms.js";
import { EXTENSIONS, LANE_HOLDERS, LICENSE_NUMBERS, ORIGINS, fieldsOf } from "./state.js";

/** Return the finding that not all licenses of a part are shown. */
export function licenseMissing(reason) {
  return unknown("verify.licenseMissing", reason);
}

/** Return the grant, refused or not, that lies over the entry's position, null where none does. */
export function grantOf({ record: { grants }, position }) {
  let offset = 0;
  for (const grant of grants) {
    if (position < offset + grant.n) return { ...grant, offset };
    offset += grant.n;
  }
  return null;
}

/** Return the number of the entry's unit, null where nothing was granted. */
export function unitOf(evidence) {
  const grant = grantOf(evidence);
  const isGranted = grant !== null && grant.firstUnit !== 0;
  return isGranted ? grant.firstUnit + evidence.position - grant.offset : null;
}

/** Return by which act of the design's owner the unit exists; throw Undecided. */
export function actOf(theCase, root) {
  const unit = unitOf(theCase.evidence);
  if (unit === null || unit <= root.terms.units) {
    const [, at] = fieldsOf(proven(theCase, LICENSE_NUMBERS, idOf(theCase, root)), 40, 40);
    return { epoch: root.terms.designEpoch, at, act: "The license was granted" };
  }
  const { extension } = theCase.evidence.disclosed;
  if (extension === null) {
    throw new Undecided(unknown("verify.extensionMissing",
      `Unit ${unit} was added to license ${root.number}; by whom is not shown.`));
  }
  const packed = proven(theCase, EXTENSIONS, root.number, extension.first);
  const [end, epoch, at] = fieldsOf(packed, 40, 40, 40);
  if (unit < extension.first || unit >= end || extension.epoch !== epoch) {
    throw new Undecided(fail("verify.extensionMismatch",
      `The extension from unit ${extension.first} on did not add unit ${unit} so.`));
  }
  return { epoch, at, act: "The unit was added to its license" };
}

/** Yield how the unit came to its lane: who gave it on, and when; throw Undecided. */
export function* gifts(theCase) {
  const { evidence } = theCase;
  const grant = grantOf(evidence);
  if (grant === null) return;
  let { lane } = grant;
  for (const above of [...(evidence.disclosed.lanes ?? []), null]) {
    const [source, at] = fieldsOf(proven(theCase, ORIGINS, lane), 40, 40);
    if (source === 0) return;
    if (above === null || above.number !== source) {
      throw new Undecided(lanesMissing(
        `Lane ${source}, from which lane ${lane} was cut, is not shown.`));
    }
    const holder = word(proven(theCase, LANE_HOLDERS, source));
    if (!same(holder, above.holder)) {
      throw new Undecided(lanesMissing(`Lane ${source} is held by somebody else than is shown.`));
    }
    yield { giver: above.holder, at, act: `Lane ${lane} was cut from lane ${source}` };
    lane = source;
  }
}

function lanesMissing(reason) {
  return unknown("verify.lanesMissing", reason);
}

/** Return the id that a shown license has on the pinned chain; throw Undecided. */
export function idOf({ evidence, trust }, { terms }) {
  const pin = trust === null ? evidence.pin : trust.chain;
  const contract = pin.contracts?.licenses;
  if (!contract) {
    throw new Undecided(licenseMissing("The pinned chain has no license registry."));
  }
  return licenseId(terms, pin.chainId, fromHex(contract.address, 20));
}
