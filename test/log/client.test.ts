/** A log of one's own over HTTP, asked by x/mod's own client, and by ours with bulk queries. */

import { spawn } from 'node:child_process';
import t from 'tap';
import { SumDB } from '../../src/client/sumdb.js';
import { isGosumError } from '../../src/errors.js';
import { textAnswer } from '../../src/server/answers.js';
import { listen } from '../../src/server/server.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openHttpSource } from '../../src/transport/http.js';
import { parseGoUrl } from '../../src/config/gourl.js';
import { buildGoProgram, GO_TIMEOUT } from '../goprogram.js';
import { openLog, records, VKEY, type OpenLog } from './rig.js';

async function serve(t: { teardown(end: () => unknown): unknown }, { database }: OpenLog, asked: string[] = []): Promise<string> {
  const server = await listen('127.0.0.1', 0, { databases: [database], page: () => textAnswer(200, ''), access: ({ route }) => asked.push(route) });
  t.teardown(() => server.close());
  return server.url;
}

/** Asks x/mod's client for all of them; the lines that it believes, or what it says. */
function askGo(program: string, url: string, wanted: readonly { module: string; version: string }[]): Promise<{ ok: boolean; out: string[] }> {
  const input = [VKEY, url, ...wanted.flatMap(({ module, version }) => [module, version])].map((text) => Buffer.from(text).toString('base64'));
  const child = spawn(program);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stdin.end(`${JSON.stringify({ op: 'client', in: input })}\n`);
  return new Promise((resolve) => child.once('close', () => resolve(JSON.parse(stdout) as { ok: boolean; out: string[] })));
}

t.test('x/mod verifies every record', { timeout: GO_TIMEOUT }, async (t) => {
  const folder = t.testdir();
  const built = buildGoProgram(folder);
  if (built.program === undefined) {
    t.comment(`NOT TESTED: ${built.why}`);
    return;
  }
  const { program } = built;
  const open = openLog(t, folder);
  await open.log.begin();
  const url = await serve(t, open);
  for (const size of [1, 257, 700]) {
    const before = (await open.database.head()).size;
    await open.log.add(records(before, size));
    const wanted = records(0, size);
    const { ok, out } = await askGo(program, url, wanted);
    t.ok(ok, out[0] ?? '');
    t.same(out, wanted.flatMap(({ module, version, h1, goMod }) => [`${module} ${version} ${h1}`, `${module} ${version}/go.mod ${goMod}`]));
  }
  const { ok, out } = await askGo(program, url, records(700, 701));
  t.notOk(ok);
  t.match(out[0], /404/);
});

t.test('our own client, by bulk queries', async (t) => {
  const open = openLog(t, t.testdir());
  await open.log.begin();
  await open.log.add(records(0, 600));
  const asked: string[] = [];
  const url = await serve(t, open, asked);
  const store = openMemoryStore();
  for (const size of [600, 1000]) {
    if (size > 600) await open.log.add(records(600, size));
    const source = openHttpSource(parseGoUrl(url));
    const db = new SumDB({ key: VKEY, source, store });
    const wanted = [...records(size - 200, size), { module: 'example.com/unknown', version: 'v1.0.0' }];
    const { results, head } = await db.lookup(wanted, { fresh: true });
    await source.close();
    t.equal(head?.size, size);
    const errors = [...results.values()].filter((result) => isGosumError(result));
    t.same([results.size, errors.length], [201, 1]);
    t.ok(isGosumError(errors[0], 'NOT_FOUND'));
  }
  t.ok(asked.includes('bulk'));
});
