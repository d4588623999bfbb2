/**
 * What the client remembers: the timeline and the receipts of its store, proved again from signed notes on each use.
 * The store may have been written by somebody else: what does not prove is dropped, with a word about it.
 */

import type { Store } from '../contract.js';
import { GosumError } from '../errors.js';
import { formatVerifierKey, type VerifierKey } from '../core/key.js';
import { openReceipt, type ProvedRecord, type Receipt } from '../core/receipt.js';
import { decodeUtf8 } from '../core/text.js';
import { Timeline } from '../core/timeline.js';
import type { SignedHead } from '../core/treehead.js';

/** A proved memory. */
export interface Memory {
  /** `undefined` before first contact. */
  readonly timeline: Timeline | undefined;
  /** Proved records by `path@version`. */
  readonly records: ReadonlyMap<string, ProvedRecord>;
  /** Signed heads of receipts that the timeline does not know: each is either of the log, too, or of a fork. */
  readonly strays: readonly SignedHead[];
}

/** A memory of nothing. */
export const BLANK: Memory = { timeline: undefined, records: new Map(), strays: [] };

/**
 * Recalls what is known of module versions.
 *
 * @param wanted `path@version`, unescaped.
 * @param fromSize heads of at least this size are wanted too.
 * @throws {GosumError} `KEY_CHANGED` where the key's name is remembered with another key; `STORE_FAILED`.
 */
export async function recall(
  store: Store,
  key: VerifierKey,
  wanted: readonly string[],
  fromSize: number,
  notice: (text: string) => void,
): Promise<Memory> {
  const vkey = formatVerifierKey(key);
  const remembered = await store.keyOf(key.name);
  if (remembered !== undefined && remembered !== vkey) {
    throw new GosumError('KEY_CHANGED', `${key.name} is known with another key: ${remembered}`, {
      hint: `find out which key is right; if it is the new one, \`gosumcheck cache clean --all\` forgets the old one (${store.label})`,
    });
  }
  const newest = await store.newest(vkey);
  if (newest === undefined) return BLANK;

  /** Says what was dropped; a bug of our own is none of that. */
  const drop = (what: string, error: unknown): void => {
    if (!(error instanceof GosumError)) throw error;
    notice(`${what} in ${store.label} was not true and is dropped: ${error.message}`);
  };
  const receipts: Receipt[] = [];
  for (const bytes of await store.receipts(vkey, wanted)) {
    try {
      receipts.push(openReceipt(bytes, key));
    } catch (error) {
      drop('a receipt', error);
    }
  }
  const from = receipts.reduce((least, receipt) => Math.min(least, receipt.head.size), Math.min(newest.size, fromSize));
  let timeline: Timeline;
  try {
    timeline = new Timeline(await store.timeline(vkey, from), key);
  } catch (error) {
    // Nothing can be linked to a head that nobody signed: start again, as on first contact.
    drop('the timeline', error);
    await store.clean();
    return { ...BLANK, strays: receipts.map(({ head }) => head) };
  }
  const strays: SignedHead[] = [];
  const records = new Map<string, ProvedRecord>();
  for (const receipt of receipts) {
    try {
      timeline.check(receipt.head);
    } catch (error) {
      drop('the tree head of a receipt', error);
      strays.push(receipt.head);
      continue;
    }
    for (const record of receipt.records) {
      for (const name of moduleVersionsOf(record.text)) records.set(name, record);
    }
  }
  return { timeline, records, strays };
}

/** The module versions, `path@version`, that a record's lines are of. */
function moduleVersionsOf(text: Uint8Array): Set<string> {
  const names = new Set<string>();
  for (const line of decodeUtf8(text).split('\n')) {
    const [module, version] = line.split(' ');
    if (version !== undefined) names.add(`${module}@${version.replace(/\/go\.mod$/, '')}`);
  }
  return names;
}
