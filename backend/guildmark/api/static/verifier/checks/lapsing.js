// What ends a certificate of equivalence without a word: a machine that moved, other firmware.

import { LINKS, LINK_COUNTS, SITE_RECIPES } from "../state.js";
import { siteRecipeId } from "../recipes.js";
import { cover, intervalOf, windowOf } from "../window.js";
import { fail, isLink, proven, stated, unknown } from "./check.js";
import { shownSiteRecipe, siteClauses } from "./clauses.js";

/** The clause by which a site recipe says what firmware the site was certified with. */
const FIRMWARE = "/qa/firmware";
const VERSION = /[0-9]+(?=\.[0-9])/;
const NUMBER = /[0-9]+/;

/** Yield why a certificate that was given at a time does not reach this machine as it ran. */
export async function* lapsed(theCase, since) {
  yield* moved(theCase, since);
  yield* firmware(theCase, since);
}

/** Whether the machine was there while the part was built, (1) says. */
function* moved(theCase, since) {
  const { disclosed: { siteLink: link } } = theCase.evidence;
  const { machine, site } = stated(theCase).run;
  if (link === null || !isLink(link, machine, site)) return;
  const held = proven(theCase, LINK_COUNTS, machine, site);
  const count = held < BigInt(link.count) ? Number(held) : link.count;
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  const words = numbers.map((number) => proven(theCase, LINKS, machine, site, number));
  const stays = words.filter((one) => one !== 0n).map(intervalOf);
  const begun = stays.filter((stay) => cover([stay], windowOf(theCase)) !== "none")
    .map((stay) => stay.since);
  const first = Math.min(...begun);
  if (begun.length > 0 && first > since) {
    yield fail("verify.equivalenceMachineMoved", `The machine is at the site since ${first}; `
      + `the certificate is of ${since}, and lapses when a machine moves.`);
  }
}

/** Yield a finding where the site says what firmware was certified, and another one ran. */
async function* firmware(theCase, since) {
  const clauses = await siteClauses(theCase);
  const certified = clauses.shown.find(({ path }) => path === FIRMWARE)?.value ?? null;
  if (certified === null) return;
  const ran = stated(theCase).firmware;
  const registered = proven(theCase, SITE_RECIPES, siteRecipeId(shownSiteRecipe(theCase).recipe));
  if (registered > BigInt(since)) {
    yield unknown("verify.equivalenceFirmwareUnproven",
      "The site recipe that names the firmware is newer than the certificate.");
  } else if (ran === null) {
    yield unknown("verify.equivalenceFirmwareUnproven",
      `The statement names no firmware; the site was certified with ${certified}.`);
  } else if (majorVersion(ran) !== majorVersion(certified)) {
    yield fail("verify.equivalenceFirmwareChanged",
      `The machine ran ${ran}; the site was certified with ${certified}.`);
  }
}

/** Return the major version in what a machine calls its firmware, all of it where none is. */
export function majorVersion(named) {
  const [found] = VERSION.exec(named) ?? NUMBER.exec(named) ?? [null];
  return found === null ? named : found.replace(/^0+/, "");
}
