/** Verdicts on a module cache, over a real client, a served test log and real files. */

import { appendFileSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import type { Test } from 'tap';
import { parseGoSum } from '../../src/core/gosum.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { GosumError } from '../../src/errors.js';
import { checkOfCache, type CacheCheck, type CacheOptions } from '../../src/modcache/check.js';
import { findInCache, listCache } from '../../src/modcache/layout.js';
import { TestLog } from '../../src/testing/index.js';
import { runChecks } from '../../src/verify/run.js';
import type { Verdict, VerifyRun } from '../../src/verify/verdict.js';
import { newRig, sourceOf } from '../client/rig.js';
import { SumDB } from '../../src/client/sumdb.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { withMoreTime } from '../wait.js';
import { drop, h1Of, layOut, linesOf, madeModule, pathsOf, put, record, storedZip, zipOf, type MadeModule } from './cache.js';

const PUBLIC = madeModule('example.com/Pub', 'v1.2.0-RC1');
const PRIVATE = madeModule('corp.example/priv');
const OLD: MadeModule = { module: 'example.com/old', version: 'v2.0.0+incompatible', files: { 'a.go': 'package old\n' } };
/** What a poisoner puts in their place. */
const evil = (made: MadeModule): MadeModule => ({ ...made, files: { ...made.files, 'a.go': 'package evil\n' } });

const skippedBy = (module: string): string | undefined => (module.startsWith('corp.example') ? 'corp.example' : undefined);

const log = new TestLog();
for (const made of [PUBLIC, OLD]) record(log.fill(log.size + 50), made);
const rig = await newRig(log.fill(300));
t.teardown(() => rig.close());

async function runOf(folder: string, options: CacheOptions = {}): Promise<VerifyRun> {
  const source = await sourceOf(rig.served, log);
  const check = await checkOfCache(folder, { skippedBy, ...options });
  try {
    const db = new SumDB({ key: log.key, source, store: openMemoryStore() });
    return { ...(await runChecks(db, [check])), modcache: check.counts };
  } finally {
    await source.close();
  }
}

/** `<part> status CODE` of each result, the part being the file's name behind the version. */
function outcomes({ results }: { results: readonly Verdict[] }): string[] {
  return results.map(({ file, status, code }) => [partOf(file), status, code].filter(Boolean).join(' '));
}

function partOf(file: string): string {
  return file.startsWith('cache/download/') ? file.slice(file.lastIndexOf('.') + 1) : 'folder';
}

function newCache(t: Test, ...modules: readonly MadeModule[]): string {
  const folder = t.testdir({});
  for (const made of modules) layOut(folder, made);
  return folder;
}

t.test('a good cache is verified, private modules by their files alone', async (t) => {
  const folder = newCache(t, PUBLIC, OLD, PRIVATE);
  rig.asked();
  const run = await runOf(folder);
  t.equal(run.exitCode, 0);
  t.same(
    run.results.map(({ file, status, kind, line, hash }) => [file, status, kind, line, hash.slice(0, 3)]),
    [
      ['cache/download/corp.example/priv/@v/v1.0.0.zip', 'skipped', 'module', undefined, 'h1:'],
      ['cache/download/corp.example/priv/@v/v1.0.0.ziphash', 'skipped', 'module', undefined, 'h1:'],
      ['corp.example/priv@v1.0.0', 'skipped', 'module', undefined, 'h1:'],
      ['cache/download/corp.example/priv/@v/v1.0.0.mod', 'skipped', 'go.mod', undefined, 'h1:'],
      ['cache/download/example.com/!pub/@v/v1.2.0-!r!c1.zip', 'verified', 'module', undefined, 'h1:'],
      ['cache/download/example.com/!pub/@v/v1.2.0-!r!c1.ziphash', 'verified', 'module', undefined, 'h1:'],
      ['example.com/!pub@v1.2.0-!r!c1', 'verified', 'module', undefined, 'h1:'],
      ['cache/download/example.com/!pub/@v/v1.2.0-!r!c1.mod', 'verified', 'go.mod', undefined, 'h1:'],
      ['cache/download/example.com/old/@v/v2.0.0+incompatible.zip', 'verified', 'module', undefined, 'h1:'],
      ['cache/download/example.com/old/@v/v2.0.0+incompatible.ziphash', 'verified', 'module', undefined, 'h1:'],
      ['example.com/old@v2.0.0+incompatible', 'verified', 'module', undefined, 'h1:'],
      ['cache/download/example.com/old/@v/v2.0.0+incompatible.mod', 'verified', 'go.mod', undefined, 'h1:'],
    ],
  );
  t.match(run.results[0]?.message, 'corp.example');
  t.notMatch(rig.asked().join(), 'corp', 'a private name never leaves');
  t.match(run.modcache, { folder, modules: 3, zips: 3, folders: 3, goMods: 3, zipOnly: 0, folderOnly: 0, goModOnly: 0, unfinished: 0 });
});

interface Poisoning {
  readonly name: string;
  readonly poison: (cache: string, made: MadeModule, paths: ReturnType<typeof pathsOf>) => void;
  /** What is found, of zip, ziphash, folder and go.mod, where the log speaks. */
  readonly public: readonly string[];
  /** Where it does not. */
  readonly private: readonly string[];
}

const V = { zip: 'zip verified', ziphash: 'ziphash verified', folder: 'folder verified', mod: 'mod verified' };
const S = { zip: 'zip skipped', ziphash: 'ziphash skipped', folder: 'folder skipped', mod: 'mod skipped' };
const skipped = (text: string): string => `${text} SKIPPED_PRIVATE`;
const P = { zip: skipped(S.zip), ziphash: skipped(S.ziphash), folder: skipped(S.folder), mod: skipped(S.mod) };
const wrong = (part: string): string => `${part} mismatch HASH_MISMATCH`;
const clash = (part: string): string => `${part} conflict FILES_CONFLICT`;
const CLASHES = [clash('zip'), clash('ziphash'), clash('folder')];

const POISONINGS: readonly Poisoning[] = [
  {
    name: 'another zip',
    poison: (cache, made, { zip }) => put(cache, zip, zipOf(evil(made))),
    public: [wrong('zip'), V.ziphash, V.folder, V.mod],
    private: [...CLASHES, P.mod],
  },
  {
    name: 'another zip, and its hash beside it',
    poison: (cache, made) => layOut(cache, evil(made), ['zip', 'ziphash']),
    public: [wrong('zip'), wrong('ziphash'), V.folder, V.mod],
    private: [...CLASHES, P.mod],
  },
  {
    name: 'another hash',
    poison: (cache, made, { ziphash }) => put(cache, ziphash, h1Of(evil(made))),
    public: [V.zip, wrong('ziphash'), V.folder, V.mod],
    private: [...CLASHES, P.mod],
  },
  {
    name: 'an empty hash',
    poison: (cache, _made, { ziphash }) => put(cache, ziphash, ''),
    public: [V.zip, wrong('ziphash'), V.folder, V.mod],
    private: [...CLASHES, P.mod],
  },
  {
    name: 'a changed file in the folder',
    poison: (cache, _made, { folder }) => put(cache, `${folder}/b/b.go`, 'package evil\n'),
    public: [V.zip, V.ziphash, wrong('folder'), V.mod],
    private: [...CLASHES, P.mod],
  },
  {
    name: 'one file more in the folder',
    poison: (cache, _made, { folder }) => put(cache, `${folder}/b/init.go`, 'package b\n'),
    public: [V.zip, V.ziphash, wrong('folder'), V.mod],
    private: [...CLASHES, P.mod],
  },
  {
    name: 'one file less in the folder',
    poison: (cache, _made, { folder }) => drop(cache, `${folder}/a.go`),
    public: [V.zip, V.ziphash, wrong('folder'), V.mod],
    private: [...CLASHES, P.mod],
  },
  {
    name: 'a link that leads nowhere in the folder',
    poison: (cache, _made, { folder }) => symlinkSync('nowhere', path.join(cache, folder, 'c.go')),
    public: [V.zip, V.ziphash, clash('folder'), V.mod],
    private: [P.zip, P.ziphash, clash('folder'), P.mod],
  },
  {
    name: 'a link to a folder in the folder',
    poison: (cache, _made, { folder }) => symlinkSync('..', path.join(cache, folder, 'b', 'up')),
    public: [V.zip, V.ziphash, clash('folder'), V.mod],
    private: [P.zip, P.ziphash, clash('folder'), P.mod],
  },
  {
    name: 'a folder that is a link to another one',
    poison: (cache, _made, { folder }) => {
      renameSync(path.join(cache, folder), path.join(cache, 'elsewhere'));
      symlinkSync(path.join(cache, 'elsewhere'), path.join(cache, folder));
    },
    public: [V.zip, V.ziphash, clash('folder'), V.mod],
    private: [P.zip, P.ziphash, clash('folder'), P.mod],
  },
  {
    name: 'another go.mod',
    poison: (cache, made, { mod }) => put(cache, mod, `module ${made.module}\n\nrequire evil.example/x v1.0.0\n`),
    public: [V.zip, V.ziphash, V.folder, wrong('mod')],
    private: [P.zip, P.ziphash, P.folder, clash('mod')],
  },
  {
    name: 'a zip cut short',
    poison: (cache, made, { zip }) => put(cache, zip, zipOf(made).subarray(0, -5)),
    public: ['zip mismatch ZIP_MALFORMED', V.ziphash, V.folder, V.mod],
    private: ['zip mismatch ZIP_MALFORMED', P.ziphash, P.folder, P.mod],
  },
  {
    name: 'an empty zip',
    poison: (cache, _made, { zip }) => put(cache, zip, ''),
    public: ['zip mismatch ZIP_MALFORMED', V.ziphash, V.folder, V.mod],
    private: ['zip mismatch ZIP_MALFORMED', P.ziphash, P.folder, P.mod],
  },
  {
    name: 'the zip of another module version',
    poison: (cache, made, { zip }) => put(cache, zip, zipOf({ ...made, version: 'v9.0.0' })),
    public: [wrong('zip'), V.ziphash, V.folder, V.mod],
    private: ['zip mismatch ZIP_RULES', clash('ziphash'), clash('folder'), P.mod],
  },
  {
    name: 'no hash',
    poison: (cache, _made, { ziphash }) => drop(cache, ziphash),
    public: [V.zip, V.folder, V.mod, clash('ziphash')],
    private: [P.zip, P.folder, P.mod, clash('ziphash')],
  },
  {
    name: 'another version in the .info',
    poison: (cache, _made, { info }) => put(cache, info, '{"Version":"v0.0.1","Time":"2020-01-02T03:04:05Z"}'),
    public: [V.zip, V.ziphash, V.folder, V.mod, clash('info')],
    private: [P.zip, P.ziphash, P.folder, P.mod, clash('info')],
  },
  {
    name: 'a folder in the place of the zip',
    poison: (cache, _made, { zip }) => {
      drop(cache, zip);
      mkdirSync(path.join(cache, zip));
    },
    public: ['zip error FILE_FAILED', V.ziphash, V.folder, V.mod],
    private: ['zip error FILE_FAILED', P.ziphash, P.folder, P.mod],
  },
];

for (const which of ['public', 'private'] as const) {
  t.test(`poisonings of a ${which} module`, async (t) => {
    const made = which === 'public' ? PUBLIC : PRIVATE;
    const paths = pathsOf(made);
    const good = new Set<string>([...Object.values(V), ...Object.values(P)]);
    for (const { name, poison, [which]: expected } of POISONINGS) {
      await t.test(name, async (t) => {
        const folder = newCache(t, made, which === 'public' ? PRIVATE : PUBLIC);
        poison(folder, made, paths);
        const run = await runOf(folder);
        const found = run.results.filter(({ module }) => module === made.module);
        t.same(outcomes({ results: found }), expected);
        t.equal(run.exitCode, expected.some((each) => each.includes(' error ')) ? 2 : 1);
        t.equal(run.results.length - found.length, 4);
        t.ok(run.results.filter((each) => !found.includes(each)).every(({ status }) => status === 'verified' || status === 'skipped'), 'nothing else');
        for (const verdict of found) {
          const { file, status, hint, remove, hash, expected: logged } = verdict;
          const bad = !good.has(outcomes({ results: [verdict] })[0]!);
          const isMissing = status === 'conflict' && name === 'no hash';
          t.equal(remove?.includes(file) ?? false, bad && status !== 'error' && !isMissing, `${file}: to be deleted`);
          if (bad && status !== 'error') t.ok(hint, `${file}: what to do`);
          if (status === 'mismatch' && hash !== '') t.equal(logged !== undefined, which === 'public', 'the log’s hash beside the file’s');
        }
      });
    }
  });
}

t.test('a go.mod that is not the one inside: both may be the wrong one', async (t) => {
  const folder = newCache(t, PRIVATE);
  const { zip, ziphash, folder: extracted, mod } = pathsOf(PRIVATE);
  put(folder, mod, 'module corp.example/priv\n\ngo 1.99\n');
  const { results } = await runOf(folder);
  t.same(results.map(({ remove }) => remove), [undefined, undefined, undefined, [zip, ziphash, extracted, mod]]);
});

t.test('what the go command reads all the same', async (t) => {
  const folder = newCache(t, PUBLIC);
  const { ziphash, info } = pathsOf(PUBLIC);
  put(folder, ziphash, `\n${h1Of(PUBLIC)} \n`);
  for (const text of ['', 'null', '[]', '{}', '{"Version":1}', '{"Version":']) {
    put(folder, info, text);
    t.equal((await runOf(folder)).exitCode, 0, JSON.stringify(text));
  }
});

t.test('what agrees with the log though the parts differ is no finding', async (t) => {
  // The log has a go.mod that is not the zip's, as for modules of before the go.mod files: it is the log that counts.
  const odd = madeModule('example.com/odd');
  log.addText(`example.com/odd v1.0.0 ${h1Of(odd)}\n${linesOf({ ...odd, files: {} }).split('\n')[1]!}\n`);
  const folder = newCache(t, odd);
  put(folder, pathsOf(odd).mod, 'module example.com/odd\n');
  t.equal((await runOf(folder)).exitCode, 0);
});

t.test('the rules of zips are a check of their own', async (t) => {
  // The log has the hash of a zip that no go command would extract.
  const bad = madeModule('example.com/bad', 'v1.0.0', { 'A.go': 'package a\n', '../x.go': 'package x\n' });
  record(log, bad);
  const folder = t.testdir({});
  layOut(folder, bad, ['zip', 'ziphash', 'mod']);
  const run = await runOf(folder);
  t.same(outcomes(run), ['zip mismatch ZIP_RULES', V.ziphash, V.mod]);
  t.match(run.results[0]?.message, /example\.com\/bad@v1\.0\.0\/.*\(and [0-9]+ more\)$/);
  t.equal(run.exitCode, 1);
  // A name with a newline could pass for two files: no hash at all.
  put(folder, pathsOf(bad).zip, storedZip([['example.com/bad@v1.0.0/a\nb', '']]));
  t.match(outcomes(await runOf(folder))[0], /^zip mismatch (H1|ZIP)_MALFORMED$/);
});

t.test('parts that may be missing', async (t) => {
  const folder = t.testdir({});
  layOut(folder, PUBLIC, ['zip', 'ziphash', 'mod', 'lock']);
  layOut(folder, OLD, ['folder', 'ziphash']);
  layOut(folder, PRIVATE, ['mod', 'info']);
  const run = await runOf(folder);
  t.equal(run.exitCode, 0);
  t.same(outcomes(run), [P.mod, V.zip, V.ziphash, V.mod, V.ziphash, V.folder]);
  t.match(run.modcache, { modules: 3, zips: 1, folders: 1, goMods: 2, zipOnly: 1, folderOnly: 1, goModOnly: 1 });

  const asked = madeModule('example.com/asked');
  layOut(folder, asked, ['info', 'lock']);
  rig.asked();
  t.equal((await runOf(folder)).modcache?.modules, 3, 'a name alone is nothing to check');
  t.notMatch(rig.asked().join(), 'example.com/asked');
  put(folder, pathsOf(asked).info, '{"Version":"v9.0.0"}');
  t.ok(outcomes(await runOf(folder)).includes(clash('info')), 'but for what the go command would make of it');
  drop(folder, pathsOf(asked).info);

  layOut(folder, OLD, ['partial']);
  put(folder, `${pathsOf(OLD).folder}/half`, 'half of it');
  const unfinished = await runOf(folder);
  t.same(outcomes(unfinished), [P.mod, V.zip, V.ziphash, V.mod, V.ziphash], 'a folder that is being extracted is not used');
  t.match(unfinished.modcache, { unfinished: 1, folders: 0 });
});

t.test('a go.mod beside a private module that has none', async (t) => {
  const old: MadeModule = { ...OLD, module: 'corp.example/old' };
  const cases: [text: string, good: boolean][] = [
    ['module corp.example/old\n', true],
    ['module "corp.example/old"\n', true],
    ['// Deprecated\n\nmodule  `corp.example/old` // as it is', true],
    ['//vgo 0.0.4\n\nmodule corp.example/old\nrequire example.com/x v1.0.0\n', true],
    ['module corp.example/other\n', false],
    ['module corp.example/old\nrequire evil.example/x v1.0.0\n', false],
    ['', false],
  ];
  for (const [text, good] of cases) {
    for (const parts of [['zip', 'ziphash'], ['folder', 'ziphash']] as const) {
      const folder = t.testdir({});
      layOut(folder, old, parts);
      put(folder, pathsOf(old).mod, text);
      t.equal((await runOf(folder, { lines: undefined })).exitCode, good ? 2 : 1, `${JSON.stringify(text)}, with a ${parts[0]}`);
    }
  }
});

t.test('a private module is held against the lines that are given', async (t) => {
  const folder = newCache(t, PUBLIC, PRIVATE, OLD);
  const linesFrom = (text: string): CacheOptions => ({ lines: parseGoSum(encodeUtf8(text), 'go.sum') });
  const good = await runOf(folder, linesFrom(linesOf(PRIVATE)));
  t.same(outcomes(good), [P.zip, P.ziphash, P.folder, P.mod], 'and nothing else is looked at');
  t.equal(good.modcache?.modules, 1);

  const other = evil({ ...PRIVATE, files: { ...PRIVATE.files, 'go.mod': 'module corp.example/priv\n\ngo 1.22\n' } });
  const run = await runOf(folder, linesFrom(linesOf(other)));
  t.same(outcomes(run), [...CLASHES, clash('mod')]);
  t.match(run.results[0]?.message, h1Of(other));
  t.equal(run.exitCode, 1);

  layOut(folder, other, ['zip']);
  t.same(outcomes(await runOf(folder, linesFrom(linesOf(PRIVATE)))), [clash('zip'), P.ziphash, P.folder, P.mod], 'the lines say which is right');
  const both = await runOf(folder, linesFrom(linesOf(PRIVATE) + linesOf(other)));
  t.same(outcomes(both), [...CLASHES, clash('mod')], 'lines in conflict say nothing: zip and folder have another go.mod');
  t.same((await runOf(folder, linesFrom('example.com/none v1.0.0 h1:x\n'))).results, []);

  // What is no known sum to the go command holds nothing to anything, and the path of a dropped line may be no path.
  layOut(folder, PRIVATE);
  const empty = 'h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=';
  const { module, version } = PRIVATE;
  const lines = `${module} ${version} h2:x\n${module} ${version}/go.mod ${empty}\nNo!path v1/go.mod ${empty}\n`;
  t.same(outcomes(await runOf(folder, linesFrom(lines))), [P.zip, P.ziphash, P.folder, P.mod]);
});

t.test('the log has not, or cannot be asked', async (t) => {
  const unknown = madeModule('example.com/unknown');
  const folder = newCache(t, unknown);
  const missing = await runOf(folder);
  t.same(outcomes(missing), ['zip', 'ziphash', 'folder', 'mod'].map((part) => `${part} missing NOT_FOUND`));
  t.equal(missing.exitCode, 4);
  put(folder, `${pathsOf(unknown).folder}/a.go`, 'package evil\n');
  const poisoned = await runOf(folder);
  t.same(outcomes(poisoned), [...CLASHES, 'mod missing NOT_FOUND'], 'what the files say goes before what the log does not');
  t.equal(poisoned.exitCode, 1);

  const offline = new SumDB({ key: log.key, store: openMemoryStore() });
  const run = await runChecks(offline, [await checkOfCache(newCache(t, PUBLIC), {})]);
  t.same(outcomes(run), ['zip', 'ziphash', 'folder', 'mod'].map((part) => `${part} error OFFLINE`));
  t.equal(run.exitCode, 3);
});

t.test('what the go command makes of some folders', async (t) => {
  const toolchain = madeModule('golang.org/toolchain', 'v0.0.1-go1.99.0.linux-amd64', {
    'src/_go.mod': 'module std\n',
    'src/cmd/_go.mod': 'module cmd\n',
  });
  record(log, toolchain);
  const folder = t.testdir({});
  layOut(folder, toolchain, ['zip', 'ziphash', 'folder']);
  const { folder: extracted } = pathsOf(toolchain);
  for (const name of ['src', 'src/cmd']) put(folder, `${extracted}/${name}/go.mod`, toolchain.files[`${name}/_go.mod`]!);
  t.same(outcomes(await runOf(folder)), [V.zip, V.ziphash, V.folder], 'copies of _go.mod belong to a toolchain that was used');
  put(folder, `${extracted}/src/go.mod`, 'module evil\n');
  t.same(outcomes(await runOf(folder)), [V.zip, V.ziphash, wrong('folder')], 'other copies do not');
  drop(folder, `${extracted}/src/go.mod`);
  put(folder, `${extracted}/bin/go.mod`, 'module evil\n');
  t.same(outcomes(await runOf(folder)), [V.zip, V.ziphash, wrong('folder')], 'nor does one without a _go.mod beside it');

  const other = madeModule('example.com/other', 'v1.0.0', { 'src/_go.mod': 'module std\n' });
  record(log, other);
  const others = newCache(t, other);
  put(others, `${pathsOf(other).folder}/src/go.mod`, 'module std\n');
  t.match(outcomes(await runOf(others)), [V.zip, V.ziphash, wrong('folder'), V.mod], 'nor is any module like that');

  const fips = madeModule('golang.org/fips140', 'v1.0.0-c2097c7c');
  const unpacked = t.testdir({});
  layOut(unpacked, fips, ['folder', 'lock']);
  rig.asked();
  t.same(outcomes(await runOf(unpacked)), ['folder skipped SKIPPED_GOROOT']);
  t.notMatch(rig.asked().join(), 'fips140');
});

t.test('which names are module versions', async (t) => {
  const folder = newCache(t, PUBLIC);
  const foreign = [
    'cache/download/example.com/!pub/@v/list',
    'cache/download/example.com/!pub/@v/v1.2.0-!r!c1.zip123456.tmp',
    'cache/download/example.com/!pub/@v/master.zip',
    'cache/download/example.com/!pub/@v/v1.zip',
    'cache/download/example.com/!pub/@v/v1.2.0-RC1.zip',
    'cache/download/example.com/!pub/@v/v1.2.0.txt',
    'cache/download/example.com/!pub/v1.0.0.zip',
    'cache/download/example.com/Pub/@v/v1.0.0.zip',
    'cache/download/nodot/x/@v/v1.0.0.zip',
    'cache/download/@v/v1.0.0.zip',
    'cache/download/sumdb/sum.golang.org/lookup/example.com/x@v1.0.0',
    'cache/vcs/0123/HEAD',
    'cache/lock',
  ];
  for (const name of foreign) put(folder, name, 'x');
  const found = await listCache(folder);
  t.same(found.map(({ module, version }) => [module, version]), [['example.com/Pub', 'v1.2.0-RC1']]);
  t.same([...found[0]!.suffixes].sort(), ['info', 'lock', 'mod', 'zip', 'ziphash']);

  for (const version of ['v1.10.0', 'v1.9.0', 'v1.9.0+incompatible']) layOut(folder, { ...OLD, version }, ['mod']);
  layOut(folder, PRIVATE, ['mod']);
  t.same(
    (await listCache(folder)).map(({ module, version }) => `${module}@${version}`),
    ['corp.example/priv@v1.0.0', 'example.com/Pub@v1.2.0-RC1', ...['v1.9.0', 'v1.9.0+incompatible', 'v1.10.0'].map((v) => `example.com/old@${v}`)],
  );
  const wanted = [OLD, { ...OLD, version: 'v1.9.0' }, PRIVATE, madeModule('example.com/none')];
  t.same((await findInCache(folder, wanted)).map(({ module, version }) => `${module}@${version}`), ['corp.example/priv@v1.0.0', 'example.com/old@v1.9.0']);

  symlinkSync(path.join(folder, 'cache', 'download', 'corp.example'), path.join(folder, 'cache', 'download', 'linked.example'));
  t.ok((await listCache(folder)).some(({ module }) => module === 'linked.example/priv'), 'the go command follows links');
  t.same(await listCache(path.join(folder, 'nowhere')), []);
});

t.test('a run that is ended', async (t) => {
  const folder = newCache(t, PUBLIC);
  const large = path.join(folder, pathsOf(PUBLIC).folder, 'large');
  writeFileSync(large, '');
  truncateSync(large, 2 ** 40); // no bytes on the disk, and hours of hashing
  const reason = new GosumError('INTERRUPTED', 'ended');
  const goMods = path.join(folder, 'another');
  for (const version of ['v1.0.0', 'v1.0.1', 'v1.0.2']) layOut(goMods, { ...PUBLIC, version }, ['mod']);
  const cases = [[folder, 0], [folder, 50], [goMods, 0]] as const;
  for (const [cache, after] of cases) {
    const end = new AbortController();
    const check: CacheCheck = await checkOfCache(cache, { threads: 0, signal: end.signal });
    if (after > 0) await setTimeout(after);
    end.abort(reason);
    await t.rejects(async () => check.judge(await rig.lookup()), reason);
    await t.rejects(listCache(cache, end.signal), reason);
  }
});

t.test('what was hashed before it could be shown is shown at once', async (t) => {
  const folder = newCache(t, PUBLIC, OLD);
  const isShownAtOnce = async (after: number): Promise<boolean> => {
    const seen: unknown[] = [];
    const progress = { phase: (...phase: unknown[]) => seen.push(phase), tick: (more: number) => seen.push(more) };
    const check = await checkOfCache(folder, { progress, skippedBy: () => 'all' });
    await setTimeout(after);
    t.same(seen, []);
    await check.judge(await rig.lookup([]));
    t.same([seen[0], seen.slice(1).reduce((sum: number, more) => sum + Number(more), 0)], [['hashing', 2], 2]);
    return seen.length === 2;
  };
  t.ok(await withMoreTime([300, 3000, 15_000], isShownAtOnce), 'in one step');
});

t.test('a large cache is hashed by other threads, with the same verdicts', async (t) => {
  const large = madeModule('example.com/large', 'v1.0.0', { 'data.txt': 'x'.repeat(5 * 2 ** 20) });
  record(log, large);
  const folder = newCache(t, large, PUBLIC, OLD, PRIVATE);
  put(folder, pathsOf(PUBLIC).zip, zipOf(PUBLIC).subarray(0, -5));
  put(folder, pathsOf(OLD).zip, zipOf(evil(OLD)));
  symlinkSync('nowhere', path.join(folder, pathsOf(PRIVATE).folder, 'c.go'));
  const phases: unknown[] = [];
  let steps = 0;
  const progress = { phase: (...phase: unknown[]) => phases.push(phase), tick: (more: number) => (steps += more) };
  const [here, there] = [await runOf(folder, { threads: 0 }), await runOf(folder, { threads: 2, progress })];
  t.same(there.results, here.results);
  t.same(outcomes(there).filter((each) => !each.includes('verified') && !each.includes('skipped')), [clash('folder'), 'zip mismatch ZIP_MALFORMED', wrong('zip')]);
  t.same([phases, steps], [[['hashing', 4]], 4]);
  const end = new AbortController();
  const check = await checkOfCache(folder, { threads: 2, signal: end.signal });
  void setTimeout(5).then(() => end.abort(new GosumError('INTERRUPTED', 'ended')));
  await t.rejects(async () => check.judge(await rig.lookup()), { code: 'INTERRUPTED' });
});

t.test('files that have no end, or are too long', async (t) => {
  const folder = newCache(t, PUBLIC);
  const { ziphash, mod, info } = pathsOf(PUBLIC);
  appendFileSync(path.join(folder, mod), Buffer.alloc(17 * 2 ** 20));
  appendFileSync(path.join(folder, ziphash), ' '.repeat(5000));
  appendFileSync(path.join(folder, info), ' '.repeat(5000));
  const run = await runOf(folder);
  t.same(outcomes(run), [V.zip, 'ziphash error FILE_FAILED', V.folder, 'mod error FILE_FAILED']);
  t.ok(run.results.every(({ code, message }) => code === undefined || (message !== undefined && !message.includes(folder))));

  if (process.platform === 'win32') return;
  drop(folder, mod);
  symlinkSync('/dev/zero', path.join(folder, mod));
  t.equal(outcomes(await runOf(folder))[3], 'mod error FILE_FAILED');
});
