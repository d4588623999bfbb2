/**
 * Lines of hashes: `h1:…  PATH`, as sha256sum has them. A path with characters that would act on a terminal, or end the line, is
 * escaped, and the line then begins with a backslash; `--check` reads both.
 */

import { isH1 } from '../core/h1.js';
import { visible } from '../report/escape.js';

/** A line, read. */
export interface HashLine {
  readonly h1: string;
  readonly name: string;
}

/** A line with its end. */
export function formatHashLine({ h1, name }: HashLine): string {
  const escaped = visible(name.replaceAll('\\', '\\\\'));
  const isPlain = visible(name) === name;
  return isPlain ? `${h1}  ${name}\n` : `\\${h1}  ${escaped}\n`;
}

/** A path where it stands alone, safe on a terminal. */
export function formatName(name: string): string {
  return visible(name);
}

/**
 * Parses the lines of a file; blank ones and those that begin with `#` are passed over.
 *
 * @returns `undefined` for each line that has not the form.
 */
export function parseHashLines(text: string): (HashLine | undefined)[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map(parseHashLine);
}

function parseHashLine(line: string): HashLine | undefined {
  const isEscaped = line.startsWith('\\');
  const text = isEscaped ? line.slice(1) : line;
  const at = text.indexOf('  ');
  const h1 = text.slice(0, Math.max(0, at));
  const rest = text.slice(at + 2);
  if (!isH1(h1) || rest === '') return undefined;
  if (!isEscaped) return { h1, name: rest };
  const name = unescape(rest);
  return name === undefined ? undefined : { h1, name };
}

/** Also what sha256sum writes: `\n` and `\r`. `undefined` for a backslash before anything else. */
function unescape(text: string): string | undefined {
  const escapes = /\\(?:[\\nr]|u[0-9a-f]{4}|u\{(?:10|[0-9a-f])[0-9a-f]{4}\})/g;
  if (text.replaceAll(escapes, '').includes('\\')) return undefined;
  return text.replaceAll(escapes, (escape) => {
    const letter = escape.slice(1, 2);
    if (letter === 'u') return String.fromCodePoint(parseInt(escape.replaceAll(/[^0-9a-f]/g, ''), 16));
    return { n: '\n', r: '\r' }[letter] ?? letter;
  });
}
