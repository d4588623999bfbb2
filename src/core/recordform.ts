/**
 * The form of a record: two go.sum lines, a module version's and that of its go.mod file, each with an `h1:` hash. It is what
 * sum.golang.org writes (go.dev/design/25530-sumdb) and what clients look for.
 *
 * A log that has another record proves nothing false by that: clients pass over lines that are none of theirs. So this is asked
 * by an audit, and by who appends to a log, not by who reads one.
 */

import { GosumError } from '../errors.js';
import { isH1 } from './h1.js';
import { checkModulePath, checkVersion, type ModuleVersion } from './module.js';
import { checkRecordText } from './record.js';
import { decodeUtf8, quote } from './text.js';

const GO_MOD = '/go.mod';

/**
 * Checks that a text is a record of the usual form, and gives the module version that it is of. The order of the two lines is free.
 *
 * @param text attacker-controlled.
 * @throws {GosumError} `RECORD_MALFORMED` for a text that no record can have, another number of fields or lines, or a line of
 * either kind missing; `MODULE_PATH_MALFORMED`, `VERSION_MALFORMED`; `HASH_UNKNOWN` for a hash that is no `h1:` of 32 bytes;
 * `RECORD_FOREIGN` where its lines are of several module versions; `RECORD_CONFLICT` where one line stands there with two hashes.
 */
export function checkRecordForm(text: Uint8Array): ModuleVersion {
  checkRecordText(text);
  const lines = decodeUtf8(text).split('\n').slice(0, -1).map(parseLine);
  const [first] = lines;
  if (first === undefined) throw malformed('no line');
  const { module, version } = first;
  checkModulePath(module);
  checkVersion(version);
  const hashes = new Map<boolean, string>();
  for (const line of lines) {
    if (line.module !== module || line.version !== version) {
      throw new GosumError('RECORD_FOREIGN', `a record of ${module}@${version}, and of ${quote(`${line.module}@${line.version}`)}`);
    }
    if (!isH1(line.hash)) throw new GosumError('HASH_UNKNOWN', `${quote(line.hash)} is no h1 of 32 bytes`);
    const other = hashes.get(line.isGoMod);
    if (other !== undefined && other !== line.hash) {
      throw new GosumError('RECORD_CONFLICT', `two hashes for ${module}@${version}${line.isGoMod ? GO_MOD : ''}`);
    }
    hashes.set(line.isGoMod, line.hash);
  }
  if (hashes.size !== 2) throw malformed(`the line of ${hashes.has(true) ? 'the module' : 'its go.mod file'} is missing`);
  if (lines.length !== 2) throw malformed(`${lines.length} lines, want 2`);
  return { module, version };
}

interface Line extends ModuleVersion {
  readonly isGoMod: boolean;
  readonly hash: string;
}

function parseLine(text: string): Line {
  const [module = '', key = '', hash = '', ...more] = text.split(' ');
  if (hash === '' || more.length > 0) throw malformed(`${quote(text)} is not: module version hash`);
  const isGoMod = key.endsWith(GO_MOD);
  return { module, version: isGoMod ? key.slice(0, -GO_MOD.length) : key, isGoMod, hash };
}

function malformed(detail: string): GosumError {
  return new GosumError('RECORD_MALFORMED', `malformed record: ${detail}`);
}
