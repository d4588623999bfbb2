/** `gosumcheck evidence`. */

import { checkFork, formatFork } from '../core/fork.js';
import { parseVerifierKey } from '../core/key.js';
import { formatBase64 } from '../core/base64.js';
import { decodeUtf8 } from '../core/text.js';
import { isGosumError } from '../errors.js';
import type { Evidence } from '../contract.js';
import { write, type Host } from './host.js';
import { cacheFile, openCache, type CacheFlags } from './wire.js';

/** Options of the command line. */
export interface EvidenceOptions extends CacheFlags {
  readonly clear?: boolean;
  readonly format: 'text' | 'json';
}

/** Shows the kept evidence, each proof checked again, or forgets it. Exit code 1 where there is any, and it is kept. */
export async function evidenceCommand(host: Host, options: EvidenceOptions): Promise<number> {
  const store = await openCache(host, cacheFile(host, options));
  try {
    const found = await store.evidence();
    if (options.format === 'json') {
      await write(host.stdout, `${JSON.stringify(found.map(jsonOf), undefined, 2)}\n`);
    } else {
      for (const evidence of found) await write(host.stdout, `${textOf(evidence)}\n\n`);
    }
    if (found.length === 0) await write(host.stderr, 'gosumcheck: no evidence: no log was seen to misbehave\n');
    if (options.clear !== true) return found.length > 0 ? 1 : 0;
    await write(host.stderr, `gosumcheck: cleared: ${await store.clearEvidence()}\n`);
    return 0;
  } finally {
    await store.close();
  }
}

function textOf(evidence: Evidence): string {
  return `found ${evidence.foundAt}, key ${evidence.key}: ${verdictOn(evidence)}\n${formatFork(evidence)}`;
}

function jsonOf(evidence: Evidence): object {
  const { key, foundAt, older, newer, proof } = evidence;
  return {
    key,
    foundAt,
    verdict: verdictOn(evidence),
    older: decodeUtf8(older),
    newer: decodeUtf8(newer),
    proof: formatBase64(proof),
  };
}

/** Whether the evidence proves what it says: the file may have been written by somebody else. */
function verdictOn(evidence: Evidence): string {
  try {
    checkFork(evidence, parseVerifierKey(evidence.key));
    return 'proved';
  } catch (error) {
    if (!isGosumError(error)) throw error;
    return `NOT PROVED (${error.message})`;
  }
}
