/**
 * Names of files in a module: which ones are allowed (x/mod's module.CheckFilePath), and when two are the same to a file
 * system that ignores case (strings.EqualFold).
 */

import { quote } from '../core/text.js';
import { isLetter } from './letters.js';

/** Names of devices on Windows, which a file may not have there, whatever its extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])$/i;
/** What is allowed beside letters; `"'*<>?`|:\` and control characters are not. */
const PLAIN = /^[-!#$%&()+,.=@[\]^_{}~ 0-9A-Za-z]*$/;

/** Nearly every path, in one look: elements of plain characters that do not end with a dot… */
const PLAIN_PATH = /^[-!#$%&()+,.=@[\]^_{}~ 0-9A-Za-z]*[-!#$%&()+,=@[\]^_{}~ 0-9A-Za-z](?:\/[-!#$%&()+,.=@[\]^_{}~ 0-9A-Za-z]*[-!#$%&()+,=@[\]^_{}~ 0-9A-Za-z])*$/;
/** …of which none is a device. */
const DEVICE_IN_PATH = /(?:^|\/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[./]|$)/i;

/**
 * Says what is wrong with the path of a file in a module, from the module's root, with slashes; `undefined` where nothing is.
 *
 * @param path valid UTF-8; attacker-controlled.
 */
export function fileNameFlaw(path: string): string | undefined {
  if (PLAIN_PATH.test(path) && !DEVICE_IN_PATH.test(path)) return undefined;
  for (const element of path.split('/')) {
    const flaw = elementFlaw(element);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function elementFlaw(element: string): string | undefined {
  if (element === '') return 'the path has an empty element';
  if (element === '.' || element === '..') return `the path has the element ${quote(element)}`;
  if (element.endsWith('.')) return `element ${quote(element)} ends with a dot`;
  if (!PLAIN.test(element)) {
    for (const character of element) {
      if (!PLAIN.test(character) && !isLetter(character)) return `the path has the character ${quote(character)}`;
    }
  }
  const [stem = ''] = element.split('.', 1);
  if (DEVICE.test(stem)) return `element ${quote(element)} is the name of a device on Windows`;
  return undefined;
}

/**
 * A text that is the same for two names exactly where they differ in case alone: by Unicode's simple case folding, one
 * character to one, as Go's unicode.SimpleFold has it. It has the name's length.
 */
export function foldCase(name: string): string {
  return /^[\0-\x7f]*$/.test(name) ? name.toLowerCase() : Array.from(name, foldCharacter).join('');
}

/**
 * The small letter of the capital letter: that leads all forms of a letter to one (K and the Kelvin sign, s and the long s, the
 * three sigmas). Where a case takes several characters it is none of simple folding. The dotless i stands alone there.
 */
function foldCharacter(character: string): string {
  if (character === '\u0131') return character;
  const upper = oneCharacter(character.toUpperCase()) ?? character;
  return oneCharacter(upper.toLowerCase()) ?? upper;
}

function oneCharacter(text: string): string | undefined {
  return text.length === ((text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1) ? text : undefined;
}
