/**
 * The glob lists of GONOSUMDB and GOPRIVATE, matched as the go command does (`go help module-private`;
 * x/mod's module.MatchPrefixPatterns over Go's path.Match).
 *
 * Matching goes byte by byte over UTF-8 where Go does: there `*` may stop inside a character.
 */

import { encodeUtf8, fields, quote } from './text.js';

/** One byte of the name, one character, or one character of a class. */
type Term =
  | { readonly kind: 'byte'; readonly byte: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** A run of terms, `floating` where a `*` stands before it. */
interface Chunk {
  readonly floating: boolean;
  readonly terms: readonly Term[];
}

/**
 * Reports whether the glob matches the whole of `name`, as Go's path.Match: `*` and `?` never match a slash, a class
 * such as `[^a]` may. A malformed glob matches nothing.
 */
export function matchGlob(glob: string, name: string): boolean {
  const chunks = parseGlob(glob);
  return chunks !== undefined && matchChunks(chunks, encodeUtf8(name));
}

/**
 * The first pattern of a comma-separated list that matches the module path, or leading elements of it; `undefined` if
 * none does. A pattern with n slashes is held against the first n + 1 elements. Empty and malformed entries are passed
 * over, one slash at an entry's end is dropped, and white space is NOT trimmed.
 */
export function matchingPattern(globs: string, target: string): string | undefined {
  return patternMatcher(globs)(target);
}

/** `matchingPattern` for many module paths: the list is parsed once. */
export function patternMatcher(globs: string): (target: string) => string | undefined {
  const patterns = entries(globs).flatMap((glob) => {
    const chunks = parseGlob(glob);
    return chunks === undefined ? [] : [{ glob, chunks, length: glob.split('/').length, isPlain: PLAIN.test(glob), known: new Map<string, boolean>() }];
  });
  return (target) => {
    const matches = ({ glob, chunks, length, isPlain, known }: (typeof patterns)[number]): boolean => {
      if (isPlain) return target.startsWith(glob) && (target.length === glob.length || target[glob.length] === '/');
      const leading = leadingElements(target, length);
      if (leading === undefined) return false;
      let found = known.get(leading);
      if (found === undefined) {
        if (known.size >= MOST_KNOWN) known.clear();
        known.set(leading, (found = matchChunks(chunks, encodeUtf8(leading))));
      }
      return found;
    };
    return patterns.find(matches)?.glob;
  };
}

/** Leading elements of which a glob remembers whether it matches: millions of paths begin with the same few. */
const MOST_KNOWN = 4096;

/** The first `count` elements of a path; `undefined` where it has fewer. */
function leadingElements(path: string, count: number): string | undefined {
  let end = -1;
  for (let i = 1; i <= count; i++) {
    end = path.indexOf('/', end + 1);
    if (end < 0) return i === count ? path : undefined;
  }
  return path.slice(0, end);
}

/** A glob that stands for itself alone: most do, and millions of paths may be held against one. */
const PLAIN = /^[-._~0-9A-Za-z/]+$/;

/**
 * Says which entries of a list can never match: a person meant to keep names private by them, and they would leak.
 * A sentence for each, naming the entry.
 */
export function patternWarnings(globs: string): string[] {
  return entries(globs).flatMap((glob) => {
    const flaw = blank(glob) ? undefined : globFlaw(glob);
    return flaw === undefined ? [] : [`the pattern ${quote(glob)} never matches: ${flaw}`];
  });
}

function entries(globs: string): string[] {
  return globs
    .split(',')
    .map((glob) => (glob.endsWith('/') ? glob.slice(0, -1) : glob))
    .filter((glob) => glob !== '');
}

/** An entry of white space alone, as behind a last comma, hides no name. */
function blank(glob: string): boolean {
  return fields(glob).length === 0;
}

function globFlaw(glob: string): string | undefined {
  const chunks = parseGlob(glob);
  if (chunks === undefined) return 'it is malformed';
  const foreign = chunks
    .flatMap((chunk) => chunk.terms)
    .some((term) => term.kind === 'byte' && !/[-._~0-9A-Za-z/]/.test(String.fromCharCode(term.byte)));
  if (!foreign) return undefined;
  if (fields(glob).join('') !== glob) return 'white space in it counts, and no module path has any';
  return 'it has a character that no module path has';
}

/** Parses a glob; `undefined` where path.Match would call it malformed, which does not depend on the name. */
function parseGlob(glob: string): Chunk[] | undefined {
  const chunks: Chunk[] = [];
  let terms: Term[] | undefined;
  const characters = Array.from(glob);
  let at = 0;

  /** One character of a class, perhaps escaped; `undefined` where none may stand. */
  function classCharacter(): number | undefined {
    let character = characters[at++];
    if (character === '-' || character === ']') return undefined;
    if (character === '\\') character = characters[at++];
    return character?.codePointAt(0);
  }

  /** The class whose `[` was just read. */
  function classTerm(): Term | undefined {
    const negated = characters[at] === '^';
    if (negated) at++;
    const ranges: [number, number][] = [];
    do {
      const low = classCharacter();
      let high = low;
      if (characters[at] === '-') {
        at++;
        high = classCharacter();
      }
      if (low === undefined || high === undefined) return undefined;
      ranges.push([low, high]);
    } while (characters[at] !== ']');
    at++;
    return { kind: 'class', negated, ranges };
  }

  function push(floating: boolean, ...more: Term[]): void {
    if (terms === undefined || floating) chunks.push({ floating, terms: (terms = []) });
    terms.push(...more);
  }

  while (at < characters.length) {
    let character = characters[at++];
    if (character === '*') {
      // several stars are one
      if (characters[at] !== '*') push(true);
    } else if (character === '?') {
      push(false, { kind: 'any' });
    } else if (character === '[') {
      const term = classTerm();
      if (term === undefined) return undefined;
      push(false, term);
    } else {
      if (character === '\\') character = characters[at++];
      if (character === undefined) return undefined;
      push(false, ...Array.from(encodeUtf8(character), (byte): Term => ({ kind: 'byte', byte })));
    }
  }
  return chunks;
}

const SLASH = 0x2f;

function matchChunks(chunks: readonly Chunk[], name: Uint8Array): boolean {
  let rest = name;
  for (const [i, chunk] of chunks.entries()) {
    if (chunk.floating && chunk.terms.length === 0) return !rest.includes(SLASH); // only the last one is empty
    const last = i === chunks.length - 1;
    const next = matchChunk(chunk, rest, last);
    if (next === undefined) return false;
    rest = next;
  }
  return rest.length === 0;
}

/** What is left behind the chunk's first fit; the last chunk has to fit up to the end, if it floats. */
function matchChunk(chunk: Chunk, name: Uint8Array, last: boolean): Uint8Array | undefined {
  for (let skip = 0; skip <= name.length; skip++) {
    const rest = matchTerms(chunk.terms, name.subarray(skip));
    if (rest !== undefined && (rest.length === 0 || !last)) return rest;
    if (!chunk.floating || name[skip] === SLASH) return undefined;
  }
  return undefined;
}

function matchTerms(terms: readonly Term[], name: Uint8Array): Uint8Array | undefined {
  let at = 0;
  for (const term of terms) {
    const byte = name[at];
    if (byte === undefined) return undefined;
    if (term.kind === 'byte') {
      if (byte !== term.byte) return undefined;
      at++;
      continue;
    }
    const { codePoint, width } = characterAt(name, at);
    if (term.kind === 'any') {
      if (byte === SLASH) return undefined;
    } else if (term.ranges.some(([low, high]) => low <= codePoint && codePoint <= high) === term.negated) {
      return undefined;
    }
    at += width;
  }
  return name.subarray(at);
}

/** The character at a place in UTF-8 text; in the middle of one it is U+FFFD and one byte wide, as to Go. */
function characterAt(text: Uint8Array, at: number): { codePoint: number; width: number } {
  const lead = text[at] ?? 0;
  if (lead < 0x80) return { codePoint: lead, width: 1 };
  if (lead < 0xc0) return { codePoint: 0xfffd, width: 1 };
  const width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  let codePoint = lead % 2 ** (7 - width);
  for (let i = 1; i < width; i++) codePoint = codePoint * 64 + ((text[at + i] ?? 0) % 64);
  return { codePoint, width };
}
