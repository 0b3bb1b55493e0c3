// JSON (RFC 8259) within the input profile of docs/formats: what two readers read alike.

import { Malformed, ascii, same } from "../bytes.js";

const GAP = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
const WORDS = [["true", true], ["false", false], ["null", null]];
const HALF_OF_A_PAIR = /\p{Surrogate}/u;

/** Return the value that bytes write; throw Malformed outside the profile. */
export function parse(data, { size = 1 << 20, depth = 32, values = 100_000 } = {}) {
  if (data.length > size) throw new Malformed("too large");
  const reader = new Reader(decoded(data), depth, values);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** Return the RFC 8785 text of a value that was read. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

export function isCanonical(value, data) {
  return same(ascii(canonical(value)), data);
}

function decoded(data) {
  try {
    // A byte order mark stays, and is no JSON.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Malformed("not UTF-8");
  }
}

class Reader {
  constructor(text, depth, values) {
    Object.assign(this, { text, depth, left: values - 1, at: 0 });
  }

  value(depth) {
    const next = this.peek();
    if (next === "{") return this.object(depth + 1);
    if (next === "[") return this.array(depth + 1);
    return next === '"' ? this.string() : this.scalar();
  }

  object(depth) {
    const found = Object.create(null);
    this.each("}", depth, () => {
      if (this.peek() !== '"') throw new Malformed("a member has no name");
      const key = this.string();
      this.take(":");
      if (key in found) throw new Malformed("a member stands twice");
      found[key] = this.value(depth);
    });
    return found;
  }

  array(depth) {
    const found = [];
    this.each("]", depth, () => found.push(this.value(depth)));
    return found;
  }

  /** Read what stands between an opening bracket and its closing one. */
  each(close, depth, read) {
    if (depth > this.depth) throw new Malformed("nested too deeply");
    this.at += 1;
    this.count();
    if (this.peek() !== close) {
      read();
      for (; this.peek() === ","; read()) {
        this.at += 1;
        this.count();
      }
    }
    this.take(close);
  }

  string() {
    const value = JSON.parse(this.match(STRING));
    if (HALF_OF_A_PAIR.test(value)) throw new Malformed("half of a surrogate pair");
    return value;
  }

  scalar() {
    const word = WORDS.find(([name]) => this.text.startsWith(name, this.at));
    if (word !== undefined) {
      this.at += word[0].length;
      return word[1];
    }
    const value = Number(this.match(INTEGER));
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new Malformed("no integer");
    return value;
  }

  count() {
    this.left -= 1;
    if (this.left < 0) throw new Malformed("too many values");
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) throw new Malformed("no JSON");
    this.at = pattern.lastIndex;
    return found[0];
  }

  peek() {
    this.match(GAP);
    return this.text[this.at];
  }

  take(letter) {
    if (this.peek() !== letter) throw new Malformed("no JSON");
    this.at += 1;
  }

  end() {
    if (this.peek() !== undefined) throw new Malformed("more follows");
  }
}
