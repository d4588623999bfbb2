/** The check of packs tells of them what a sync has made of their records. */

import t from 'tap';
import { leavesOf } from '../../src/core/leaves.js';
import { formatH1 } from '../../src/core/h1.js';
import { decodeUtf8, encodeUtf8, joinBytes } from '../../src/core/text.js';
import { DATA_LEVEL } from '../../src/core/tile.js';
import { madeUpBytes, madeUpHash, TestLog } from '../../src/testing/index.js';
import { checkJob, checkPacks, type CheckedPacks } from '../../src/whole/check.js';
import { KeyHash, newSalt } from '../../src/whole/key.js';
import { packRecords, unpackRecords } from '../../src/whole/pack.js';
import { pathTexts } from '../../src/whole/pathbytes.js';
import { openTilePool, workHere } from '../../src/whole/pool.js';
import { workLeaves, workTile } from '../../src/whole/work.js';

const [salt, printSalt] = [newSalt(), newSalt()];
const hash = new KeyHash(salt);

/** A log with a full tile of usual records, one with odd ones, and a partial one. */
function newLog(): TestLog {
  const log = new TestLog();
  for (let i = 0; i < 256; i++) log.add(`example.com/m${i % 50}`, `v1.${i}.0-rc.1`);
  log.addText(`example.com/odd v1.0.0 ${madeUpHash('odd')}\n`);
  log.addText(`example.com/a v1.0.0 h1:x\nexample.com/b v1.0.0 h1:y\n`);
  for (let i = 0; i < 300; i++) log.add(`example.com/n${i}`, `v1.${i}.0`);
  return log;
}

t.test('of several packs at once, here and in a thread', async (t) => {
  const log = newLog();
  const works = [256, 256, 46].map((width, n) => workTile({ kind: 'tile', n, width, bytes: log.tileBytes({ level: DATA_LEVEL, n, width }) }, hash));
  const job = checkJob(works, printSalt);
  const pool = openTilePool(1, salt);
  const checks = [checkPacks(job, hash), await workHere(salt).check(job), await pool.check(job)];
  await pool.close();
  const printer = new KeyHash(printSalt);
  const printOf = (path: string): string => {
    const print = new Uint32Array(2);
    printer.printText(path, print, 0);
    return String(print);
  };
  for (const checked of checks) {
    let [nodesFrom, from] = [0, 0];
    for (const [i, { nodesEnd, entriesEnd, failure }] of checked.packs.entries()) {
      const { nodes, entries, modules } = works[i]!;
      t.equal(failure, undefined);
      t.strictSame(checked.nodes.subarray(nodesFrom, nodesEnd), nodes);
      t.strictSame(checked.pages.slice(from, entriesEnd), entries.pages);
      t.strictSame(checked.words.slice(2 * from, 2 * entriesEnd), entries.words);
      t.strictSame(new Set(printsOf(checked, from, entriesEnd)), new Set(pathTexts(modules.bytes).map(printOf)));
      [nodesFrom, from] = [nodesEnd, entriesEnd];
    }
    t.strictSame(checked.packs.map(({ flaws }) => flaws.map(({ id, code }) => [id, code])), [[], [[256, 'RECORD_MALFORMED'], [257, 'HASH_UNKNOWN']], []]);
  }
});

t.test('what is no pack fails by itself', (t) => {
  const parts = packRecords([encodeUtf8(`example.com/a v1.0.0 ${madeUpHash('a')}\nexample.com/a v1.0.0/go.mod ${madeUpHash('b')}\n`)]);
  const job = checkJob([{ n: 0, width: 1, parts }, { n: 1, width: 2, parts }, { n: 2, width: 1, parts: parts.map((part) => part.slice(0, -1)) }, { n: 2 ** 24, width: 1, parts }, { n: 3, width: 1, parts }], printSalt);
  const { packs, pages, nodes } = checkPacks(job, hash);
  t.strictSame(packs.map(({ failure }) => failure?.code), [undefined, 'RECORD_MALFORMED', 'RECORD_MALFORMED', 'STORE_FAILED', undefined]);
  t.strictSame([packs.map(({ entriesEnd }) => entriesEnd), pages.length, nodes.length], [[1, 1, 1, 1, 2], 2, 64]);
  t.end();
});

t.test('of a pack that fails in a later part nothing is told', (t) => {
  const texts = Array.from({ length: 130 }, (_, i) => encodeUtf8(`example.com/m${i} v1.0.0 ${madeUpHash('a')}\nexample.com/m${i} v1.0.0/go.mod ${madeUpHash('b')}\n`));
  const parts = packRecords(texts);
  const packs = [parts.with(1, Uint8Array.of(1)), parts.toReversed(), parts].map((each, n) => ({ n, width: 130, parts: each }));
  const checked = checkPacks(checkJob(packs, printSalt), hash);
  t.strictSame(checked.packs.map(({ failure, entriesEnd }) => [failure?.code, entriesEnd]), [['RECORD_MALFORMED', 0], ['RECORD_MALFORMED', 0], [undefined, 130]]);
  t.strictSame([...checked.words].filter((_, i) => i % 2 === 0), Array.from({ length: 130 }, (_, i) => 512 + i), 'the numbers go on from part to part');
  t.end();
});

t.test('a pack that says of names with spaces that they are usual', (t) => {
  // no pack of ours is made so: it must not have other entries than its records
  for (const name of ['example.com/a bb v1.0.0', 'example.com/a v1.0.0 ', 'example.com/a  v1.0.0']) {
    const hashes = madeUpBytes('both', 2);
    // in the code of names each of these letters may stand for itself
    const part = joinBytes([Uint8Array.of(1, 0, name.length), hashes, encodeUtf8(name)]);
    const [text = new Uint8Array()] = unpackRecords([part]);
    const [a, b] = [formatH1(hashes.subarray(0, 32)), formatH1(hashes.subarray(32))];
    t.equal(decodeUtf8(text), `${name} ${a}\n${name}/go.mod ${b}\n`);
    const { entries } = workLeaves(0, leavesOf([text]), hash);
    const { pages, words, packs } = checkPacks(checkJob([{ n: 0, width: 1, parts: [part] }], printSalt), hash);
    t.strictSame([pages, words, packs[0]!.flaws.length], [entries.pages, entries.words, 1]);
  }
  t.end();
});

function printsOf({ prints }: CheckedPacks, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(prints.slice(2 * (from + i), 2 * (from + i + 1))));
}
