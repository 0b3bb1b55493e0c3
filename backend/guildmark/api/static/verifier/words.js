// Texts of strangers inside sentences.

const UNSEEN = /(?! )[\p{C}\p{Z}]/u;
const SHORT = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Return whether people see of a text what it holds: no control or direction characters. */
export function isPrintable(text) {
  return !UNSEEN.test(text);
}

/** Return whether a text is one that people read as it is written, and not too long. */
export function isPlain(text, most) {
  const isTight = !text.startsWith(" ") && !text.endsWith(" ") && !text.includes("  ");
  const size = [...text].length;
  return size > 0 && size <= most && isTight && isPrintable(text) && text.normalize("NFC") === text;
}

/** Return a text in quotation marks, what people would not see escaped (Python's repr). */
export function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const letters = [...text].map((letter) => {
    if (letter === mark) return `\\${letter}`;
    return SHORT[letter] ?? (isPrintable(letter) ? letter : escaped(letter.codePointAt(0)));
  });
  return `${mark}${letters.join("")}${mark}`;
}

function escaped(code) {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
