import path from 'node:path';
import t from 'tap';
import { madeUpHash } from '../../src/testing/index.js';
import { keepWhole } from '../mirror/wholefile.js';
import { hashesOf, linesOf, newFile, run, start } from './wholeplace.js';

t.test('the list of a module, and of a prefix', async (t) => {
  const { folder } = await newFile(t);
  const list = async (...args: string[]): Promise<string> => (await run(t, folder, 'list', ...args)).out;
  t.equal(await list('example.com/team/a'), 'example.com/team/a v1.0.0  record 0\nexample.com/team/a v1.9.0  record 601\nexample.com/team/a v1.10.0  record 600\n');
  t.equal(await list('example.com/team/a', '--log-order'), 'example.com/team/a v1.0.0  record 0\nexample.com/team/a v1.10.0  record 600\nexample.com/team/a v1.9.0  record 601\n');
  for (const prefix of ['example.com/team/', 'example.com/team/...']) t.equal(await list(prefix), 'example.com/team/a  3 versions\nexample.com/team/b  1 version\n');
  t.equal(await list('example.com/team/a/...'), 'example.com/team/a  3 versions\n');
  const hashes = await list('example.com/teams', '--hashes');
  t.equal(hashes, `example.com/teams v1.0.0  record 301\n  example.com/teams v1.0.0 ${madeUpHash('example.com/teams v1.0.0')}\n  example.com/teams v1.0.0/go.mod ${madeUpHash('example.com/teams v1.0.0/go.mod')}\n`);
  t.strictSame(linesOf(await list('example.com/teams', '--hashes', '--format', 'json'))[0], { module: 'example.com/teams', version: 'v1.0.0', record: 301, hashes: hashesOf('example.com/teams v1.0.0'), repeats: [] });
  t.strictSame(linesOf(await list('example.com/teams/...', '--format', 'json'))[0], { module: 'example.com/teams', versions: 1 });

  const all = await run(t, folder, 'list', '...');
  const modules = all.out.trimEnd().split('\n').map((line) => line.split(' ')[0]!);
  t.equal(modules.length, 600, 'all that there are');
  t.strictSame(modules, [...modules].sort(), 'in their order');
  const some = await run(t, folder, 'list', '...', '--limit', '3');
  t.match(some, { code: 0, err: /there is more: these are the first 3/ });
  t.equal(some.out.split('\n').length, 4);
  t.match(await run(t, folder, 'list', 'example.com/team/', '--limit', '2'), { code: 0, err: '' }, 'there are no more than that');
});

t.test('help: within 80 columns, with examples and exit codes', async (t) => {
  const { folder } = await newFile(t, 302);
  for (const command of ['list', 'watch']) {
    const { code, out } = await start(t, folder, [command, '--help']).ended;
    t.equal(code, 0);
    t.strictSame(out.split('\n').filter((line) => line.length > 80), []);
    t.match(out, /\nExamples:\n[^]*\nExit codes:\n/);
  }
});

t.test('what is not there', async (t) => {
  const { folder, log } = await newFile(t);
  t.match(await run(t, folder, 'list', 'example.com/team', 'example.com/teams'), { code: 4, out: /^example\.com\/teams v1/, err: /not in the log of log\.example as far as it is kept \(602 records\)\n.*example\.com\/team\/a: gosumcheck list example\.com\/team\/\.\.\./ });
  const cases: [args: string[], says: RegExp][] = [
    [['list', 'example.com/teams@v1.0.0'], /gosumcheck lookup/],
    [['list', 'nodot'], /malformed module path/],
    [['list', '-x'], /unknown option/],
    [['list', 'example.com/teams', '--sumdb', 'sum.golang.org'], /it has log\.example/],
    [['watch', 'example.com/a b'], /never matches/],
    [['watch', '['], /never matches/],
    [['watch', ','], /no pattern/],
    [['watch', 'example.com', '--since', '-1'], /Want the number/],
    [['watch', 'example.com', '--expect', 'none'], /no such file/],
  ];
  await Promise.all(cases.map(async ([args, says]) => t.match(await run(t, folder, ...args), { code: 2, out: '', err: says }, args.join(' '))));
  await keepWhole(path.join(folder, 'begun.db'), log, { unindexed: true });
  for (const args of [['list', 'example.com/teams'], ['watch', 'example.com']]) {
    t.match(await start(t, folder, [...args, '--data', 'begun.db']).ended, { code: 2, out: '', err: /begun\.db: the first sync of log\.example is not done/ });
  }
  t.match(await start(t, folder, ['list', 'example.com/a', '--data', 'none.db']).ended, { code: 2, err: /none\.db: no such file\n.*gosumcheck sync/ });
  t.match(await run(t, folder, 'list', 'example.com/teams', '--sumdb', 'log.example'), { code: 0 });
});

