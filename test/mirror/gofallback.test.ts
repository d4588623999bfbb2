/**
 * What the go command makes of statuses: where it goes on to the next entry of GOPROXY, and where it stops
 * (cmd/go/internal/modfetch/sumdb.go, proxy.go). A mirror has to know it, for what it answers decides over builds.
 */

import path from 'node:path';
import t, { type Test } from 'tap';
import { serveLog, TestLog, textAnswer, type ServedLog } from '../../src/testing/index.js';
import { NO_GO, runGo, serveModules } from './gomodules.js';
import { newMirrorRig, type MirrorRig } from './rig.js';

const skip = NO_GO;
/** A database of this name is nowhere: who goes to it directly asks `https://localhost`, and nobody outside. */
const NAME = 'localhost';

/** What an entry answers to which paths, the separator behind it, and where go ends: at the next entry, or with an error. */
const ROWS: readonly (readonly [paths: RegExp, status: number, separator: ',' | '|', end: 'next entry' | RegExp])[] = [
  [/\/supported$/, 404, ',', 'next entry'],
  [/\/supported$/, 410, ',', 'next entry'],
  [/\/supported$/, 403, ',', /\/supported: 403 Forbidden/],
  [/\/supported$/, 429, ',', /\/supported: 429 Too Many Requests/],
  [/\/supported$/, 503, ',', /\/supported: 503 Service Unavailable/],
  [/\/supported$/, 404, '|', 'next entry'],
  [/\/supported$/, 403, '|', 'next entry'],
  [/\/supported$/, 503, '|', 'next entry'],
  // once `supported` was 200, there is no other entry
  [/\/lookup\//, 404, ',', /\/lookup\/.*404 Not Found/],
  [/\/lookup\//, 410, '|', /\/lookup\/.*410 Gone/],
  [/\/lookup\//, 429, '|', /\/lookup\/.*429 Too Many Requests/],
  [/\/lookup\//, 503, ',', /\/lookup\/.*503 Service Unavailable/],
  [/\/lookup\//, 503, '|', /\/lookup\/.*503 Service Unavailable/],
  [/\/tile\//, 404, '|', /\/tile\/.*404 Not Found/],
];

t.test('an entry before the mirror', { skip }, async (t) => {
  const { folder, log, rig, modules } = await newScene(t);
  const front = await serveLog(log);
  t.teardown(() => front.close());
  for (const [i, [paths, status, separator, end]] of ROWS.entries()) {
    front.answer = (request, answer) => (paths.test(request.path) ? textAnswer(status, 'bent\n') : answer);
    rig.accesses.length = 0;
    const settings = { GOSUMDB: log.vkey, GOPROXY: `${front.url}${separator}${rig.url},${modules}` };
    const { error } = await runGo(path.join(folder, `row${i}`), ['mod', 'download'], ['a'], settings);
    const what = `${String(paths)} is ${status}, then ${separator}`;
    if (end === 'next entry') t.equal(error, '', what);
    else t.match(error, end, what);
    t.equal(
      rig.accesses.some(({ url }) => url.includes('/lookup/')),
      end === 'next entry',
      'the mirror behind it is asked, or not',
    );
  }
});

t.test('where no entry passes the database on', { skip }, async (t) => {
  const { folder, log, modules } = await newScene(t);
  const front = await serveLog(log);
  t.teardown(() => front.close());
  const statuses = [
    [404, `${modules},${front.url}`, /https:\/\/localhost\/lookup\//],
    [404, `${modules},${front.url}|off`, /https:\/\/localhost\/lookup\//],
    [503, `${modules},${front.url}|off`, /\/supported: 503 Service Unavailable/],
  ] as const;
  for (const [i, [status, GOPROXY, want]] of statuses.entries()) {
    front.answer = () => textAnswer(status, 'bent\n');
    const { error } = await runGo(path.join(folder, `row${i}`), ['mod', 'download'], ['a'], { GOSUMDB: log.vkey, GOPROXY });
    t.match(error, want, `${status}, ${GOPROXY.replace(/.*(.)off$/, '$1off')}`);
  }
});

t.test('the mirror’s own statuses', { skip }, async (t) => {
  const { folder, log, rig, modules, upstream } = await newScene(t);
  const through = (run: string, names: string[], GOPROXY: string, GOSUMDB = log.vkey): ReturnType<typeof runGo> =>
    runGo(path.join(folder, run), ['mod', 'download'], names, { GOSUMDB, GOPROXY });

  const other = new TestLog('other.example').fill(300);
  const otherModules = await serveModules(other, ['z']);
  const otherFront = await serveLog(other);
  t.teardown(() => Promise.all([otherModules.close(), otherFront.close()]));
  const list = `${rig.url},${otherFront.url},${otherModules.url}`;
  t.equal((await through('other', ['z'], list, other.vkey)).error, '', 'another database: 404, and the next entry is asked');

  for (const [run, status, want] of [
    ['gone', 410, /404 Not Found/],
    ['missing', 404, /404 Not Found/],
    ['limited', 429, /502 Bad Gateway/],
    ['broken', 503, /502 Bad Gateway/],
  ] as const) {
    upstream.answer = (request, answer) => (request.path.includes(`/${run}@`) ? textAnswer(status, 'bent\n') : answer);
    for (const [name, separator] of Object.entries({ comma: ',', bar: '|' })) {
      const { error } = await through(`${run}-${name}`, [run], `${rig.url}${separator}${modules}`);
      t.match(error, want, `upstream’s ${status} for a lookup, then ${separator}`);
    }
  }
  upstream.answer = (_, answer) => answer;
  t.equal((await through('well', ['limited', 'broken'], `${rig.url},${modules}`)).error, '', 'and it recovers at once');
});

/** A mirror, and a module proxy that has modules named for what will befall their lookups. */
async function newScene(t: Test): Promise<{ folder: string; log: TestLog; rig: MirrorRig; upstream: ServedLog; modules: string }> {
  const log = new TestLog(NAME).fill(300);
  const modules = await serveModules(log, ['a', 'gone', 'missing', 'limited', 'broken']);
  const rig = await newMirrorRig(log);
  t.teardown(() => Promise.all([rig.close(), modules.close()]));
  return { folder: t.testdir(), log, rig, upstream: rig.upstream, modules: modules.url };
}
