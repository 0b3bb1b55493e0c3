// (13) What a copied label lacks: nobody brings it into the page, which says what there is.

import { NOT_CHECKED, notClaimed, stated, unknown } from "./check.js";

const [CODE, CHIP] = ["activation/code", "activation/chip"];

async function* held(theCase) {
  const named = stated(theCase).byproducts.map(({ name }) => name);
  const { claim, chip } = theCase.question;
  if (claim || chip) {
    // Receipts and chips are verified by the program alone.
    yield NOT_CHECKED;
  } else if (named.includes(CODE) || named.includes(CHIP)) {
    const what = named.includes(CODE) ? "a hidden code" : "a chip";
    yield unknown("verify.secondFactorNotShown",
      `The statement names ${what}; you showed none.`);
  } else {
    yield notClaimed("verify.secondFactorNone", "The statement names no code and no chip.");
  }
}

export const SECOND_FACTOR = {
  number: 13,
  name: "second factor",
  rules: [{ at: "statements/build.dsse.json", rule: held }],
};
