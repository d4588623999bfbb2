/** How many lookups go out while it is not known whether the way takes bulk queries: over HTTP/1.1 few, over HTTP/2 all. */

import { finished } from 'node:stream/promises';
import t, { type Test } from 'tap';
import { parseSumdb } from '../../src/config/sumdb.js';
import { SumDB, type Lookups } from '../../src/client/sumdb.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { answerOf } from '../../src/testing/answer.js';
import { openRemote } from '../../src/transport/remote.js';
import { serveHttp2, servePlain, serveTls, testEnv, type TestServer } from '../transport/servers.js';
import { MODULES, newLog } from './rig.js';

/** Lookups that go out beside the question for the newest head. */
const FEW = 4;

interface Wide {
  readonly server: TestServer;
  /** Lookups that the server was sent so far. */
  lookups(): number;
  /** Looks all modules up. */
  run(): Promise<Lookups>;
}

/**
 * A client of a log, whose server holds answers back.
 *
 * @param hold waits for what an answer waits for; gives whether the connection is ended in place of an answer.
 * @param announces whether the answer to `latest` announces bulk queries, which are answered with 404 all the same.
 */
async function newWide(t: Test, serve: typeof servePlain | typeof serveTls | typeof serveHttp2, hold: (path: string, lookups: number) => Promise<boolean>, announces = false): Promise<Wide> {
  const log = newLog(3000);
  let lookups = 0;
  const server = await serve(t, (request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/lookup/')) lookups++;
    const answer = async (): Promise<void> => {
      if (await hold(path, lookups)) return void response.destroy();
      const { status, headers, body } = await answerOf(log, path);
      response.writeHead(status, { ...headers, ...(announces && path === '/latest' ? { 'gosumcheck-bulk': 'v1' } : {}) });
      await finished(response.end(body)).catch(() => undefined);
    };
    void answer();
  });
  const sumdb = parseSumdb({ value: `${log.vkey} ${server.url}`, from: 'test' });
  const source = openRemote({ sumdb, proxies: [], env: testEnv(), deadline: Date.now() });
  t.teardown(() => source.close());
  return {
    server,
    lookups: () => lookups,
    run: () => new SumDB({ key: log.key, source, store: openMemoryStore() }).lookup(MODULES),
  };
}

function resolvable(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

t.test('over HTTP/1.1 few go out before the newest head has come, and none of the others where that announces bulk queries', async (t) => {
  for (const serve of [servePlain, serveTls]) {
    const few = resolvable();
    const never = resolvable();
    const wide = await newWide(
      t,
      serve,
      async (path, lookups) => {
        if (lookups === FEW) few.resolve();
        if (path === '/latest') await few.promise;
        else if (path.startsWith('/lookup/') && lookups <= FEW) await never.promise; // given up, and asked again when the bulk query is not answered
        return false;
      },
      true,
    );
    const { results } = await wide.run();
    t.equal(wide.lookups(), FEW + MODULES.length, 'the few, and all of them when the bulk query is not answered');
    t.ok([...results.values()].every((found) => 'record' in found));
    never.resolve();
  }
});

t.test('over HTTP/1.1 all others go out when the newest head has come, or failed, or the few have', async (t) => {
  for (const first of ['comes', 'fails', 'few']) {
    const rest = resolvable();
    const few = resolvable();
    const wide = await newWide(t, serveTls, async (path, lookups) => {
      if (lookups === FEW) few.resolve();
      if (lookups === MODULES.length) rest.resolve();
      if (path === '/latest') {
        await few.promise;
        if (first === 'few') await rest.promise;
        return first === 'fails';
      }
      if (first !== 'few' && path.startsWith('/lookup/')) await rest.promise;
      return false;
    });
    const { results } = await wide.run();
    t.equal(wide.lookups(), MODULES.length, first);
    t.ok([...results.values()].every((found) => 'record' in found), first);
  }
});

t.test('over HTTP/2 all go out at once, as nothing is lost by it', async (t) => {
  const all = resolvable();
  const wide = await newWide(t, serveHttp2, async (_path, lookups) => {
    if (lookups === MODULES.length) all.resolve();
    await all.promise; // nothing is answered before
    return false;
  });
  const { results } = await wide.run();
  t.equal(wide.lookups(), MODULES.length);
  t.ok([...results.values()].every((found) => 'record' in found));
});
