import t from 'tap';
import { GosumError } from '../../src/errors.js';
import { makePages, type PagesOptions } from '../../src/server/pages.js';
import type { Page } from '../../src/server/routes.js';
import type { PageRequest } from '../../src/server/server.js';
import type { DatabaseStatus } from '../../src/server/status.js';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const GOOD: DatabaseStatus = {
  name: 'sum.golang.org',
  gosumdb: 'sum.golang.org',
  head: { size: 1234, hash: new Uint8Array(32) },
  verifiedAt: NOW - 1000,
  grownAt: undefined,
  failure: undefined,
  forked: false,
  ways: [{ label: 'https://sum.golang.org', inService: true, failure: undefined }],
};
const OTHER: DatabaseStatus = { ...GOOD, name: 'sums.example/go', gosumdb: 'sums.example/go+0000abcd+KEY' };

async function show(page: Page, statuses: readonly DatabaseStatus[], more: Partial<PagesOptions> = {}, request: PageRequest = {}): Promise<{ status: number; body: string; headers: Readonly<Record<string, string>> }> {
  const options: PagesOptions = {
    version: '1.2.3',
    dataFile: 'sumdb.db',
    secure: false,
    headAgeAlarm: 60_000,
    startedAt: NOW - 30_000,
    statuses: () => statuses,
    store: () => ({ refused: 0, setAside: 0, unkept: 0, failure: undefined }),
    draining: () => false,
    now: () => NOW,
    ...more,
  };
  const { body, ...rest } = await makePages(options)(page, request);
  return { ...rest, body: new TextDecoder().decode(body) };
}

t.test('readiness: not before each has a head, not while draining; all else is said and served through', async (t) => {
  const cases: readonly (readonly [string, readonly DatabaseStatus[], Partial<PagesOptions>, number, string])[] = [
    ['good', [GOOD], {}, 200, 'ready\nsum.golang.org: tree 1234, last verified 2026-01-02T03:04:04.000Z\n'],
    ['no head', [GOOD, { ...OTHER, head: undefined, verifiedAt: undefined }], {}, 503, 'not ready\nsum.golang.org: tree 1234, last verified 2026-01-02T03:04:04.000Z\nsums.example/go: no tree head yet, not verified since the start\n'],
    ['draining', [GOOD], { draining: () => true }, 503, 'draining\nsum.golang.org: tree 1234, last verified 2026-01-02T03:04:04.000Z\n'],
    [
      'fork',
      [{ ...GOOD, forked: true, failure: new GosumError('UNREACHABLE', 'nobody there') }],
      {},
      200,
      'ready\nsum.golang.org: tree 1234, last verified 2026-01-02T03:04:04.000Z\nsum.golang.org: FORK: the log was seen to misbehave; see gosumcheck evidence --cache sumdb.db\nsum.golang.org: upstream: nobody there\n',
    ],
    ['old', [{ ...GOOD, verifiedAt: NOW - 60_001 }], {}, 200, 'ready\nsum.golang.org: tree 1234, last verified 2026-01-02T03:03:04.999Z\nsum.golang.org: ALARM: no tree head was verified for 60 s\n'],
    ['not old', [{ ...GOOD, verifiedAt: NOW - 60_000 }], {}, 200, 'ready\nsum.golang.org: tree 1234, last verified 2026-01-02T03:03:05.000Z\n'],
    ['just begun', [{ ...GOOD, verifiedAt: undefined }], {}, 200, 'ready\nsum.golang.org: tree 1234, not verified since the start\n'],
    [
      'a way out of service, and a full disk',
      [{ ...GOOD, ways: [...GOOD.ways, { label: 'https://other.example', inService: false, failure: 'connection refused' }] }],
      { store: () => ({ refused: 0, setAside: 0, unkept: 2, failure: new GosumError('STORE_FAILED', 'the disk is full') }) },
      200,
      'ready\nsum.golang.org: tree 1234, last verified 2026-01-02T03:04:04.000Z\nsum.golang.org: out of service: https://other.example: connection refused\nwhat is proved cannot be kept for now, and is served from memory: the disk is full\n',
    ],
    ['never', [{ ...GOOD, verifiedAt: undefined }], { startedAt: NOW - 61_000 }, 200, 'ready\nsum.golang.org: tree 1234, not verified since the start\nsum.golang.org: ALARM: no tree head was verified for 61 s\n'],
  ];
  for (const [name, statuses, more, status, body] of cases) t.match(await show('readyz', statuses, more), { status, body }, name);
});

t.test('the home page has the lines to copy, and nothing of what was asked but a host', async (t) => {
  const { body, headers } = await show('home', [GOOD, OTHER], { secure: true }, { host: 'mirror.example:8443' });
  t.match(headers['content-type'], /^text\/html/);
  const lines = body.replaceAll('&#34;', '"');
  for (const line of [
    'go env -w GOSUMDB="sum.golang.org https://mirror.example:8443"',
    'go env -w GOPROXY="https://mirror.example:8443,$(go env GOPROXY)"',
    'go env -w GOSUMDB="sums.example/go+0000abcd+KEY https://mirror.example:8443/sumdb/sums.example/go"',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.match(body, '1234 records');
  t.notMatch(body, '<script');
  for (const host of ['"><b>', 'a b', 'a:b', 'a/b', '$(x)', undefined]) {
    t.match((await show('home', [GOOD], {}, { host })).body, 'http://HOST:PORT', String(host));
  }
  t.match((await show('home', [GOOD], {}, { host: '[::1]:80' })).body, 'http://[::1]:80');
});

t.test('the home page names feeds where there are any', async (t) => {
  t.notMatch((await show('home', [GOOD, OTHER])).body, '.atom');
  const feeds = (name: string): Promise<boolean> => (name === OTHER.name ? Promise.resolve(true) : Promise.reject(new Error('no file')));
  const { body } = await show('home', [GOOD, OTHER], { feeds }, { host: 'mirror.example' });
  t.match(body, 'http://mirror.example/sumdb/sums.example/go/feeds/golang.org/x/....atom');
  t.equal(body.split('.atom').length, 3, 'of the one that has them');
});

t.test('version, health, metrics', async (t) => {
  t.match(await show('version', []), { status: 200, body: 'gosumcheck 1.2.3\n' });
  t.strictSame(JSON.parse((await show('version', [], {}, { accept: 'application/json' })).body), { name: 'gosumcheck', version: '1.2.3' });
  t.match(await show('healthz', [], { draining: () => true }), { status: 200 });
  t.match(await show('metrics', []), { status: 404 });
  t.match(await show('metrics', [], { metrics: () => Promise.resolve('x 1\n') }), { status: 200, body: 'x 1\n' });
});
