/** Names of entries: bytes, and text to show to a person or hold against the rules. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** A name as text. */
export interface NameText {
  /** Where the bytes are not UTF-8, with U+FFFD in the place of what is none. */
  readonly name: string;
  readonly nameIsUtf8: boolean;
}

/** The text of a name whose bytes are given as characters from U+0000 to U+00FF. */
export function decodeName(bytes: string): NameText {
  if (!/[\x80-\xff]/.test(bytes)) return { name: bytes, nameIsUtf8: true };
  const encoded = Buffer.from(bytes, 'latin1');
  try {
    return { name: strict.decode(encoded), nameIsUtf8: true };
  } catch {
    return { name: decoder.decode(encoded), nameIsUtf8: false };
  }
}
