// Who signed for a part's unit, and when: whoever granted the root license, or extended it.

import { fromHex, same, word } from "./bytes.js";
import { Undecided, fail, proven, unknown } from "./checks/check.js";
import { licenseId } from "./documents/terms.js";
import { EXTENSIONS, LANE_HOLDERS, LICENSE_NUMBERS, ORIGINS, fieldsOf } from "./state.js";

export const LICENSE_MISSING = unknown("verify.licenseMissing", "Not all licenses are shown.");
const EXTENSION_MISSING = unknown("verify.extensionMissing", "Who added the unit is not shown.");
const EXTENSION_MISMATCH = fail("verify.extensionMismatch", "The extension did not add this unit.");
const LANES_MISSING = unknown("verify.lanesMissing", "Not all lanes of the unit are shown.");

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
    return { epoch: root.terms.designEpoch, at };
  }
  const { extension } = theCase.evidence.disclosed;
  if (extension === null) throw new Undecided(EXTENSION_MISSING);
  const packed = proven(theCase, EXTENSIONS, root.number, extension.first);
  const [end, epoch, at] = fieldsOf(packed, 40, 40, 40);
  if (unit < extension.first || unit >= end || extension.epoch !== epoch) {
    throw new Undecided(EXTENSION_MISMATCH);
  }
  return { epoch, at };
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
    if (above === null || above.number !== source) throw new Undecided(LANES_MISSING);
    const holder = word(proven(theCase, LANE_HOLDERS, source));
    if (!same(holder, above.holder)) throw new Undecided(LANES_MISSING);
    yield { giver: above.holder, at };
    lane = source;
  }
}

/** Return the id that a shown license has on the pinned chain; throw Undecided. */
export function idOf({ evidence, trust }, { terms }) {
  const pin = trust === null ? evidence.pin : trust.chain;
  const contract = pin.contracts?.licenses;
  if (!contract) throw new Undecided(LICENSE_MISSING);
  return licenseId(terms, pin.chainId, fromHex(contract.address, 20));
}
