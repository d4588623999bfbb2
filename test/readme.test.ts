/**
 * The documents: what they show is run, and what they list is compared with the code.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import type { Command } from 'commander';
import { COMMANDS } from '../src/cli/commands.js';
import { buildProgram } from '../src/cli/program.js';
import { flagVariable } from '../src/config/options.js';
import { openEnvironment } from '../src/config/environment.js';
import { CODES, openFileSource, openMemoryStore, outcomeOf, parseGoUrl, SumDB, SUM_GOLANG_ORG, verifyGoSum, type Source } from '../src/index.js';
import { TestLog } from '../src/testing/index.js';
import { HASH_SIZE, makeReceipt, planTiles, proveRecordIn, rangeHash } from '../src/tlog.js';
import { answerTo, askFor, partsOf } from './core/bulkrig.js';
import { LOG_SUBJECTS } from './differential/log.js';
import { MODULE_SUBJECTS } from './differential/modules.js';
import { TREE_SUBJECTS } from './differential/tree.js';

/** The package's folder; this file runs as dist/test/readme.test.js. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NAMES = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'fixtures/README.md'],
  ...readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const DOCS = new Map(NAMES.map((name) => [name, readFileSync(path.join(ROOT, name), 'utf8')]));
const README = DOCS.get('README.md')!;
const GO_SUM = readFileSync(path.join(ROOT, 'fixtures', 'kubernetes-1.34', 'go.sum'), 'utf8');
const FIXTURES = pathToFileURL(path.join(ROOT, 'fixtures')).href;
const MANIFEST = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
};

interface Block {
  readonly language: string;
  /** The name in a `<!-- sample: name -->` in front of it. */
  readonly sample: string | undefined;
  readonly text: string;
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/(?:^<!-- sample: (\w+) -->\n)?^```(\w+)\n(.*?)^```$/gms)].map(
    ([, sample, language = '', text = '']) => ({ language, sample, text }),
  );
}

function sampleOf(name: string): string {
  return blocksOf(README).find(({ sample }) => sample === name)!.text;
}

/** A text with its folded lines joined: where they fold depends on how long the name of this folder is. */
function unfold(text: string): string {
  return text.trimEnd().replaceAll(/\n {10}(?=\S)/g, ' ');
}

/** Reports whether a sample is what was printed: `…` stands for any text in a line, and alone for any lines. */
function isPrinted(sample: string, printed: string): boolean {
  const parts = unfold(sample).split(/^…$\n/m).map((lines) =>
    lines.split('…').map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('[^\\n]*'),
  );
  return new RegExp(`^${parts.join('(?:[^\\n]*\\n)*')}$`).test(unfold(printed));
}

/** Runs Node in a folder, with the recording as its only proxy. */
function node(cwd: string, ...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const own = { HOME: cwd, XDG_CACHE_HOME: path.join(cwd, 'cache'), LocalAppData: path.join(cwd, 'cache'), GOPATH: path.join(cwd, 'go') };
  const go = { GOENV: 'off', GOSUMDB: 'sum.golang.org', GOPROXY: FIXTURES, GOPRIVATE: '', GONOSUMDB: '', GOMODCACHE: path.join(cwd, 'mod') };
  const env = { ...process.env, NODE_OPTIONS: '', ...own, ...go };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

t.test('README: what the command prints', (t) => {
  const bin = path.join(ROOT, 'bin', 'gosumcheck.js');
  const folder = t.testdir({ fixtures: { 'kubernetes-1.34': { 'go.sum': GO_SUM } } });
  const verified = node(folder, bin, 'verify', 'fixtures/kubernetes-1.34/go.sum');
  t.equal(verified.code, 0, verified.stderr);
  t.ok(isPrinted(sampleOf('verified'), verified.stdout), verified.stdout);

  const edited = GO_SUM.replace('golang.org/x/crypto v0.36.0 h1:AnAEvh', 'golang.org/x/crypto v0.36.0 h1:AAAAAA');
  writeFileSync(path.join(folder, 'go.sum'), edited);
  const found = node(folder, bin, 'verify', '--no-cache');
  t.equal(found.code, 1, found.stderr);
  t.ok(isPrinted(sampleOf('edited'), found.stdout), found.stdout);
  t.notOk(isPrinted(sampleOf('verified'), found.stdout), 'not everything is a sample');
  t.end();
});

t.test('README: the program', (t) => {
  const program = blocksOf(README).find(({ language }) => language === 'js')!.text;
  const folder = t.testdir({ 'program.mjs': program });
  const { code, stdout, stderr } = node(folder, 'program.mjs');
  t.equal(stderr, '');
  t.equal(code, 0);
  t.equal(stdout, sampleOf('library'));
  t.end();
});

/** The program, which only parses. */
function parser(): Command {
  const host = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: openEnvironment({}), cwd: ROOT };
  const program = buildProgram(COMMANDS, { ...host, interrupted: new AbortController().signal }, () => undefined);
  for (const command of commandsOf(program)) if (command.commands.length === 0) command.action(() => undefined);
  return program;
}

/** The program's commands, and those of commands that have some of their own. */
function commandsOf(program: Command): Command[] {
  return program.commands.flatMap((command) => [command, ...command.commands]);
}

/** The words of a command, quotes taken off; `undefined` stands where it ends. */
function words(line: string): (string | undefined)[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(&&|\||>|#.*)|([^\s"'&|>#]+)/g)].map(
    ([, double, single, end, bare]) => (end === undefined ? (double ?? single ?? bare) : undefined),
  );
}

/** The arguments of each gosumcheck in a line of a shell. */
function commandsIn(line: string): string[][] {
  const all = words(line);
  return all.flatMap((word, i) => {
    // in a line for systemctl or docker it names something else
    if ((word !== 'gosumcheck' && word !== 'bin/gosumcheck.js') || ['systemctl', 'docker'].includes(all[0] ?? '')) return [];
    const rest = all.slice(i + 1);
    const end = rest.indexOf(undefined);
    return [(end < 0 ? rest : rest.slice(0, end)).filter((argument) => argument !== undefined)];
  });
}

t.test('commands can be parsed, and scripts are there', async (t) => {
  const lines = [...DOCS].flatMap(([name, text]) =>
    blocksOf(text)
      .filter(({ language }) => language === 'sh' || language === 'yaml')
      .flatMap((block) => block.text.split('\n').map((line) => ({ name, line }))),
  );
  let count = 0;
  for (const { name, line } of lines) {
    for (const args of commandsIn(line)) {
      count++;
      await t.resolves(parser().parseAsync(args, { from: 'user' }), `${name}: ${args.join(' ')}`);
    }
  }
  t.ok(count >= 10, `${count} commands`);
  t.same(commandsIn('A=1 node bin/gosumcheck.js verify "$X" . > y && gosumcheck head # z'), [['verify', '$X', '.'], ['head']]);

  const scripts = [...DOCS].flatMap(([name, text]) => [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, script = '']) => ({ name, script })));
  for (const { name, script } of scripts) t.ok(MANIFEST.scripts[script], `${name}: npm run ${script}`);
  t.ok(scripts.length > 5);
});

t.test('flags: each is in README with its variable, and none is named that there is not', (t) => {
  const options = commandsOf(parser()).flatMap((command) => command.options.map(({ long }) => long!));
  const verify = parser().commands.find((command) => command.name() === 'verify')!;
  const rows = README.split('\n').filter((line) => line.startsWith('| `--'));
  for (const { long } of verify.options) {
    const row = rows.find((line) => line.includes(`\`${long!}`)) ?? '';
    t.ok(row.includes(`\`${flagVariable(long!)}\``), long!);
  }
  const known = new Set([...options, '--help', '--version', '--foo-bar']);
  for (const [name, text] of DOCS) {
    if (['docs/bench.md', 'docs/deploy.md', 'docs/scalelog.md'].includes(name)) continue; // their flags are others' as well
    const code = [...text.matchAll(/`((?:gosumcheck|--)[^`]*)`/g)].map(([, span = '']) => span);
    const named = code.flatMap((span) => span.match(/(?<=^|[\s[])--[a-z-]+/g) ?? []);
    t.same(named.filter((flag) => !known.has(flag)), [], name);
  }
  t.end();
});

t.test('codes: docs/verify.md has each with its outcome', (t) => {
  const rows = [...DOCS.get('docs/verify.md')!.matchAll(/^\| `([A-Z0-9_]+)` \| (\w+) \| .+ \|$/gm)];
  t.same(rows.map(([, code, outcome]) => `${code} ${outcome}`), CODES.map((code) => `${code} ${outcomeOf(code)}`));
  t.end();
});

t.test('exports: docs/library.md names each below its entry', (t) => {
  const [common = '', ...sections] = DOCS.get('docs/library.md')!.split(/^## (?=gosumcheck)/m);
  for (const entry of ['index', 'note', 'tlog', 'gosum', 'dirhash', 'testing/index']) {
    const title = entry === 'index' ? 'gosumcheck' : `gosumcheck/${entry.replace('/index', '')}`;
    const section = sections.find((text) => text.startsWith(`${title}\n`)) ?? '';
    const exported = exportsOf(path.join(ROOT, 'src', `${entry}.ts`));
    t.ok(exported.length > 5, `${entry}: ${exported.length}`);
    t.same(exported.filter((name) => !new RegExp(`\\b${name}\\b`).test(common + section)), [], title);
  }
  t.end();
});

function exportsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const listed = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gms)].flatMap(([, names = '']) => names.split(','));
  const own = [...source.matchAll(/^export (?:function|class|const|type|interface) (\w+)/gm)].map(([, name = '']) => name);
  const all = [...source.matchAll(/^export \* from '(.*)\.js'/gm)].flatMap(([, name = '']) => exportsOf(path.join(path.dirname(file), `${name}.ts`)));
  return [...listed.map((name) => name.trim().replace(/^type /, '')).filter((name) => name !== ''), ...own, ...all];
}

t.test('SECURITY.md: each rule by which we are stricter than Go', (t) => {
  const rules = new Set([...MODULE_SUBJECTS, ...LOG_SUBJECTS, ...TREE_SUBJECTS].flatMap(({ stricter }) => Object.keys(stricter)));
  t.ok(rules.size > 10, `${rules.size} rules`);
  t.same([...rules].filter((rule) => !DOCS.get('SECURITY.md')!.includes(rule)), []);
  t.end();
});

t.test('figures: of the recorded run', async (t) => {
  const store = openMemoryStore();
  const source = openFileSource(parseGoUrl(`${FIXTURES}/sumdb/sum.golang.org`));
  let tiles = 0;
  const counting: Source = {
    ...source,
    read(name, options) {
      if (name.startsWith('/tile/')) tiles++;
      return source.read(name, options);
    },
  };
  const run = await verifyGoSum(new SumDB({ key: SUM_GOLANG_ORG, source: counting, store }), GO_SUM);
  t.equal(run.exitCode, 0);
  const [{ records } = { records: 0 }] = (await store.stats()).databases;
  const covers = run.results.map(({ module, version }) => `${module}@${version}`);
  const [receipt] = await store.receipts(SUM_GOLANG_ORG, covers);
  const hashes = Number(/\nhashes (\d+)\n/.exec(Buffer.from(receipt!).toString('latin1'))![1]);
  const shown = (n: number): string => n.toLocaleString('en-US');
  says(t, 'docs/receipt.md', `${records} records`, shown(receipt!.length), shown(hashes), `${tiles} tiles`, shown(run.database.tree!.size));
  says(t, 'docs/design.md', `${records} records`, shown(receipt!.length), `${tiles} tiles`);
  says(t, 'README.md', `${run.summary.lines} lines`, `${2 + records + tiles} requests`);
  says(t, 'fixtures/README.md', `${run.summary.lines} lines`, `${records} lookups`, `${tiles} hash tiles`, shown(run.database.tree!.size));
  t.ok(2 * records + hashes < 5000, 'hashes of a check');
});

function says(t: Test, name: string, ...figures: string[]): void {
  const text = DOCS.get(name)!.replaceAll('\n', ' ');
  for (const figure of figures) t.ok(text.includes(figure), `${name}: ${figure}`);
}

t.test('docs/receipt.md: the example', (t) => {
  const log = new TestLog().fill(7);
  const head = log.signedHead();
  const plan = planTiles(head, { records: [2, 5] });
  const tree = plan.authenticate(plan.tiles.map((tile) => log.tileBytes(tile)));
  const records = [2, 5].map((id) => proveRecordIn(tree, head, { id, text: log.text(id) }));
  const { bytes } = makeReceipt(tree, head, records, []);
  const example = DOCS.get('docs/receipt.md')!.split('## Example')[1]!;
  const ranges = [...example.matchAll(/^\| \[(\d), (\d)\) \|/gm)].map(([, lo, hi]) => ({ lo: Number(lo), hi: Number(hi) }));
  const want = Buffer.concat([`hashes ${ranges.length}\n`, ...ranges.map((range) => rangeHash(range, log.read))].map((part) => Buffer.from(part)));
  t.equal(ranges.length, 4);
  t.same(Buffer.from(bytes).subarray(-want.length), want);
  t.equal(want.length, 'hashes 4\n'.length + 4 * HASH_SIZE);
  t.end();
});

t.test('docs/bulk.md: the example', (t) => {
  const log = new TestLog().fill(9);
  const { hashes } = partsOf(answerTo(askFor(log, 9, 5, [1, 2, 6])));
  const example = DOCS.get('docs/bulk.md')!.split('## Example')[1]!;
  const ranges = [...example.matchAll(/^\| \[(\d), (\d)\) \|/gm)].map(([, lo, hi]) => ({ lo: Number(lo), hi: Number(hi) }));
  t.equal(ranges.length, 6);
  t.same(Buffer.concat(hashes), Buffer.concat(ranges.map((range) => rangeHash(range, log.read))));
  t.end();
});

t.test('links lead to files, and to headings', (t) => {
  const slug = (heading: string): string => heading.toLowerCase().replaceAll(/[^\w\s-]/g, '').trim().replaceAll(/\s/g, '-');
  for (const [name, text] of DOCS) {
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (link.startsWith('https://')) continue;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? name : path.posix.join(path.posix.dirname(name), file);
      t.ok(existsSync(path.join(ROOT, target)), `${name}: ${link}`);
      if (anchor === undefined) continue;
      const headings = [...DOCS.get(target)!.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
      t.ok(headings.includes(anchor), `${name}: #${anchor}`);
    }
  }
  t.end();
});

t.test('CHANGELOG.md begins with this version', (t) => {
  t.equal(/^## (\S+)/m.exec(DOCS.get('CHANGELOG.md')!)![1], MANIFEST.version);
  t.end();
});
