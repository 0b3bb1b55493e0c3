// Quantities in documents: decimal strings, each with a UCUM unit of a fixed list.
//
// Values compare exactly and by what they are: 1 [in_i] is 25.4 mm, 20 Cel is 293.15 K.

import { Malformed } from "../bytes.js";
import { ZERO, fraction, minus, over, parseFraction, plus, times } from "../fraction.js";

// By what they measure, each with its worth in the first unit of its line; those of one line
// convert.
const KINDS = `
  m=1 nm=1/1000000000 um=1/1000000 mm=1/1000 cm=1/100 [in_i]=254/10000 [mil_i]=254/10000000
  m2=1 um2=1/1000000000000 mm2=1/1000000 cm2=1/10000
  m3=1 mm3=1/1000000000 cm3=1/1000000 uL=1/1000000000 mL=1/1000000 L=1/1000
  1=1 %=1/100 [ppm]=1/1000000
  deg=1
  rad=1
  s=1 ms=1/1000 min=60 h=3600 d=86400
  Hz=1 /s=1 /min=1/60 kHz=1000
  {rev}/min=1
  {layer}=1
  {copy}=1
  {perimeter}=1
  m/s=1 mm/s=1/1000 mm/min=1/60000
  mm/{rev}=1
  m/s2=1 mm/s2=1/1000
  mm/s3=1
  m3/s=1 mm3/s=1/1000000000 mm3/min=1/60000000000 L/min=1/60000
  kg=1 mg=1/1000000 g=1/1000
  kg/m3=1 g/cm3=1000
  kg/s=1 g/min=1/60000 g/(10.min)=1/600000
  K=1 Cel=1 [degF]=5/9
  K/min=1 Cel/min=1
  N=1 kN=1000
  N.m=1 N.cm=1/100
  Pa=1 kPa=1000 MPa=1000000 GPa=1000000000 bar=100000 mbar=100
  Pa.s=1 mPa.s=1/1000
  J=1 kJ=1000 kW.h=3600000
  J/m2=1 kJ/m2=1000 mJ/cm2=10
  J/m3=1 J/mm3=1000000000
  W=1 kW=1000
  W/m2=1 mW/cm2=10
  V=1 mV=1/1000
  A=1 mA=1/1000
  Ohm=1 kOhm=1000
  uS=1
  lx=1
  cd=1
  dB=1
  {HRC}=1
  {HV}=1
  {ShoreA}=1
  {ShoreD}=1
`;
// What a scale with a zero of its own calls zero, in kelvin.
const ZEROS = { Cel: fraction(27315n, 100n), "[degF]": fraction(45967n * 5n, 900n) };
const UNITS = new Map(KINDS.trim().split("\n").flatMap((line) => {
  const each = line.trim().split(" ").map((item) => item.split("="));
  return each.map(([code, factor]) => [code, { kind: each[0][0], factor: parseFraction(factor) }]);
}));
/** The codes of all units that documents may name. */
export const CODES = [...UNITS.keys()];
const DECIMAL = /^(-?)(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,18}))?$/;
const PLACES = 18;
const SCALE = 10n ** BigInt(PLACES);

export function checkUnit(code) {
  if (!UNITS.has(code)) throw new Malformed("a unit that is not on the list");
  return code;
}

/** Return a decimal text's number, times 10^18. */
export function parseDecimal(written) {
  const found = DECIMAL.exec(written);
  if (found === null) throw new Malformed("no plain decimal number");
  const [, sign, whole, part = ""] = found;
  const size = BigInt(whole + part.padEnd(PLACES, "0"));
  if (sign !== "" && size === 0n) throw new Malformed("zero has no sign");
  return sign === "" ? size : -size;
}

/** Return a decimal text's number as a fraction. */
export function exact(written) {
  return fraction(parseDecimal(written), SCALE);
}

/** Return whether values in two units of the list can be compared. */
export function measuresAlike(code, other) {
  return UNITS.get(code).kind === UNITS.get(other).kind;
}

/** Return what a value in a unit is worth in the base unit of its kind. */
export function worth(value, code) {
  return plus(times(exact(value), UNITS.get(code).factor), ZEROS[code] ?? ZERO);
}

/** Return a value in another unit of the same kind. */
export function converted(value, code, other) {
  return over(minus(worth(value, code), ZEROS[other] ?? ZERO), UNITS.get(other).factor);
}
