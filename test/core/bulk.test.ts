/** Bulk proofs: what they prove, and that nothing else passes for one. */

import t from 'tap';
import { openBulk, type BulkAnswer } from '../../src/core/bulk.js';
import { openReceipt } from '../../src/core/receipt.js';
import { formatModuleVersion } from '../../src/core/module.js';
import { checkTree } from '../../src/core/tree.js';
import { TestLog } from '../../src/testing/index.js';
import { answerTo, askFor, keyOf, type Asked } from './bulkrig.js';

const small = new TestLog();
for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) small.add(`example.com/${name}`, 'v1.0.0');

t.test('an answer for any records of a small log, from any known head', (t) => {
  let cases = 0;
  for (let size = 1; size <= small.size; size++) {
    for (let old = 0; old <= size; old++) {
      for (let set = 0; set < 2 ** size; set++, cases++) {
        const ids = Array.from({ length: size }, (_, id) => id).filter((id) => Math.floor(set / 2 ** id) % 2 === 1);
        const asked = askFor(small, size, old, ids, ids.length === 0 ? 1 : set % 2);
        const flaw = flawOf(asked, openBulk(answerTo(asked), small.key, asked.query, asked.known));
        if (flaw !== undefined) t.fail(`${flaw}: ${ids.join()} of ${size}, from ${old}`);
      }
    }
  }
  t.pass(`${cases} answers`);
  t.end();
});

/** What of an answer is not the truth. */
function flawOf({ log, size, query, known, ids, missing }: Asked, answer: BulkAnswer): string | undefined {
  const head = log.signedHead(size);
  const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
  if (!same(answer.head.note, head.note) || answer.head.size !== size || !same(answer.head.hash, head.hash)) return 'head';
  const names = ids.map((id) => formatModuleVersion(keyOf(log, id).module, keyOf(log, id).version));
  if ([...answer.records.keys()].sort().join() !== names.toSorted().join()) return 'names';
  for (const [i, id] of ids.entries()) {
    const record = answer.records.get(names[i]!);
    if (record?.id !== id || !same(record.text, log.text(id)) || record.head !== answer.head) return 'record';
    if (!same(record.proof(), log.proveRecord(id, size))) return 'proof';
  }
  const line = (each: Asked['missing'][number]): string => `${each.module} ${each.version} ${each.status}`;
  if (answer.missing.map(line).join() !== missing.map(line).join()) return 'missing';
  if ((answer.receipt === undefined) !== (ids.length === 0)) return 'receipt';
  if (answer.receipt !== undefined) {
    if ([...answer.receipt.covers].sort().join() !== names.toSorted().join()) return 'covers';
    const opened = openReceipt(answer.receipt.bytes, log.key);
    if (opened.head.size !== size || opened.records.map(({ id }) => id).join() !== ids.join()) return 'receipt';
  }
  const [first, second, ...more] = answer.heads;
  if (more.length > 0) return 'heads';
  if (known?.size === size) return first === undefined ? undefined : 'heads';
  const newest = known === undefined ? first : second;
  if (newest?.size !== size || newest.next !== undefined || !same(newest.note, head.note)) return 'newest';
  if (known === undefined) return second === undefined ? undefined : 'heads';
  if (first?.size !== query.old || first.next?.size !== size || !same(first.note, known.note)) return 'link';
  checkTree(first.next.proof, head, known);
  return same(first.next.proof, log.proveTree(query.old, size)) ? undefined : 'consistency';
}
