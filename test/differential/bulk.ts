/** Answers to bulk questions: true, mutated, and of a log that lies. */

import { isGosumError } from '../../src/errors.js';
import { openBulk } from '../../src/core/bulk.js';
import { formatBulkQuery, parseBulkQuery } from '../../src/core/bulkform.js';
import { ForkError } from '../../src/core/fork.js';
import { formatVerifierKey, parseVerifierKey } from '../../src/core/key.js';
import { openTreeHead } from '../../src/core/treehead.js';
import { TestLog } from '../../src/testing/index.js';
import { answerTo, askFor, keyOf, type Asked } from '../core/bulkrig.js';
import { makeSeed, mutate } from '../core/bulkmutation.js';
import { base64Of, bytesOf, textOf, type Input, type Subject } from './subject.js';

const SIZES = [1, 2, 3, 7, 9, 64, 300];

const log = new TestLog();
const fork = new TestLog();
while (log.size <= SIZES.at(-1)!) {
  log.add(`example.com/m${log.size}`, 'v1.0.0');
  fork.add(`example.com/m${fork.size}`, 'v1.0.0', fork.size < 3 ? {} : { module: 'h1:other' });
}

function inputOf({ query, known }: Asked, answer: Uint8Array): Input[] {
  return [formatVerifierKey(log.key), formatBulkQuery(query), known?.note ?? new Uint8Array(), answer];
}

function makeFixed(): Input[][] {
  const asked = askFor(log, 9, 5, [1, 2, 6], 1);
  const twice = log.clone();
  const two = [twice.add('example.com/a', 'v1.0.0'), twice.addText('example.com/a v1.0.0/go.mod h1:x\nexample.com/b v1.0.0 h1:y\n')];
  const wanted = ['a', 'b'].map((name) => ({ module: `example.com/${name}`, version: 'v1.0.0' }));
  const both = (ids: number[], modules = wanted): Asked => ({ ...askFor(twice, twice.size, 0, ids), query: { old: 0, wanted: modules } });
  return [
    ...SIZES.flatMap((size) => [0, 1, size - 1, size].map((old) => askFor(log, size, old, old < size ? [old] : [], 2))).map((each) =>
      inputOf(each, answerTo(each)),
    ),
    // an empty tree; a tree that is older; a fork
    inputOf(askFor(log, 0, 0, [], 1), answerTo(askFor(log, 0, 0, [], 1))),
    inputOf(asked, answerTo(askFor(log, 4, 0, [1, 2], 1))),
    inputOf(asked, answerTo(askFor(fork, 9, 5, [1, 2, 6], 1))),
    inputOf({ ...asked, query: { ...asked.query, wanted: [keyOf(log, 1)] } }, answerTo(asked)),
    // records of several module versions, and several records of one
    ...[both(two), both([two[1]!]), both([two[0]!]), both(two, wanted.slice(0, 1))].map((each) => inputOf(each, answerTo(each))),
  ];
}

export const BULK_ANSWERS: Subject = {
  op: 'bulk',
  slow: true,
  fixed: makeFixed(),
  make: (random) => {
    const seed = makeSeed(random, log, random.pick(SIZES));
    if (random.chance(0.4)) return inputOf(seed.asked, seed.bytes);
    if (random.chance(0.1)) return inputOf(seed.asked, answerTo({ ...seed.asked, log: fork }));
    return inputOf(seed.asked, mutate(random, seed, fork));
  },
  ours: (vkey, question, note, bytes) => {
    const key = parseVerifierKey(textOf(vkey));
    const known = bytesOf(note).length === 0 ? undefined : openTreeHead(bytesOf(note), key);
    try {
      const { head, records, missing } = openBulk(bytesOf(bytes), key, parseBulkQuery(bytesOf(question)), known);
      return [
        'proved',
        String(head.size),
        base64Of(head.hash),
        ...missing.map(({ module, version, status }) => `${module} ${version} ${status}`).sort(),
        ...[...records].map(([name, { id, text }]) => `${name.replace('@', ' ')} ${id} ${base64Of(text)}`).sort(),
      ];
    } catch (error) {
      if (isGosumError(error, 'BULK_OLDER')) return ['older'];
      if (error instanceof ForkError) return ['fork', base64Of(error.evidence.proof.subarray(0, 32))];
      throw error;
    }
  },
  stricter: {},
};
