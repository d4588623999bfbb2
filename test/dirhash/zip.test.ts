/**
 * Zips, honest and hostile, made byte by byte: the h1 that Go gives and the rules that are broken, or a named refusal.
 * Where there is no go command, the h1 is held against the core's arithmetic alone.
 */

import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import t from 'tap';
import { hashZip } from '../../src/dirhash/hashzip.js';
import type { ZipHash } from '../../src/dirhash/result.js';
import { isGosumError } from '../../src/errors.js';
import { buildGoProgram, GO_TIMEOUT } from '../goprogram.js';
import { Random } from '../differential/random.js';
import { HONEST, PREFIX, REFUSED, TAKEN } from './zipcases.js';

const MODULE = { module: 'example.com/m', version: 'v1.2.3' };

/** What Go says: the h1, unless it gives none, and whether it finds all rules kept. */
interface Go {
  readonly h1: string | undefined;
  readonly keeps: boolean;
}

let program: string | undefined;
t.setTimeout(GO_TIMEOUT);
t.before(() => {
  const built = buildGoProgram(t.testdir({}));
  ({ program } = built);
  if ('why' in built) t.comment(`NOT RUN: the comparison with Go, as its program cannot be built: ${built.why}`);
});

/** Go's word on each zip; `undefined` where Go cannot be asked. */
function askGo(zips: readonly Uint8Array[]): (Go | undefined)[] {
  if (program === undefined) return zips.map(() => undefined);
  const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString('base64');
  const input = zips.map((zip) => JSON.stringify({ op: 'hashZip', in: [zip, MODULE.module, MODULE.version].map(base64) })).join('\n');
  const answers = execFileSync(program, { input, encoding: 'utf8', maxBuffer: 2 ** 28 }).trimEnd().split('\n');
  return answers.map((line) => {
    const { ok, out } = JSON.parse(line) as { ok: boolean; out: [string, string] };
    return { h1: ok ? out[0] : undefined, keeps: out[1] === '' };
  });
}

/** The h1 by Node's own means. */
function h1Of(files: readonly (readonly [Uint8Array, Uint8Array])[]): string {
  const sorted = [...files].sort(([a], [b]) => Buffer.compare(a, b));
  const lines = sorted.flatMap(([name, content]) => [Buffer.from(`${hash('sha256', content)}  `), name, Buffer.from('\n')]);
  return `h1:${hash('sha256', Buffer.concat(lines), 'base64')}`;
}

const rulesOf = ({ violations }: ZipHash): string[] => violations.map(({ rule, name }) => `${rule} ${name?.replace(PREFIX, '') ?? ''}`);

t.test('zips that have an h1', async (t) => {
  const answers = askGo(TAKEN.map(({ zip }) => zip));
  for (const [i, { name, zip, files, bytes, rules }] of TAKEN.entries()) {
    await t.test(name, async (t) => {
      const got = await hashZip(new Uint8Array(zip), { module: MODULE });
      const want = { h1: h1Of(files), files: files.length, bytes };
      t.match(got, want);
      t.strictSame(rulesOf(got), rules);
      const go = answers[i];
      if (go !== undefined) t.strictSame(go, { h1: want.h1, keeps: rules.length === 0 }, 'as Go has it');
    });
  }
});

t.test('zips that are refused', async (t) => {
  const answers = askGo(REFUSED.map(({ zip }) => zip));
  for (const [i, { name, zip, code, says, goTakes }] of REFUSED.entries()) {
    await t.test(name, async (t) => {
      await t.rejects(hashZip(new Uint8Array(zip), { module: MODULE }), { name: 'ZipError', code, message: says, zip: 'zip' });
      const go = answers[i];
      if (go !== undefined) t.equal(go.h1 !== undefined, goTakes, goTakes ? 'Go takes it' : 'Go refuses it');
    });
  }
});

t.test('an honest zip, cut at every place', async (t) => {
  const cuts = [...HONEST.keys()].flatMap((at) => [HONEST.subarray(0, at), HONEST.subarray(at + 1)]).filter(({ length }) => length > 0);
  const answers = askGo(cuts);
  for (const [i, cut] of cuts.entries()) {
    // Go takes the end record alone, cut off from the rest, for a zip whose directory is elsewhere: some tails have an h1
    await t.rejects(hashZip(new Uint8Array(cut)), { code: 'ZIP_MALFORMED' }, `${cut.length} bytes`);
    if (i % 2 === 0) t.equal(answers[i]?.h1, undefined, 'Go refuses it too');
  }
});

t.test('an honest zip with random damage: as Go has it, or refused', async (t) => {
  const random = new Random(4);
  const pieces = ['PK\x05\x06', 'PK\x03\x04', '\0', '\xff', PREFIX, HONEST.subarray(0, 60), HONEST.subarray(-40)];
  const flipped = (): Uint8Array => {
    const zip = new Uint8Array(HONEST);
    for (const at of random.many(1, 3, () => random.below(zip.length))) zip[at] = zip[at]! ^ (1 << random.below(8));
    return zip;
  };
  const zips = [
    ...Array.from(HONEST, (_, at) => Uint8Array.from(HONEST, (byte, i) => (i === at ? byte ^ 0xff : byte))),
    ...Array.from({ length: 4000 }, flipped),
    ...Array.from({ length: 1000 }, () => random.mutateBytes(HONEST, pieces)),
  ];
  const answers = askGo(zips);
  const wrong: unknown[] = [];
  let taken = 0;
  let stricter = 0;
  for (const [i, zip] of zips.entries()) {
    const before = Buffer.from(zip);
    const go = answers[i];
    try {
      const ours = await hashZip(zip, { module: MODULE });
      taken++;
      if (go !== undefined && (go.h1 !== ours.h1 || go.keeps !== (ours.violations.length === 0))) wrong.push({ i, go, ours });
    } catch (error) {
      if (!isGosumError(error, 'ZIP_MALFORMED', 'ZIP_LIMIT')) wrong.push({ i, go, error });
      if (go?.h1 !== undefined) stricter++;
    }
    if (!before.equals(zip)) wrong.push({ i, why: 'the bytes were changed' });
  }
  t.strictSame(wrong.slice(0, 5), []);
  t.comment(`of ${zips.length} zips ${taken} taken, ${stricter} refused that Go takes`);
  t.ok(taken > 300 && taken < zips.length / 2, 'some are taken and some are not');
});
