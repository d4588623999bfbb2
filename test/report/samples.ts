/** Runs of every kind, which all formats are tested on: each is what `verify` would hand over. */

import type { Code } from '../../src/errors.js';
import type { ReportOptions } from '../../src/report/options.js';
import { summaryOf } from '../../src/verify/run.js';
import type { Verdict, VerifyRun } from '../../src/verify/verdict.js';

export const OPTIONS: ReportOptions = { version: '0.1.0', color: false, width: 80, cwd: '/repo', root: '/repo' };

/** A hash with the form of a go.sum's. */
export function h1(digit: string): string {
  return `h1:${digit.repeat(43)}=`;
}

const TREE = { size: 38_123_456, hash: new Uint8Array(32).fill(0xa5) };
/** Base64 of the samples' tree hash. */
export const TREE_HASH = 'paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=';

/** A verdict, from a go.sum line and what differs from a verified one. */
export function verdict(line: number, key: string, more: Partial<Verdict> = {}): Verdict {
  const [module = '', field = ''] = key.split(' ');
  const kind = field.endsWith('/go.mod') ? 'go.mod' : 'module';
  const version = kind === 'go.mod' ? field.slice(0, -'/go.mod'.length) : field;
  return { file: 'go.sum', line, module, version, kind, status: 'verified', hash: h1('A'), record: 1000 + line, ...more };
}

/** An `error` verdict. */
function failure(line: number, key: string, code: Code, message: string, retryable: boolean): Verdict {
  return verdict(line, key, { status: 'error', record: undefined, code, message, retryable });
}

/** A run over the verdicts, with counts made of them; `more` overrides. */
export function runOf(results: Verdict[], exitCode: number, more: Partial<VerifyRun> = {}): VerifyRun {
  const summary = summaryOf(results);
  return {
    complete: summary.failed === 0,
    exitCode,
    database: {
      name: 'sum.golang.org',
      url: 'https://proxy.example/sumdb/sum.golang.org',
      tree: TREE,
      timeline: 'consistent',
    },
    summary,
    modules: { checked: new Set(results.filter(({ status }) => status !== 'skipped').map((v) => `${v.module} ${v.version}`)).size, cached: 0 },
    results,
    ...more,
  };
}

const GOOD = [verdict(1, 'golang.org/x/text v0.3.0'), verdict(2, 'golang.org/x/text v0.3.0/go.mod'), verdict(3, 'rsc.io/quote v1.5.2')];

const MISMATCHED = verdict(2, 'golang.org/x/text v0.3.0/go.mod', {
  status: 'mismatch',
  hash: h1('B'),
  expected: h1('C'),
  record: 3,
  code: 'HASH_MISMATCH',
});

/** A text that tries every trick: a terminal, the runner, HTML, XML, Markdown. */
export const HOSTILE =
  'h1:\u001b[2J\u009b31m\u202e::error::x ##[error]y <b>&"\']]> `tick` a\\|b [c](d) @everyone \u0000\ud800\ufffe%0A::set-output';
const HOSTILE_FILE = '::warning title=a,b%3A::c/\u001b[1m|`<x>/go.sum';

/** The samples by name. */
export const SAMPLES: Readonly<Record<string, VerifyRun>> = {
  verified: runOf(GOOD, 0, { modules: { checked: 2, cached: 2 }, database: { name: 'sum.golang.org', url: 'cache', tree: TREE, timeline: 'consistent' } }),
  'first contact, two files': runOf([...GOOD, verdict(1, 'rsc.io/sampler v1.3.0', { file: 'go.work.sum' })], 0, {
    database: { name: 'sum.golang.org', url: 'https://sum.golang.org', tree: TREE, timeline: 'first-contact' },
  }),
  mismatch: runOf([verdict(1, 'golang.org/x/text v0.3.0'), MISMATCHED, verdict(3, 'rsc.io/quote v1.5.2')], 1),
  conflict: runOf(
    [
      verdict(1, 'golang.org/x/text v0.3.0', { status: 'conflict', code: 'LINES_CONFLICT', record: 3 }),
      verdict(2, 'golang.org/x/text v0.3.0', { status: 'conflict', code: 'LINES_CONFLICT', hash: h1('B'), expected: h1('A'), record: 3 }),
      verdict(9, 'rsc.io/quote v1.5.2', { status: 'conflict', code: 'LINES_CONFLICT', record: undefined }),
      verdict(7, 'rsc.io/quote v1.5.2', {
        file: 'a/path/that/is/long/enough/to/leave/no/room/for/a/hash/beside/it/go.sum',
        status: 'conflict',
        code: 'LINES_CONFLICT',
        hash: h1('B'),
        record: undefined,
      }),
      verdict(12, 'rsc.io/sampler v1.3.0', { status: 'mismatch', code: 'HASH_UNKNOWN', hash: 'h2:whatever', record: undefined }),
    ],
    1,
  ),
  missing: runOf(
    [
      verdict(1, 'github.com/acme/api v1.2.0', missing()),
      verdict(2, 'github.com/acme/api v1.2.0/go.mod', missing()),
      verdict(3, 'git.corp.example/team/tools v0.1.0', missing()),
      verdict(4, 'github.com/other/known v1.0.0'),
      verdict(5, 'example.com/open v1.0.0'),
      verdict(6, 'example.com/closed/x v1.0.0', missing()),
      verdict(7, 'example.com/open v1.9.9', missing()),
    ],
    4,
  ),
  skipped: runOf(
    [
      verdict(1, 'rsc.io/quote v1.5.2'),
      verdict(2, 'corp.example/a v1.0.0', skipped('matches GOPRIVATE pattern corp.example')),
      verdict(3, 'corp.example/a v1.0.0/go.mod', skipped('matches GOPRIVATE pattern corp.example')),
      verdict(4, 'corp.example/b v1.0.0/go.mod', skipped('matches GOPRIVATE pattern corp.example')),
      verdict(9, 'rsc.io/old v1.0.0/go.mod', {
        status: 'skipped',
        record: undefined,
        code: 'SKIPPED_EMPTY_GOMOD',
        message: 'the go command drops this line: the hash of an empty go.mod',
      }),
    ],
    0,
  ),
  'all skipped': runOf([verdict(2, 'corp.example/a v1.0.0', skipped('matches GOPRIVATE pattern corp.example'))], 2, {
    database: { name: 'sum.golang.org', url: 'https://sum.golang.org', tree: undefined, timeline: 'none' },
  }),
  incomplete: runOf(
    [
      verdict(1, 'rsc.io/quote v1.5.2'),
      ...Array.from({ length: 14 }, (_, i) =>
        failure(i + 2, `example.com/m${i} v1.0.0`, 'UNREACHABLE', 'https://proxy.example: connection refused', true),
      ),
      failure(20, 'example.com/z v1.0.0', 'OFFLINE', 'not in the cache, and the run is offline', false),
      failure(21, 'example.com/z v1.0.0/go.mod', 'OFFLINE', 'not in the cache, and the run is offline', false),
      failure(22, 'example.com/y v1.0.0', 'INTERRUPTED', 'interrupted', true),
    ],
    3,
  ),
  unproved: runOf(
    [verdict(1, 'rsc.io/quote v1.5.2'), failure(2, 'example.com/z v1.0.0', 'TILE_MISMATCH', 'tile/8/0/005: its hash is not the one in its parent', true)],
    1,
    { complete: false },
  ),
  'a problem of the run alone': runOf(GOOD, 3, {
    complete: false,
    problem: { code: 'HEAD_TOO_OLD', message: 'the log shows a tree of 5, the trusted head is of 9', hint: 'try again later' },
  }),
  'tiles that are gone': runOf(
    [
      { ...failure(1, 'rsc.io/quote v1.5.2', 'UNREACHABLE', 'reading https://x.example/tile/8/0/x001/002: 404 Not Found', true), hint: 'ask again' },
      failure(2, 'rsc.io/sampler v1.3.0', 'UNREACHABLE', 'reading https://x.example/tile/8/1/003.p/17: 404 Not Found', true),
    ],
    3,
  ),
  fork: runOf(
    [verdict(1, 'rsc.io/quote v1.5.2', { status: 'error', code: 'FORK', message: 'the log misbehaves', record: undefined, retryable: false })],
    1,
    {
      database: { name: 'sum.golang.org', url: 'https://sum.golang.org', tree: TREE, timeline: 'fork' },
      fork: 'old database:\n\tgo.sum database tree\n\t5\n::error::not a command\n\u001b[2Jnew database:\n\t::<6> ```\n',
    },
  ),
  'stdin and files outside': runOf([{ ...MISMATCHED, file: '-' }, { ...MISMATCHED, file: '../other/go.sum' }], 1),
  hostile: runOf(
    [
      verdict(1, 'rsc.io/quote v1.5.2', { file: HOSTILE_FILE, status: 'mismatch', code: 'HASH_UNKNOWN', hash: HOSTILE }),
      verdict(2, 'rsc.io/quote v1.5.2', { file: HOSTILE_FILE, status: 'mismatch', code: 'HASH_MISMATCH', hash: HOSTILE.repeat(99), expected: HOSTILE }),
      failure(2, 'rsc.io/quote v1.5.2', 'TILE_MISMATCH', HOSTILE, false),
      failure(3, 'rsc.io/quote v1.5.2/go.mod', 'UNREACHABLE', `::error::${HOSTILE}\nand a second line`, true),
      verdict(4, 'x.example/a v1.0.0', { ...missing(), file: HOSTILE_FILE, message: HOSTILE }),
      verdict(5, 'x.example/a v1.0.0', { ...skipped(HOSTILE), file: HOSTILE_FILE }),
      verdict(6, 'x v1.0.0', { ...missing(), module: HOSTILE }),
      verdict(7, 'x v1.0.0', { ...missing(), version: HOSTILE, status: 'conflict' }),
    ],
    1,
    { database: { name: `sum.example${HOSTILE}`, url: `https://x.example/${HOSTILE}`, tree: TREE, timeline: 'consistent' }, fork: HOSTILE },
  ),
  many: runOf(
    Array.from({ length: 120 }, (_, i) => verdict(i + 1, `example.com/m${i} v1.0.0`, { ...missing(), message: `not found: m${i}` })),
    4,
  ),
  'no lines': runOf([], 0, {
    database: { name: 'sum.golang.org', url: 'https://sum.golang.org', tree: undefined, timeline: 'none' },
  }),
};

function missing(): Partial<Verdict> {
  return { status: 'missing', code: 'NOT_FOUND', record: undefined, message: 'not found' };
}

function skipped(message: string): Partial<Verdict> {
  return { status: 'skipped', code: 'SKIPPED_PRIVATE', record: undefined, message };
}
