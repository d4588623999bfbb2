/** The timeline, as a store keeps it and as it is proved again; and the proof that a log forked. */

import t from 'tap';
import type { TimelineHead } from '../../src/contract.js';
import { accuses, checkFork, ForkError, forkError, formatFork, type ForkProof } from '../../src/core/fork.js';
import { formatHash } from '../../src/core/hash.js';
import { planTiles, type ProvedTree } from '../../src/core/plan.js';
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { hashAtSize, liesUnder, linkedHead, newestHead, Timeline } from '../../src/core/timeline.js';
import { madeUpBytes, TestLog } from '../../src/testing/index.js';

const log = new TestLog().fill(1000);
const fork = log.clone();
log.fill(2000);
while (fork.size < 2000) fork.addText(`example.com/other/${fork.size} v1.0.0 h1:x\n`);

/** The tree of a size of a log, proved with all that earlier heads need. */
function treeOf(of: TestLog, size: number, links: readonly number[] = []): ProvedTree {
  const plan = planTiles(of.treeHead(size), { links });
  return plan.authenticate(plan.tiles.map((tile) => of.tileBytes(tile)));
}

/** A timeline as a store would keep it: each head linked to one of the later ones. */
function chainOf(of: TestLog, links: Readonly<Record<number, number>>, newest: number): TimelineHead[] {
  const heads = Object.entries(links).map(([old, next]) => linkedHead(treeOf(of, next, [Number(old)]), of.signedHead(Number(old))));
  return [...heads, newestHead(treeOf(of, newest), of.signedHead(newest))];
}

// 0 and 3 by two ways to 300; from there to 2000 by 1500
const LINKS = { 0: 3, 3: 10, 10: 300, 256: 300, 300: 1500, 1500: 2000 };
const SIZES = [0, 3, 10, 256, 300, 1500, 2000];

t.test('a tree says what it began with', (t) => {
  const tree = treeOf(log, 2000, [0, 300, 1999, 2000]);
  for (const size of [0, 300, 1999, 2000]) {
    t.same(hashAtSize(tree, size), log.treeHead(size).hash, `size ${size}`);
    t.ok(liesUnder(tree, log.treeHead(size)));
    t.notOk(liesUnder(tree, { size, hash: madeUpBytes('other', 1) }));
  }
  t.notOk(liesUnder(treeOf(log, 300), log.treeHead(301)), 'a greater head');
  t.end();
});

t.test('heads as a store keeps them', (t) => {
  const tree = treeOf(log, 2000, [300]);
  t.same(linkedHead(tree, log.signedHead(300)), {
    ...log.treeHead(300),
    note: log.head(300),
    next: { size: 2000, proof: log.proveTree(300, 2000) },
  });
  t.same(newestHead(tree, log.signedHead()), { ...log.treeHead(), note: log.head() });
  t.throws(() => newestHead(tree, log.signedHead(300)), /not the head/, 'a bug of the caller');
  t.throws(() => linkedHead(treeOf(log, 2000, [1500]), fork.signedHead(1500)), { code: 'PROOF_MISMATCH' });
  t.end();
});

t.test('a timeline holds its heads, by the links that were kept', (t) => {
  const heads = chainOf(log, LINKS, 2000);
  for (const order of [heads, heads.toReversed()]) {
    const timeline = new Timeline(order, log.key);
    t.same(timeline.newest, log.signedHead(2000));
    for (const size of SIZES) t.doesNotThrow(() => timeline.check(log.treeHead(size)), `size ${size}`);
    for (const size of SIZES) t.ok(timeline.holds(log.treeHead(size)), `size ${size} again`);
  }
  t.ok(new Timeline(heads.slice(-1), log.key).holds(log.treeHead()), 'of one head');
  t.end();
});

t.test('what a timeline does not hold', (t) => {
  const heads = chainOf(log, LINKS, 2000);
  const timeline = new Timeline(heads, log.key);
  for (const size of [1, 4, 299, 1000, 1999]) {
    t.throws(() => timeline.check(log.treeHead(size)), { code: 'PROOF_MISMATCH' }, `${size} is not kept`);
  }
  t.throws(() => timeline.check(fork.treeHead(1500)), { code: 'PROOF_MISMATCH' }, 'the fork’s head');
  for (const size of SIZES) {
    const other = { size, hash: madeUpBytes('other', 1) };
    t.notOk(timeline.holds(other), `another tree of ${size}`);
    t.ok(timeline.holds(log.treeHead(size)));
    t.notOk(timeline.holds(other), `another tree of ${size}, once the true one was proved`);
  }
  t.end();
});

t.test('damaged timelines', (t) => {
  const heads = chainOf(log, LINKS, 2000);
  const at = (size: number): number => heads.findIndex((head) => head.size === size);
  const changed = (size: number, change: Partial<TimelineHead>): TimelineHead[] => {
    return heads.with(at(size), { ...heads[at(size)]!, ...change });
  };
  const linked = (size: number, nextSize: number): TimelineHead[] => {
    return changed(size, { next: { size: nextSize, proof: heads[at(size)]!.next!.proof } });
  };
  const proofOf = (size: number): Uint8Array => heads[at(size)]!.next!.proof;
  // [what is kept, head asked for]
  const lost: Record<string, [TimelineHead[], number]> = {
    'a lost link': [heads.filter(({ size }) => size !== 300), 10],
    'a flipped proof': [changed(300, { next: { size: 1500, proof: flip(proofOf(300)) } }), 300],
    'a flipped proof on the way': [changed(300, { next: { size: 1500, proof: flip(proofOf(300)) } }), 3],
    'a proof of one hash less': [changed(300, { next: { size: 1500, proof: proofOf(300).subarray(32) } }), 300],
    'no proof': [changed(300, { next: { size: 1500, proof: new Uint8Array() } }), 300],
    'another hash': [changed(300, { hash: madeUpBytes('other', 1) }), 300],
    'another hash on the way': [changed(300, { hash: madeUpBytes('other', 1) }), 10],
    'a hash of no bytes': [changed(300, { hash: new Uint8Array() }), 300],
    'a link to itself': [linked(300, 300), 300],
    'a link to itself, with the proof of that': [changed(300, { next: { size: 300, proof: new Uint8Array() } }), 300],
    'a link back': [linked(300, 10), 10],
    'a link to what is not there': [linked(300, 999), 300],
    'a link beyond the newest': [linked(300, 3000), 300],
    'a link past its own proof': [linked(300, 2000), 300],
    'a link to no size': [linked(300, NaN), 300],
    'an empty tree with another hash': [changed(0, { hash: madeUpBytes('other', 1) }), 0],
    'a size that is no count': [changed(300, { size: 300.5 }), 300.5],
    'a fork’s head in the place of ours': [changed(1500, fork.treeHead(1500)), 1500],
  };
  for (const [what, [kept, size]] of Object.entries(lost)) {
    const timeline = new Timeline(kept, log.key);
    const { hash } = kept.find((head) => head.size === size) ?? log.treeHead(size);
    t.throws(() => timeline.check({ size, hash }), { code: 'PROOF_MISMATCH' }, what);
    t.ok(timeline.holds(log.treeHead()), 'the newest stands by itself');
  }
  const newest = heads.at(-1)!;
  const refused: Record<string, [TimelineHead[], string]> = {
    'nothing': [[], 'PROOF_MISMATCH'],
    'no newest head': [heads.slice(0, -1), 'PROOF_MISMATCH'],
    'two newest heads': [[...heads, { ...log.treeHead(1999), note: log.head(1999) }], 'PROOF_MISMATCH'],
    'a newest head of another size': [heads.with(-1, { ...newest, size: 1999 }), 'PROOF_MISMATCH'],
    'a newest head of another hash': [heads.with(-1, { ...newest, hash: madeUpBytes('x', 1) }), 'PROOF_MISMATCH'],
    'a newest head with an older note': [heads.with(-1, { ...newest, note: log.head(1999) }), 'PROOF_MISMATCH'],
    'a newest head that the log did not sign': [heads.with(-1, { ...newest, note: altered(newest.note) }), 'SIGNATURE_INVALID'],
    'another key': [heads.with(-1, { ...newest, note: new TestLog('x').head(0) }), 'SIGNATURE_UNKNOWN'],
    'no note': [heads.with(-1, { ...newest, note: new Uint8Array() }), 'NOTE_MALFORMED'],
  };
  for (const [what, [kept, code]] of Object.entries(refused)) t.throws(() => new Timeline(kept, log.key), { code }, what);
  t.end();
});

t.test('a second head of one size cannot pass for the first', (t) => {
  // the forger's own tree of 2000, which nobody signed, and under it a head that the log signed for others
  const forged = { ...fork.treeHead(2000), note: log.head(), next: { size: 3000, proof: new Uint8Array() } };
  const under = { ...fork.treeHead(1500), note: fork.head(1500), next: { size: 2000, proof: fork.proveTree(1500, 2000) } };
  const newest = { ...log.treeHead(), note: log.head() };
  for (const heads of [[newest, forged, under], [forged, newest, under]]) {
    t.throws(() => new Timeline(heads, log.key), { code: 'PROOF_MISMATCH' });
  }
  t.end();
});

t.test('a fork is proved, and anybody can check it', (t) => {
  const cases: [what: string, newer: TestLog, newerSize: number, older: TestLog, olderSize: number][] = [
    ['an older head of the fork', log, 2000, fork, 1500],
    ['an older head of ours, the newest of the fork', fork, 1800, log, 1200],
    ['two heads of one size', log, 1500, fork, 1500],
    ['the first record that differs', log, 2000, fork, 1001],
    ['a complete subtree', log, 2000, fork, 1024],
  ];
  for (const [what, newer, newerSize, older, olderSize] of cases) {
    const tree = treeOf(newer, newerSize, [olderSize]);
    const error = forkError(tree, newer.signedHead(newerSize), older.signedHead(olderSize));
    t.ok(error instanceof ForkError);
    t.equal(error.code, 'FORK');
    t.same(error.evidence.older, older.head(olderSize));
    t.same(error.evidence.newer, newer.head(newerSize));
    t.doesNotThrow(() => checkFork(error.evidence, log.key), what);
  }
  t.throws(() => forkError(treeOf(log, 2000, [1000]), log.signedHead(), fork.signedHead(1000)), /no fork/, 'a bug of the caller');
  t.end();
});

t.test('what proves no fork', (t) => {
  const { evidence: truth } = forkError(treeOf(log, 2000, [1500]), log.signedHead(), fork.signedHead(1500));
  t.doesNotThrow(() => checkFork(truth, log.key), 'the form of the list');
  const honest = { older: log.head(1500), newer: log.head(), proof: concatBytes(log.treeHead(1500).hash, log.proveTree(1500)) };
  const accused = { ...honest, proof: concatBytes(fork.treeHead(1500).hash, log.proveTree(1500)) };
  const unsigned = new TestLog('x').fill(3);
  const cases: Record<string, [ForkProof, string]> = {
    'two heads that agree': [honest, 'PROOF_MISMATCH'],
    'two heads that agree, and a made-up beginning': [accused, 'PROOF_MISMATCH'],
    'one head twice': [{ older: log.head(), newer: log.head(), proof: log.treeHead().hash }, 'PROOF_MISMATCH'],
    'one head twice, and a made-up beginning': [
      { older: log.head(), newer: log.head(), proof: fork.treeHead().hash },
      'PROOF_MISMATCH',
    ],
    'the two exchanged': [{ ...truth, older: truth.newer, newer: truth.older }, 'PROOF_MISMATCH'],
    'an empty tree': [{ older: log.head(0), newer: log.head(), proof: log.treeHead(0).hash }, 'PROOF_MISMATCH'],
    'an empty tree, and another one': [{ older: log.head(0), newer: log.head(), proof: log.treeHead(1).hash }, 'PROOF_MISMATCH'],
    'no proof': [{ ...truth, proof: new Uint8Array() }, 'PROOF_MISMATCH'],
    'no proof, of one size': [{ older: fork.head(2000), newer: log.head(), proof: new Uint8Array() }, 'PROOF_MISMATCH'],
    'a beginning alone': [{ ...truth, proof: truth.proof.subarray(0, 32) }, 'PROOF_MISMATCH'],
    'a proof of a hash less': [{ ...truth, proof: truth.proof.subarray(0, -32) }, 'PROOF_MISMATCH'],
    'a proof of a hash more': [{ ...truth, proof: concatBytes(truth.proof, madeUpBytes('x', 1)) }, 'PROOF_MISMATCH'],
    'a proof of a byte more': [{ ...truth, proof: concatBytes(truth.proof, Uint8Array.of(0)) }, 'PROOF_MISMATCH'],
    'an older head that the log did not sign': [{ ...truth, older: altered(truth.older) }, 'SIGNATURE_INVALID'],
    'a newer head that the log did not sign': [{ ...truth, newer: altered(truth.newer) }, 'SIGNATURE_INVALID'],
    'an older head of another log': [{ ...truth, older: unsigned.head() }, 'SIGNATURE_UNKNOWN'],
    'a newer head of another log': [{ ...truth, newer: unsigned.head() }, 'SIGNATURE_UNKNOWN'],
  };
  for (const [what, [evidence, code]] of Object.entries(cases)) t.throws(() => checkFork(evidence, log.key), { code }, what);
  const passed: number[] = [];
  for (let at = 0; at < truth.proof.length; at++) {
    const proof = truth.proof.slice();
    proof[at]! ^= 1 << (at % 8);
    try {
      checkFork({ ...truth, proof }, log.key);
      passed.push(at);
    } catch {
      // refused
    }
  }
  t.same(passed, [], 'every byte of the proof counts');
  t.end();
});

t.test('kept evidence accuses the log of its key, where it proves a fork', (t) => {
  const { evidence } = forkError(treeOf(log, 2000, [1500]), log.signedHead(), fork.signedHead(1500));
  const kept = { key: log.vkey, foundAt: '2026-01-02T03:04:05Z', ...evidence };
  const other = new TestLog('other.example');
  t.ok(accuses(kept, log.key));
  t.notOk(accuses(kept, other.key), 'of another log');
  t.notOk(accuses({ ...kept, key: other.vkey }, log.key), 'kept as that of another log');
  t.notOk(accuses({ ...kept, key: other.vkey }, other.key), 'signed by another log');
  t.notOk(accuses({ ...kept, proof: flip(kept.proof) }, log.key), 'a proof that is none');
  t.notOk(accuses({ ...kept, newer: new Uint8Array() }, log.key), 'what is no note');
  t.end();
});

t.test('the evidence in cmd/go’s form', (t) => {
  const newer = new TestLog().fill(5);
  const older = new TestLog();
  for (const name of ['a', 'b', 'c']) older.add(`example.com/${name}`, 'v1.0.0');
  const { evidence } = forkError(treeOf(newer, 5, [3]), newer.signedHead(), older.signedHead());
  const lines = (note: Uint8Array): string[] => decodeUtf8(note).split('\n');
  const [, , oldHash = '', , oldSignature = ''] = lines(evidence.older);
  const [, , newHash = '', , newSignature = ''] = lines(evidence.newer);
  t.equal(
    formatFork(evidence),
    [
      'SECURITY ERROR',
      'go.sum database server misbehavior detected!',
      '',
      'old database:',
      '\tgo.sum database tree',
      '\t3',
      `\t${oldHash}`,
      '\t',
      `\t${oldSignature}`,
      '\t',
      'new database:',
      '\tgo.sum database tree',
      '\t5',
      `\t${newHash}`,
      '\t',
      `\t${newSignature}`,
      '\t',
      'proof of misbehavior:',
      `\t${formatHash(newer.treeHead(3).hash)}`,
      ...[newer.read(0, 2), newer.read(0, 3), newer.read(1, 0), newer.read(0, 4)].map((hash) => `\t${formatHash(hash)}`),
    ].join('\n'),
  );
  t.end();
});

/** A note whose size was changed, with the signature that it had. */
function altered(note: Uint8Array): Uint8Array {
  return encodeUtf8(decodeUtf8(note).replace(/\n([0-9]+)\n/, '\n1$1\n'));
}

function flip(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[bytes.length - 10]! ^= 1;
  return copy;
}
