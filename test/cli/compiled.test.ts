/** bin/compiled.js: what V8 compiled is kept beside the code, and is never taken for other code than its own. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import t, { type Test } from 'tap';

interface Loaded {
  readonly exports: { readonly say: () => string; readonly file: string; readonly other: string };
  readonly keep: () => void;
}

/** This file runs as dist/test/cli/compiled.test.js. */
const { loadCompiled } = createRequire(import.meta.url)('../../../bin/compiled.js') as { loadCompiled: (file: string, use: string) => Loaded };

const codeThatSays = (word: string): string =>
  `exports.say = () => '${word}'; exports.file = __filename; exports.other = require('./other.cjs');`;

function place(t: Test): string {
  return path.join(t.testdir({ 'code.cjs': codeThatSays('one'), 'other.cjs': "module.exports = 'another'" }), 'code.cjs');
}

t.test('the same with and without what is kept', (t) => {
  const file = place(t);
  for (const time of ['first', 'second', 'third']) {
    const { exports, keep } = loadCompiled(file, 'say');
    t.strictSame([exports.say(), exports.file, exports.other], ['one', file, 'another'], time);
    keep();
    t.strictSame(readdirSync(path.dirname(file)), ['code.cjs', 'code.cjs.say.v8', 'other.cjs']);
  }
  t.end();
});

t.test('each use has its own', (t) => {
  const file = place(t);
  const first = loadCompiled(file, 'say');
  first.exports.say();
  first.keep();
  const kept = readFileSync(`${file}.say.v8`);
  loadCompiled(file, 'other').keep();
  t.strictSame(readdirSync(path.dirname(file)), ['code.cjs', 'code.cjs.other.v8', 'code.cjs.say.v8', 'other.cjs']);
  t.strictSame(readFileSync(`${file}.say.v8`), kept);
  t.end();
});

t.test('other code of the same length', (t) => {
  const file = place(t);
  const loaded = loadCompiled(file, 'say');
  loaded.exports.say();
  loaded.keep();
  writeFileSync(file, codeThatSays('two'));
  t.equal(loadCompiled(file, 'say').exports.say(), 'two');
  t.end();
});

t.test('what is kept, damaged', (t) => {
  const file = place(t);
  const loaded = loadCompiled(file, 'say');
  loaded.exports.say();
  loaded.keep();
  const kept = readFileSync(`${file}.say.v8`);
  const step = Math.ceil(kept.length / 200);
  for (let at = 0; at < kept.length; at += step) {
    const damaged = Buffer.from(kept);
    damaged[at] = 255 - (damaged[at] ?? 0);
    writeFileSync(`${file}.say.v8`, damaged);
    t.equal(loadCompiled(file, 'say').exports.say(), 'one', `byte ${at}`);
  }
  for (const length of [0, 31, 32, kept.length - 1]) {
    writeFileSync(`${file}.say.v8`, kept.subarray(0, length));
    t.equal(loadCompiled(file, 'say').exports.say(), 'one', `${length} bytes`);
  }
  loadCompiled(file, 'say').keep();
  t.same(readFileSync(`${file}.say.v8`).subarray(32).length > 0, true, 'and it is made anew');
  t.end();
});

t.test('where it cannot be kept', (t) => {
  const file = place(t);
  mkdirSync(`${file}.say.v8`);
  const { exports, keep } = loadCompiled(file, 'say');
  keep();
  t.equal(exports.say(), 'one');
  t.strictSame(readdirSync(path.dirname(file)), ['code.cjs', 'code.cjs.say.v8', 'other.cjs'], 'nothing is left lying about');
  t.end();
});
