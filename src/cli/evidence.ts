/** `gosumcheck evidence`. */

import { checkFork, formatFork } from '../core/fork.js';
import { parseVerifierKey } from '../core/key.js';
import { formatBase64 } from '../core/base64.js';
import { decodeUtf8 } from '../core/text.js';
import { isGosumError } from '../errors.js';
import type { Evidence } from '../contract.js';
import { visibleJson, visibleLines } from '../report/escape.js';
import { print, say, type Host } from './host.js';
import { cacheFile, openCache, type CacheFlags } from './wire.js';

/** Options of the command line. */
export interface EvidenceOptions extends CacheFlags {
  /** A mirror's data file, in the cache's place. */
  readonly data?: string;
  readonly clear?: boolean;
  readonly format: 'text' | 'json';
}

/** Shows the kept evidence, each proof checked again, and with `clear` forgets it. Exit code 1 where any of it proves a fork, and it stays. */
export async function evidenceCommand(host: Host, options: EvidenceOptions): Promise<number> {
  const { data, cache } = options;
  const file = data ?? cache;
  const store = await openCache(host, cacheFile(host, file === undefined ? {} : { cache: file }));
  try {
    const found = await store.evidence();
    if (options.format === 'json') await print(host, visibleJson(found.map(jsonOf)));
    else for (const evidence of found) await print(host, `${visibleLines(textOf(evidence)).join('\n')}\n\n`);
    if (found.length === 0) await say(host, 'no evidence: no log was seen to misbehave');
    if (options.clear !== true) return found.some((evidence) => verdictOn(evidence) === PROVED) ? 1 : 0;
    const cleared = await store.clearEvidence();
    if (cleared > 0) await say(host, `cleared: the evidence of ${cleared === 1 ? '1 fork' : `${cleared} forks`}`);
    return 0;
  } finally {
    await store.close();
  }
}

function textOf(evidence: Evidence): string {
  return `found at ${evidence.foundAt}, key ${evidence.key}: ${verdictOn(evidence)}\n${shown(() => formatFork(evidence))}`;
}

function jsonOf(evidence: Evidence): object {
  const { key, foundAt, older, newer, proof } = evidence;
  const verdict = verdictOn(evidence);
  const note = (bytes: Uint8Array): string => shown(() => decodeUtf8(bytes));
  return { key, foundAt, verdict, older: note(older), newer: note(newer), proof: formatBase64(proof) };
}

/** What is no text has to be said, too, before it can be cleared. */
function shown(show: () => string): string {
  try {
    return show();
  } catch (error) {
    if (!isGosumError(error)) throw error;
    return `(it cannot be shown: ${error.message})`;
  }
}

const PROVED = 'proved';

/** Whether the evidence proves what it says: the file may have been written by somebody else. */
function verdictOn(evidence: Evidence): string {
  try {
    checkFork(evidence, parseVerifierKey(evidence.key));
    return PROVED;
  } catch (error) {
    if (!isGosumError(error)) throw error;
    return `NOT PROVED (${error.message})`;
  }
}
