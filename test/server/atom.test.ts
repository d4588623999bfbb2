import { spawnSync } from 'node:child_process';
import t from 'tap';
import type { Database, RecentRecord, RecentRecords } from '../../src/contract.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { GosumError } from '../../src/errors.js';
import { answerOf } from '../../src/server/answers.js';
import { formatFeed } from '../../src/server/atom.js';
import { routeOf } from '../../src/server/routes.js';
import { textAnswer } from '../../src/server/answers.js';
import { listen } from '../../src/server/server.js';
import { TestLog } from '../../src/testing/index.js';
import { readFeed } from './atom.js';

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5);

function recordOf(id: number, module: string, version: string, more: Partial<RecentRecord> = {}): RecentRecord {
  return { id, module, version, text: encodeUtf8(`${module} ${version} h1:a\n${module} ${version}/go.mod h1:b\n`), seenAt: TIME + id, repeats: [], ...more };
}

function recent(records: readonly RecentRecord[], more: Partial<RecentRecords> = {}): RecentRecords {
  return { records, among: undefined, begun: TIME, ...more };
}

const TWO = recent([recordOf(9, 'example.com/A', 'v1.1.0', { repeats: [3] }), recordOf(3, 'example.com/A', 'v1.1.0')]);

t.test('a feed, whole', (t) => {
  t.equal(
    formatFeed('sum.golang.org', { path: 'example.com/A', below: false }, TWO),
    `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>https://sum.golang.org/feeds/example.com/A.atom</id>
<title>example.com/A in sum.golang.org</title>
<updated>2026-01-02T03:04:05.009Z</updated>
<author><name>sum.golang.org</name></author>
<link rel="self" type="application/atom+xml" href="../../feeds/example.com/A.atom"/>
<entry>
<id>https://sum.golang.org/#9</id>
<title>example.com/A v1.1.0 REPEATED: also record 3</title>
<updated>2026-01-02T03:04:05.009Z</updated>
<link rel="alternate" type="text/plain" href="../../lookup/example.com/!a@v1.1.0"/>
<content type="text">record 9
example.com/A v1.1.0 h1:a
example.com/A v1.1.0/go.mod h1:b
</content>
</entry>
<entry>
<id>https://sum.golang.org/#3</id>
<title>example.com/A v1.1.0</title>
<updated>2026-01-02T03:04:05.003Z</updated>
<link rel="alternate" type="text/plain" href="../../lookup/example.com/!a@v1.1.0"/>
<content type="text">record 3
example.com/A v1.1.0 h1:a
example.com/A v1.1.0/go.mod h1:b
</content>
</entry>
</feed>
`,
  );
  t.end();
});

t.test('links lead where the feed was read, at the root and below /sumdb/NAME/', (t) => {
  for (const base of ['http://mirror.example', 'https://mirror.example/sumdb/log.example/go', 'http://mirror.example/behind/a/proxy']) {
    for (const [path, below, name] of [['example.com/A', false, 'example.com/A'], ['example.com', true, 'example.com/...'], ['', true, '...']] as const) {
      const url = `${base}/feeds/${name}.atom`;
      const feed = readFeed(formatFeed('log.example/go', { path, below }, TWO), url);
      t.equal(feed.self, url);
      t.strictSame(feed.entries.map(({ link }) => link), [`${base}/lookup/example.com/!a@v1.1.0`, `${base}/lookup/example.com/!a@v1.1.0`]);
      t.equal(feed.id, `https://log.example/go/feeds/${name}.atom`, 'of the database, wherever it is read');
      t.equal(feed.entries[0]!.id, 'https://log.example/go/#9');
    }
  }
  t.end();
});

t.test('nothing of a record acts', (t) => {
  const odd = ['example.com/<b>&"\'', 'example.com/]]>', 'example.com/\u202e\ufffe\uffff\u007f\u2028', '<!--', '&lt;', '\u{1f600}\u{e0001}'];
  const records = odd.map((module, i) => recordOf(i, module, 'v1"<>'));
  const text = formatFeed('log.example', { path: 'example.com', below: true }, recent(records));
  const { entries } = readFeed(text, 'http://mirror.example/feeds/example.com/....atom');
  t.strictSame(entries.map(({ title }) => title), [
    'example.com/<b>&"\' v1"<>',
    'example.com/]]> v1"<>',
    'example.com/\ufffd\ufffd\ufffd\ufffd\ufffd v1"<>',
    '<!-- v1"<>',
    '&lt; v1"<>',
    '\u{1f600}\ufffd v1"<>',
  ]);
  t.strictSame(entries.map(({ link }) => link), odd.map(() => undefined), 'what nobody can look up has no link');
  t.match(entries[0]!.content, 'record 0\nexample.com/<b>&"\' v1"<> h1:a\n');
  t.end();
});

t.test('a feed of nothing, and of too much', (t) => {
  const url = 'http://mirror.example/feeds/example.com/a.atom';
  const paths = { path: 'example.com/a', below: false };
  t.match(readFeed(formatFeed('log.example', paths, recent([])), url), { updated: '2026-01-02T03:04:05.000Z', entries: [], subtitle: undefined });
  t.match(readFeed(formatFeed('log.example', paths, recent([], { begun: undefined })), url), { updated: '1970-01-01T00:00:00.000Z' });
  t.match(readFeed(formatFeed('log.example', paths, recent([recordOf(1, 'example.com/a', 'v1.0.0', { seenAt: undefined })])), url), { updated: '2026-01-02T03:04:05.000Z' });
  t.match(readFeed(formatFeed('log.example', paths, recent([], { among: 5 })), url), { subtitle: /newest 5 records/ });
  t.end();
});

t.test('the answer: tag, type, 404 where there is no such thing', async (t) => {
  const log = new TestLog('log.example');
  let answer: RecentRecords | GosumError = TWO;
  const withFeeds: Database = Object.assign(Object.create(log) as TestLog, {
    name: log.name,
    recent: () => (answer instanceof GosumError ? Promise.reject(answer) : Promise.resolve(answer)),
  });
  const server = await listen('127.0.0.1', 0, { databases: [withFeeds], page: () => textAnswer(200, '') });
  t.teardown(() => server.close());
  const url = `${server.url}/sumdb/log.example/feeds/example.com/A.atom`;
  const first = await fetch(url);
  const body = await first.text();
  t.equal(readFeed(body, url).entries.length, 2);
  t.equal(first.headers.get('content-type'), 'application/atom+xml; charset=utf-8');
  t.equal(first.headers.get('cache-control'), 'public, max-age=300');
  const etag = first.headers.get('etag')!;
  t.equal((await fetch(`${server.url}/feeds/example.com/A.atom`, { headers: { 'if-none-match': etag } })).status, 304);
  const head = await fetch(url, { method: 'HEAD' });
  t.strictSame([head.status, head.headers.get('content-length'), await head.text()], [200, String(Buffer.byteLength(body)), '']);
  t.equal((await fetch(url, { method: 'POST' })).status, 405);
  answer = recent([recordOf(10, 'example.com/A', 'v1.2.0'), ...TWO.records]);
  const next = await fetch(url, { headers: { 'if-none-match': etag } });
  t.strictSame([next.status, next.headers.get('etag') === etag], [200, false]);
  answer = new GosumError('NOT_FOUND', 'private here');
  t.strictSame([(await fetch(url)).status, (await fetch(`${server.url}/feeds/nodot.atom`)).status], [404, 400]);
  const route = routeOf('/feeds/example.com/A.atom', ['log.example']);
  t.match(route.kind === 'database' && (await answerOf(log, route.asked)), { status: 404 }, 'a database without feeds');
});

const xmllint = spawnSync('xmllint', ['--version']).status === 0;

t.test('xmllint takes it', { skip: !xmllint && 'there is no xmllint' }, (t) => {
  t.equal(spawnSync('xmllint', ['--noout', '--nonet', '-'], { input: formatFeed('log.example', { path: 'example.com', below: true }, TWO) }).status, 0);
  t.end();
});
