/** The real go command and ours, on one log: what go has asked is enough for us, and what go believes unasked we refuse. */

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { h1OfGoMod } from '../../src/core/h1.js';
import { encodeUtf8 } from '../../src/core/text.js';
import { TestLog } from '../../src/testing/index.js';
import { goHome } from '../quietgo.js';
import { newPlace, outcomes, type Files, type Place } from './place.js';

const MODULE = 'example.com/a';
const GO_MOD = `module ${MODULE}\n`;
const EVIL = `module ${MODULE}\n\n// not what was published\n`;

const lineFor = (goMod: string): string => `${MODULE} v1.0.0/go.mod ${h1OfGoMod(encodeUtf8(goMod))}\n`;

/** Runs `go list -m all`, which needs the go.mod of the module; gives what go says where it fails. `gopath` is below the place. */
async function goList(place: Place, gopath: string, proxy: string): Promise<string | undefined> {
  const home = path.join(place.folder, gopath);
  const env = goHome(home, {
    GOPATH: home,
    GOSUMDB: `${place.log.vkey} ${place.served.url}`,
    GOPROXY: new URL(`file://${process.platform === 'win32' ? '/' : ''}${path.join(place.folder, proxy).replaceAll('\\', '/')}`).href,
  });
  try {
    await promisify(execFile)('go', ['list', '-m', 'all'], { cwd: path.join(place.folder, 'main'), env });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { code: unknown; stderr?: string };
    if (code === 'ENOENT') return 'no go command';
    return stderr ?? String(error);
  }
}

t.test('go and gosumcheck', async (t) => {
  const proxyOf = (goMod: string): Files => ({ 'example.com': { a: { '@v': { 'v1.0.0.info': '{"Version":"v1.0.0"}', 'v1.0.0.mod': goMod } } } });
  const log = new TestLog().fill(300);
  log.add(MODULE, 'v1.0.0', { goMod: h1OfGoMod(encodeUtf8(GO_MOD)) });
  const files = { main: { 'go.mod': `module example.com/main\n\ngo 1.20\n\nrequire ${MODULE} v1.0.0\n` }, proxy: proxyOf(GO_MOD), evil: proxyOf(EVIL) };
  const place = await newPlace(t, files, { log: log.fill(700) });
  const goSum = path.join(place.folder, 'main', 'go.sum');

  const first = await goList(place, 'go', 'proxy');
  if (first === 'no go command') {
    t.comment('NOT TESTED: there is no go command');
    return;
  }
  t.equal(first, undefined);
  t.equal(readFileSync(goSum, 'utf8'), lineFor(GO_MOD), 'go has asked the log, and written go.sum');
  t.match(place.asked(), [`/lookup/${MODULE}@v1.0.0`]);

  const env = { GOPATH: path.join(place.folder, 'go') };
  const offline = await place.verify(['main', '--offline', '--no-cache'], { env });
  t.strictSame([offline.code, offline.report.summary.verified, offline.report.database.tree?.size], [0, 1, 700], 'what go has kept of the log is enough');
  t.strictSame(place.asked(), []);
  t.equal((await place.run(['verify', 'main'])).code, 0, 'and the log says the same');

  // an attacker changes the module at its origin, and the line in go.sum: go does not ask about a line that is there
  writeFileSync(goSum, lineFor(EVIL));
  t.equal(await goList(place, 'elsewhere', 'evil'), undefined, 'go believes it');
  t.strictSame(place.asked().filter((path) => path.startsWith('/lookup/')), ['/lookup/example.com/a@v1.0.0'], 'asked by gosumcheck alone');
  const found = await place.verify(['main'], { env });
  t.equal(found.code, 1);
  t.strictSame(outcomes(found.report), [`${path.join('main', 'go.sum')}:1 mismatch HASH_MISMATCH`]);
  t.equal(found.report.results[0]?.expected, h1OfGoMod(encodeUtf8(GO_MOD)));

  // without the line, go asks, and refuses as well
  writeFileSync(goSum, '');
  t.match(await goList(place, 'third', 'evil'), /checksum mismatch[^]*SECURITY ERROR/);
});
