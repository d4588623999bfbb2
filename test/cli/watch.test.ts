import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { openStore } from '../../src/store/open.js';
import { madeUpHash } from '../../src/testing/index.js';
import { until } from '../wait.js';
import { hashesOf, linesOf, newFile, OTHER, run, start } from './wholeplace.js';

t.test('what is new since the last run, and where the first begins', async (t) => {
  const { log, folder, keep } = await newFile(t);
  const first = await run(t, folder, 'watch', 'example.com/team');
  t.match(first, { code: 0, out: '', err: /no mark "example\.com\/team" yet: it begins at record 602, with what comes from now on; --since all/ });
  t.match(await run(t, folder, 'watch', 'example.com/team'), { code: 0, out: '', err: /no new records/ });
  log.add('example.com/team', 'v1.0.0');
  log.add('example.com/teams', 'v1.1.0');
  log.fill(700).add('example.com/team/b', 'v0.2.0');
  await keep(Date.UTC(2026, 0, 2));
  const peeked = await run(t, folder, 'watch', 'example.com/team/...', '--name', 'example.com/team', '--peek');
  t.strictSame([peeked.code, peeked.out], [0, 'example.com/team v1.0.0  record 602  seen 2026-01-02T00:00:00.000Z\nexample.com/team/b v0.2.0  record 700  seen 2026-01-02T00:00:00.000Z\n']);
  const again = await run(t, folder, 'watch', 'example.com/team');
  t.equal(again.out, peeked.out, 'a peek moves nothing');
  t.equal((await run(t, folder, 'watch', 'example.com/team')).out, '', 'and a run does');
  t.match((await run(t, folder, 'watch', '*.com/teams')).err, 'no mark', 'other patterns have a mark of their own');
  const all = await run(t, folder, 'watch', 'example.com/teams', '--since', 'all', '--hashes', '--format', 'json');
  t.strictSame(linesOf(all.out), [
    { module: 'example.com/teams', version: 'v1.0.0', record: 301, hashes: hashesOf('example.com/teams v1.0.0'), repeats: [], seen: '1970-01-01T00:00:00.000Z', alarm: null },
    { module: 'example.com/teams', version: 'v1.1.0', record: 603, hashes: hashesOf('example.com/teams v1.1.0'), repeats: [], seen: '2026-01-02T00:00:00.000Z', alarm: null },
  ]);
  await run(t, folder, 'watch', 'example.com/team', '--since', '999999');
  log.add('example.com/team/z', 'v1.0.0');
  await keep();
  t.match((await run(t, folder, 'watch', 'example.com/team')).out, /team\/z/, 'the mark is never beyond what there is');
  t.match((await run(t, folder, 'watch', 'example.com/teams', '--since', '302', '--peek')).out, /^example\.com\/teams v1\.1\.0 .*\n$/);
});

t.test('what is not expected is an alarm', async (t) => {
  const { log, folder, keep } = await newFile(t);
  const known = [
    '# what we have published',
    '',
    `example.com/team/a v1.0.0 ${madeUpHash('example.com/team/a v1.0.0')}`,
    `example.com/team/a v1.0.0/go.mod ${madeUpHash('example.com/team/a v1.0.0/go.mod')}`,
    'example.com/team/a@v1.9.0',
    'example.com/team/a@v1.10.0',
    `example.com/team/b v0.1.0/go.mod ${madeUpHash('example.com/team/b v0.1.0/go.mod')}`,
    '',
  ].join('\n');
  writeFileSync(path.join(folder, 'known'), known);
  const watch = ['watch', 'example.com/team', '--expect', 'known'];
  const good = await run(t, folder, ...watch, '--quiet');
  t.strictSame([good.code, good.out, good.err], [0, '', ''], 'all of the log from the beginning');

  log.add('example.com/team/a', 'v1.11.0');
  await keep();
  const more = await run(t, folder, ...watch);
  t.match(more, { code: 1, out: /^ALARM: not expected: example\.com\/team\/a v1\.11\.0 {2}record 602 / });
  t.match(more.err, '1 ALARM\n');
  t.match(await run(t, folder, 'watch', 'example.com/team'), { err: /no mark/ }, 'who only looks has another mark');
  t.match(await run(t, folder, ...watch), { code: 0, out: '' }, 'an alarm comes once');
  t.match(await run(t, folder, ...watch, '--name', 'another'), { code: 1, err: /begins at the beginning/ }, 'and a first run looks at all that there is');
  t.match(await run(t, folder, ...watch, '--since', 'all', '--peek', '--quiet'), { code: 1, out: /^ALARM[^\n]*v1\.11\.0[^\n]*\n$/ }, 'or each time');

  for (const line of [`example.com/team/b v0.1.0 ${OTHER}`, `example.com/team/b v0.1.0/go.mod ${OTHER}`]) {
    writeFileSync(path.join(folder, 'wrong'), `${known.replace(/^example.com\/team\/b .*$/m, '')}example.com/team/a@v1.11.0\n${line}\n`);
    const wrong = await run(t, folder, 'watch', 'example.com/team', '--expect', 'wrong', '--since', 'all', '--quiet', '--format', 'json');
    t.match(linesOf(wrong.out)[0], { module: 'example.com/team/b', version: 'v0.1.0', record: 300, alarm: 'other-hashes', expected: line.includes('go.mod') ? { module: null, goMod: OTHER } : { module: OTHER, goMod: null } });
    t.equal(wrong.code, 1);
  }
  const said = await run(t, folder, 'watch', 'example.com/team/b', '--expect', 'wrong', '--since', 'all');
  t.ok(said.out.startsWith('ALARM: OTHER HASHES than expected: example.com/team/b v0.1.0'), said.out);
  t.ok(said.out.endsWith(`  expected:\n  example.com/team/b v0.1.0/go.mod ${OTHER}\n`), said.out);
});

t.test('a version that the log has twice', async (t) => {
  const { log, folder, keep } = await newFile(t);
  log.add('example.com/team/b', 'v0.1.0', { module: OTHER });
  log.add('example.com/team/a', 'v1.9.0');
  await keep();
  const { code, out } = await run(t, folder, 'watch', 'example.com/team', '--since', '602', '--format', 'json');
  t.match(linesOf(out), [
    { record: 602, repeats: [{ record: 300, sameHashes: false }], alarm: 'repeated' },
    { record: 603, repeats: [{ record: 601, sameHashes: true }], alarm: null },
  ]);
  t.equal(code, 1);
  const listed = await run(t, folder, 'list', 'example.com/team/b');
  t.equal(listed.out, 'example.com/team/b v0.1.0  record 300  REPEATED: also record 602, with other hashes\nexample.com/team/b v0.1.0  record 602  REPEATED: also record 300, with other hashes\n');
});

t.test('a log that was seen to misbehave', async (t) => {
  const { log, folder, file } = await newFile(t);
  const fork = log.clone();
  log.fill(610);
  fork.add('example.com/other', 'v1.0.0');
  fork.fill(620);
  const proof = Buffer.concat([fork.treeHead(610).hash, fork.proveTree(610)]);
  const { store } = await openStore({ file });
  await store.addEvidence({ key: log.vkey, foundAt: '2025-01-01T00:00:00Z', older: log.head(), newer: log.head(), proof: new Uint8Array(32) });
  await store.addEvidence({ key: log.vkey, foundAt: '2026-01-01T00:00:00Z', older: log.head(), newer: fork.head(), proof });
  await store.close();
  t.match(await run(t, folder, 'watch', 'example.com/team', '--quiet'), { code: 1, out: '', err: 'gosumcheck: FORK: log.example was seen to misbehave at 2026-01-01T00:00:00Z: see gosumcheck evidence --data data.db\n' });
  t.match(await run(t, folder, 'list', 'example.com/teams'), { code: 0, err: /FORK/ });
});

t.test('--follow sees the file grow in another process', async (t) => {
  const { log, folder, keep } = await newFile(t);
  const follow = start(t, folder, ['watch', 'example.com/team', '--follow', '--poll', '50ms', '--since', 'all', '--data', 'data.db']);
  t.ok(await until(() => follow.out().split('\n').length === 5), 'what is there');
  for (const version of ['v2.0.0', 'v2.1.0', 'v2.2.0']) {
    log.fill(log.size + 200).add('example.com/team/c', version);
    await keep();
    t.ok(await until(() => follow.out().includes(`example.com/team/c ${version}  record`)), version);
  }
  follow.kill('SIGINT');
  const ended = await follow.ended;
  t.equal(ended.code, 130);
  t.equal(ended.out.split('\n').length, 8, 'each once');
  t.match(await run(t, folder, 'watch', 'example.com/team'), { code: 0, out: '', err: /no new records/ }, 'and the mark is where it was left');
  log.add('example.com/team/b', 'v0.1.0', { module: OTHER });
  const alarm = start(t, folder, ['watch', 'example.com/team', '--follow', '--poll', '50ms', '--data', 'data.db']);
  await keep();
  t.ok(await until(() => alarm.out().includes('ALARM')), 'the alarm');
  alarm.kill('SIGINT');
  t.equal((await alarm.ended).code, 1, 'an alarm weighs more than who ended it');
});

t.test('the mark moves only once the output was read', { skip: process.platform === 'win32' && 'pipes of Windows do not tell' }, async (t) => {
  const { folder } = await newFile(t);
  const gone = start(t, folder, ['watch', 'example.com/team', '--since', 'all', '--data', 'data.db']);
  gone.hangUp();
  t.equal((await gone.ended).code, 0);
  t.equal((await run(t, folder, 'watch', 'example.com/team')).out.split('\n').length, 5, 'it comes again');
});
