/** What is wrong with a zip: the error, with the zip and the entry that it names. */

import { quote } from '../core/text.js';
import { GosumError } from '../errors.js';

/**
 * No h1 can be had of a zip: `ZIP_MALFORMED` where it is damaged or can be read in two ways, `ZIP_LIMIT` where it is more
 * than we take on.
 */
export class ZipError extends GosumError<'ZIP_MALFORMED' | 'ZIP_LIMIT'> {
  override readonly name = 'ZipError';
  /** The zip, as the caller named it. */
  readonly zip: string;
  /** The entry's name, where one is at fault; what is not UTF-8 in it is U+FFFD. Attacker-controlled. */
  readonly entry: string | undefined;

  constructor(code: ZipError['code'], zip: string, entry: string | undefined, detail: string, cause?: unknown) {
    const named = entry === undefined ? zip : `${zip}: entry ${quote(entry)}`;
    super(code, `${named}: ${detail}`, { cause, hint: HINTS[code] });
    this.zip = zip;
    this.entry = entry;
  }
}

const HINTS: Readonly<Record<ZipError['code'], string>> = {
  ZIP_MALFORMED: 'the file is damaged, or made to be read in two ways: get it again from where it comes from',
  ZIP_LIMIT: 'no module zip that the go command takes is as large: check where the file comes from',
};
