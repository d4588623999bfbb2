/** `gosumcheck serve` in operation: metrics, log, TLS, draining, several processes. */

import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import t from 'tap';
import { newCertificate } from '../../src/testing/index.js';
import { until } from '../wait.js';
import { newPlace } from './place.js';
import { serve, text } from './served.js';

const PRIVATE = 'corp.example/secret';

/** The value of a metric, 0 where it is not there. */
function valueOf(metrics: string, name: string): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

t.test('metrics and log', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const mirror = await serve(t, place, ['--access-log', '--metrics-listen', '127.0.0.1:0'], { GOPRIVATE: 'corp.example' });
  const lookup = '/lookup/example.com/beta@v1.0.0';
  await text(`${mirror.url}${lookup}?token=hidden`, { headers: { 'x-request-id': 'one' } });
  await text(mirror.url + lookup);
  await text(`${mirror.url}/lookup/${PRIVATE}@v1.0.0`);
  await text(`${mirror.url}/tile/8/0/001`);
  await text(`${mirror.url}/${PRIVATE}/@v/list`);
  t.equal((await text(`${mirror.url}/metrics`)).status, 404, 'they are elsewhere');
  const at = String((await mirror.said(({ msg }) => msg === 'metrics')).url);
  t.equal((await text(`${at}/readyz`)).status, 200);
  t.equal((await text(`${at}/latest`)).status, 404, 'and nothing else is there');
  const metrics = await text(`${at}/metrics`);
  t.match(metrics.headers['content-type'], 'text/plain; version=0.0.4');
  const values: Record<string, number> = {
    'gosumcheck_http_requests_total{route="lookup",code="200"}': 2,
    'gosumcheck_http_requests_total{route="lookup",code="404"}': 1,
    'gosumcheck_http_requests_total{route="tile",code="200"}': 1,
    'gosumcheck_http_request_duration_seconds_count{route="lookup"}': 3,
    'gosumcheck_cache_answers_total{kind="lookup",layer="upstream"}': 1,
    'gosumcheck_cache_answers_total{kind="lookup",layer="memory"}': 1,
    [`gosumcheck_head_size{database="${place.log.name}"}`]: 2000,
    [`gosumcheck_fork_detected{database="${place.log.name}"}`]: 0,
    [`gosumcheck_upstream_way_in_service{database="${place.log.name}",way="${place.served.url}"}`]: 1,
    gosumcheck_store_rows_refused_total: 0,
    gosumcheck_store_files_set_aside_total: 0,
    gosumcheck_store_changes_unkept_total: 0,
  };
  for (const [name, value] of Object.entries(values)) t.equal(valueOf(metrics.body, name), value, name);
  t.ok(valueOf(metrics.body, `gosumcheck_upstream_requests_total{way="${place.served.url}",outcome="ok"}`) >= 2);
  const now = Date.now() / 1000;
  for (const name of ['verified', 'grown']) {
    const age = now - valueOf(metrics.body, `gosumcheck_head_${name}_timestamp_seconds{database="${place.log.name}"}`);
    t.ok(age >= 0 && age < 60, name);
  }
  t.match(metrics.body, /gosumcheck_build_info\{version="\d/);
  t.match(metrics.body, /process_cpu_seconds_total/);

  t.match(await mirror.said(({ msg }) => msg === 'tree head moved'), { level: 'info', size: 2000, database: place.log.name });
  t.match(await mirror.said(({ request }) => request === 'one'), { method: 'GET', route: 'lookup', module: 'example.com/beta@v1.0.0', status: 200, client: '127.0.0.1' });
  t.match(await mirror.said(({ status }) => status === 404), { route: 'lookup', database: place.log.name });
  const { stderr, code } = await mirror.end('SIGTERM');
  t.equal(code, 0);
  t.notMatch(stderr, 'secret', 'no private name');
  t.notMatch(stderr, 'hidden', 'no query');
});

t.test('a head that is not verified for long is an alarm, and no more when it is', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const mirror = await serve(t, place, ['--poll', '100ms', '--head-age-alarm', '600ms', '--log-level', 'info']);
  t.ok(await until(async () => (await text(`${mirror.url}/readyz`)).status === 200));
  place.served.answer = (_, answer) => ({ ...answer, status: 404 });
  await mirror.said(({ msg }) => String(msg).startsWith('ALARM'));
  // a machine that is busy for long may have raised an alarm before that, and may again
  const isAlarm = async (): Promise<boolean> => {
    const { status, body } = await text(`${mirror.url}/readyz`);
    t.equal(status, 200);
    return /: upstream: [^]*: ALARM: /.test(body);
  };
  t.ok(await until(isAlarm, 100));
  await mirror.said(({ msg }) => msg === 'upstream fails');
  t.match(mirror.logged().filter(({ msg }) => msg === 'upstream fails'), { length: 1 });
  place.served.answer = (_, answer) => answer;
  await mirror.said(({ msg }) => msg === 'a tree head was verified again');
  await mirror.said(({ msg }) => msg === 'upstream answers again');
  t.ok(await until(async () => !(await text(`${mirror.url}/readyz`)).body.includes('ALARM'), 100));
  await mirror.end('SIGTERM');
});

t.test('draining: not ready any more, and what is under way is answered', { buffered: true }, async (t) => {
  const place = await newPlace(t);
  const mirror = await serve(t, place, ['--metrics-listen', '127.0.0.1:0']);
  const at = String((await mirror.said(({ msg }) => msg === 'metrics')).url);
  t.ok(await until(async () => (await text(`${mirror.url}/readyz`)).status === 200));
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  place.served.answer = (_, answer) => held.then(() => answer);
  const late = text(`${mirror.url}/lookup/example.com/beta@v1.0.0`);
  t.ok(await until(() => place.asked().some((asked) => asked.startsWith('/lookup/'))));
  const ended = mirror.end('SIGTERM');
  t.ok(await until(async () => (await text(`${at}/readyz`)).status === 503));
  t.match((await text(`${at}/readyz`)).body, /^draining\n/);
  letGo();
  t.equal((await late).status, 200);
  t.equal((await ended).code, 0);
});

t.test('https', { buffered: true }, async (t) => {
  const { cert, key } = newCertificate();
  const place = await newPlace(t, { 'cert.pem': cert, 'key.pem': key });
  const mirror = await serve(t, place, ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem']);
  t.match(mirror.url, /^https:/);
  const ask = (ca: string): Promise<number | undefined> =>
    new Promise((resolve) => {
      request(`${mirror.url}/latest`, { ca, agent: false }, (response) => resolve(response.resume().statusCode))
        .on('error', () => resolve(undefined))
        .end();
    });
  t.equal(await ask(cert), 200);
  if (process.platform === 'win32') t.comment('NOT TESTED: there is no SIGHUP');
  else {
    const other = newCertificate();
    writeFileSync(path.join(place.folder, 'cert.pem'), other.cert);
    writeFileSync(path.join(place.folder, 'key.pem'), other.key);
    mirror.kill('SIGHUP');
    t.ok(await until(async () => (await ask(other.cert)) === 200), 'the new certificate');
  }
  await mirror.end('SIGTERM');
  t.equal((await place.run(['serve', '--data', 'x.db', '--tls-cert', 'none.pem', '--tls-key', 'key.pem'])).code, 2);
  writeFileSync(path.join(place.folder, 'cert.pem'), 'no certificate');
  const none = await place.run(['serve', '--data', 'x.db', '--listen', '127.0.0.1:0', '--tls-cert', 'cert.pem', '--tls-key', 'key.pem']);
  t.match(none, { code: 2, stderr: /cert\.pem/ });
  t.notMatch(none.stderr, 'mistake in gosumcheck');
  const taken = await place.run(['serve', '--data', 'x.db', '--listen', place.served.url.slice('http://'.length)]);
  t.match(taken, { code: 2, stderr: /listen 127\.0\.0\.1:/ });
  t.notMatch(taken.stderr, 'mistake in gosumcheck');
});

t.test('several processes on one file', { buffered: true, skip: process.platform === 'win32' && 'signals end processes at once there' }, async (t) => {
  const place = await newPlace(t);
  const mirror = await serve(t, place, ['--workers', '2', '--access-log']);
  t.ok(await until(async () => (await text(`${mirror.url}/readyz`)).status === 200));
  const close = { headers: { connection: 'close' } };
  // both answer, once both are there; and each one's log has come, too
  let asked = 0;
  const lookups = (): unknown[] => mirror.logged().filter(({ route }) => route === 'lookup').map(({ worker }) => worker);
  const both = async (): Promise<boolean> => {
    for (let i = 0; i < 20; i++, asked++) t.equal((await text(`${mirror.url}/lookup/example.com/beta@v1.0.0`, close)).status, 200);
    t.ok(await until(() => lookups().length === asked), 'all is in the log');
    return new Set(lookups()).size === 2;
  };
  t.ok(await until(both, 100));
  t.strictSame(new Set(lookups()), new Set([1, 2]));
  const { body } = await text(`${mirror.url}/metrics`);
  t.equal(valueOf(body, 'gosumcheck_http_requests_total{route="lookup",code="200"}'), asked, 'added up');
  t.equal(valueOf(body, `gosumcheck_head_size{database="${place.log.name}"}`), 2000, 'and not what is no sum');

  const listening = (): number[] => mirror.logged().filter(({ msg }) => msg === 'listening').map(({ pid }) => Number(pid));
  t.ok(await until(() => listening().length === 2));
  const pids = listening();
  process.kill(pids[0]!, 'SIGKILL');
  await mirror.said(({ msg, worker }) => msg === 'listening' && worker === 3); // a dead one is started again
  t.equal((await text(`${mirror.url}/lookup/example.com/beta@v1.0.0`, close)).status, 200);
  t.equal((await mirror.end('SIGTERM')).code, 0);
  t.strictSame(pids.filter(isAlive), [], 'none is left');
  const failed = await place.run(['serve', '--data', 'x.db', '--workers', '2', '--tls-cert', 'none', '--tls-key', 'none']);
  t.equal(failed.code, 2, 'where none can begin it says so, and ends');
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
