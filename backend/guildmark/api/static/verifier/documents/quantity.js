// Quantities in documents: decimal strings, each with a UCUM unit of a fixed list.

import { Malformed } from "../bytes.js";

const UNITS = new Set(`
  m nm um mm cm [in_i] [mil_i] m2 um2 mm2 cm2 m3 mm3 cm3 uL mL L 1 % [ppm] deg rad s ms min h d
  Hz /s /min kHz {rev}/min {layer} {copy} {perimeter} m/s mm/s mm/min mm/{rev} m/s2 mm/s2 mm/s3
  m3/s mm3/s mm3/min L/min kg mg g kg/m3 g/cm3 kg/s g/min g/(10.min) K Cel [degF] K/min Cel/min
  N kN N.m N.cm Pa kPa MPa GPa bar mbar Pa.s mPa.s J kJ kW.h J/m2 kJ/m2 mJ/cm2 J/m3 J/mm3 W kW
  W/m2 mW/cm2 V mV A mA Ohm kOhm uS lx cd dB {HRC} {HV} {ShoreA} {ShoreD}
`.split(/\s+/).filter(Boolean));
const DECIMAL = /^(-?)(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,18}))?$/;
const PLACES = 18;

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
