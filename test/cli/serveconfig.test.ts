/** The configuration of the mirror: what goes before what, and that an error names its key and the file. */

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import t from 'tap';
import { processes } from '../../src/cli/flags.js';
import type { Host } from '../../src/cli/host.js';
import { readServeConfig, SERVE_DEFAULTS, type ServeOptions } from '../../src/cli/serveconfig.js';
import { openEnvironment } from '../../src/config/environment.js';
import { isGosumError } from '../../src/errors.js';
import { newLog, newPlace, ROOT } from './place.js';
import { serve, text } from './served.js';

const FULL = `
listen = "[::1]:80"
data = "data/sumdb.db"
poll = "1m30s"
timeout = "5s"
head-age-alarm = "2h"
metrics-listen = "127.0.0.1:9090"
log-level = "warn"
access-log = true
tls-cert = "cert.pem"
tls-key = "/etc/key.pem"
workers = 4
memory = "32MiB"

[limits]
max-connections = 100
client-rate = 10
client-burst = 20
client-queue = 30

[[database]]
name = "sum.golang.org"
ways = ["https://sums.example", "direct", "proxy"]
private = ["corp.example", "*.corp.example"]

[[database]]
sumdb = "KEY https://other.example/db"
`;

function hostAt(cwd: string): Host {
  const output = (): Writable => new Writable({ write: (_part, _encoding, done) => done() });
  return { stdin: Readable.from([]), stdout: output(), stderr: output(), env: openEnvironment({}), cwd, interrupted: new AbortController().signal };
}

t.test('a whole file, and flags before it', async (t) => {
  const folder = t.testdir({ etc: { 'serve.toml': FULL } });
  const host = hostAt(folder);
  const config = path.join('etc', 'serve.toml');
  const want = {
    listen: { host: '::1', port: 80 },
    data: path.join(folder, 'etc', 'data', 'sumdb.db'),
    poll: 90_000,
    timeout: 5000,
    headAgeAlarm: 7_200_000,
    metricsListen: { host: '127.0.0.1', port: 9090 },
    logLevel: 'warn',
    accessLog: true,
    tls: { cert: path.join(folder, 'etc', 'cert.pem'), key: path.resolve('/etc/key.pem') },
    workers: 4,
    memory: 32 * 1024 * 1024,
    maxConnections: 100,
    clientRate: 10,
    clientBurst: 20,
    clientQueue: 30,
    databases: [
      {
        sumdb: { value: 'sum.golang.org', from: `${config}: database.0.name` },
        ways: ['https://sums.example', 'direct', 'proxy'],
        private: ['corp.example', '*.corp.example'],
      },
      { sumdb: { value: 'KEY https://other.example/db', from: `${config}: database.1.sumdb` }, ways: undefined, private: undefined },
    ],
  };
  t.strictSame(await readServeConfig(host, { config }), want);
  t.strictSame(await readServeConfig(host, { config, listen: '0.0.0.0:1', data: 'x.db', poll: 1000, clientRate: 0, sumdb: 'one.example' }), {
    ...want,
    listen: { host: '0.0.0.0', port: 1 },
    data: path.join(folder, 'x.db'),
    poll: 1000,
    clientRate: 0,
    databases: [{ sumdb: { value: 'one.example', from: '--sumdb' }, ways: undefined, private: undefined }],
  });
  const defaults = { ...SERVE_DEFAULTS, listen: { host: '127.0.0.1', port: 8080 } };
  t.match(await readServeConfig(host, { data: 'x.db' }), { ...defaults, databases: [{ sumdb: undefined }] });
});

t.test('as many workers as processors', async (t) => {
  const folder = t.testdir({ 'auto.toml': 'workers = "auto"\n' });
  const workers = Math.min(availableParallelism(), 128);
  t.match(await readServeConfig(hostAt(folder), { data: 'x.db', config: 'auto.toml' }), { workers });
  t.match(await readServeConfig(hostAt(folder), { data: 'x.db', workers: processes('auto') }), { workers });
  t.strictSame(['1', '128'].map(processes), [1, 128]);
  for (const bad of ['0', '129', '1000', '01', '-1', '1.5', 'Auto', '']) t.throws(() => processes(bad), /Want auto, or a number from 1 to 128/, bad);
});

t.test('the example of docs/serve.md is one, with every key', async (t) => {
  const docs = readFileSync(path.join(ROOT, 'docs', 'serve.md'), 'utf8');
  const [, toml = ''] = /```toml\n([^]*?)```/.exec(docs) ?? [];
  const folder = t.testdir({ 'serve.toml': toml });
  const config = await readServeConfig(hostAt(folder), { config: 'serve.toml' });
  t.equal(config.databases.length, 2);
  t.strictSame(Object.entries(config).filter(([, value]) => value === undefined), []);
});

t.test('what is wrong is named', async (t) => {
  const folder = t.testdir();
  const host = hostAt(folder);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['lisen = "x"', /^s\.toml: lisen: /],
    ['listen = "8080"', /^s\.toml: listen: /],
    ['listen = 8080', /^s\.toml: listen: /],
    ['listen = "a:99999"', /^s\.toml: listen: /],
    ['poll = "0"', /^s\.toml: poll: /],
    ['poll = "5"', /^s\.toml: poll: /],
    ['timeout = "1000h"', /^s\.toml: timeout: /],
    ['log-level = "loud"', /^s\.toml: log-level: /],
    ['access-log = "yes"', /^s\.toml: access-log: /],
    ['workers = 0', /^s\.toml: workers: /],
    ['workers = 1.5', /^s\.toml: workers: /],
    ['workers = "all"', /^s\.toml: workers: want auto, or a whole number/],
    ['[limits]\nrate = 1', /^s\.toml: limits\.rate: /],
    ['[limits]\nclient-burst = 0', /^s\.toml: limits\.client-burst: /],
    ['database = []', /^s\.toml: database: /],
    ['[[database]]\nname = "a"\nsumdb = "b"', /^s\.toml: database\.0: /],
    ['[[database]]\nprivate = []', /^s\.toml: database\.0: /],
    ['[[database]]\nname = "a"\n[[database]]\nname = ""', /^s\.toml: database\.1\.name: /],
    ['[[database]]\nname = "a"\nways = []', /^s\.toml: database\.0\.ways: /],
    ['[[database]]\nname = "a"\nprivate = ["a,b"]', /^s\.toml: database\.0\.private\.0: /],
    ['[[database]]\nname = "a"\nprivate = [" b"]', /^s\.toml: database\.0\.private\.0: /],
    ['listen = ', /^s\.toml: line 1: /],
    ['tls-cert = "a"', /tls-key/],
    ['tls-key = "a"', /tls-cert/],
  ];
  const failure = async (options: ServeOptions): Promise<unknown> => readServeConfig(host, options).then(() => undefined, (error: unknown) => error);
  for (const [toml, message] of cases) {
    writeFileSync(path.join(folder, 's.toml'), toml);
    const error = await failure({ config: 's.toml', data: 'x.db' });
    t.ok(isGosumError(error, 'CONFIG_INVALID') && message.test(error.message), `${toml}: ${String(error)}`);
  }
  writeFileSync(path.join(folder, 's.toml'), '');
  t.match(await failure({ config: 's.toml' }), { code: 'CONFIG_INVALID' }, 'no data file');
  t.match(await failure({ data: 'x.db', listen: 'x' }), { code: 'CONFIG_INVALID' });
  t.match(await failure({ config: 'none.toml' }), { code: 'FILE_FAILED' });
});

t.test('several databases in one process, by a file', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const other = await newPlace({ testdir: () => place.folder, teardown: (end) => t.teardown(end) }, {}, { log: newLog(700, 'sums.example/go/private') });
  const toml = (name: string, second: string): void =>
    writeFileSync(
      path.join(place.folder, name),
      `listen = "127.0.0.1:0"\ndata = "several.db"\n
[[database]]\nsumdb = "${place.log.vkey}"\nways = ["${place.served.url}"]\nprivate = ["example.com/gamma"]\n${second}`,
    );
  toml('several.toml', `[[database]]\nsumdb = "${other.log.vkey} ${other.served.url}"\n`);
  const mirror = await serve(t, place, ['--config', 'several.toml'], { GOPRIVATE: 'example.com/beta' });
  const statusOf = async (at: string): Promise<number> => (await text(mirror.url + at)).status;
  t.match((await text(`${mirror.url}/latest`)).body, `— ${place.log.name} `);
  t.match((await text(`${mirror.url}/sumdb/${other.log.name}/latest`)).body, `— ${other.log.name} `);
  t.equal(await statusOf(`/sumdb/${place.log.name}/lookup/example.com/beta@v1.0.0`), 200, 'its own globs stand for GOPRIVATE');
  t.equal(await statusOf('/lookup/example.com/gamma@v1.0.0'), 404);
  t.equal(await statusOf(`/sumdb/${other.log.name}/lookup/example.com/beta@v1.0.0`), 404, 'GOPRIVATE where it has no globs');
  t.equal(await statusOf(`/sumdb/${other.log.name}/lookup/example.com/gamma@v1.0.0`), 200);
  t.strictSame((await mirror.end('SIGTERM')).code, 0);

  for (const second of [`[[database]]\nsumdb = "${place.log.vkey}"\n`, `[[database]]\nsumdb = "${other.log.vkey} ${other.served.url}"\nways = ["direct"]\n`, '[[database]]\nname = "off"\n']) {
    toml('bad.toml', second);
    t.equal((await place.run(['serve', '--config', 'bad.toml'])).code, 2, second);
  }
});
