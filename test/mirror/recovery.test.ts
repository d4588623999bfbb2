/** A mirror whose data file is damaged, and one whose disk is full: no wrong answer, and all answers again. */

import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { Question, Source } from '../../src/contract.js';
import { parseTilePath } from '../../src/core/tile.js';
import { GosumError, isGosumError } from '../../src/errors.js';
import { audit, type Finding } from '../../src/mirror/audit.js';
import { Mirror } from '../../src/mirror/mirror.js';
import { loadBetterSqlite, loadNodeSqlite, type Driver } from '../../src/store/driver.js';
import { openStoreRows } from '../../src/store/open.js';
import { openServerStore, type ServerStore, type ServerStoreOptions } from '../../src/store/server.js';
import { answerOf, type TestLog } from '../../src/testing/index.js';
import { MODULES, newLog } from '../client/rig.js';

const SIZE = 3500;
const TILES = ['tile/8/0/000', 'tile/8/0/007', 'tile/8/1/000.p/13', 'tile/8/0/013.p/172'];

/** What a mirror answers to everything; `undefined` where it answers with an error. */
async function answersOf(mirror: Mirror): Promise<(Uint8Array | undefined)[]> {
  const orNothing = (error: unknown): undefined => {
    if (!isGosumError(error)) throw error;
  };
  // as the server asks
  const answerTo = async (question: Question): Promise<Uint8Array | undefined> =>
    mirror.ready(question) ?? mirror.now(question) ?? (await (question.kind === 'tile' ? mirror.tile(question.tile) : question.kind === 'lookup' ? mirror.lookup(question.module, question.version) : mirror.latest()).catch(orNothing));
  return Promise.all([
    ...MODULES.map(({ module, version }) => answerTo({ kind: 'lookup', module, version })),
    ...TILES.map((name) => answerTo({ kind: 'tile', tile: parseTilePath(name) })),
    answerTo({ kind: 'latest' }),
  ]);
}

async function truth(log: TestLog): Promise<Uint8Array[]> {
  return Promise.all([
    ...MODULES.map(({ module, version }) => log.lookup(module, version)),
    ...TILES.map((name) => log.tile(parseTilePath(name))),
    log.latest(),
  ]);
}

function same(a: readonly (Uint8Array | undefined)[], b: readonly Uint8Array[]): boolean {
  return b.every((bytes, i) => Buffer.compare(a[i] ?? new Uint8Array(), bytes) === 0);
}

/** A way straight into a log, which can be cut off. */
class Upstream implements Source {
  readonly label = 'upstream';
  readonly log: TestLog;
  cut = false;

  constructor(log: TestLog) {
    this.log = log;
  }

  async read(path: string): Promise<Uint8Array> {
    const { status, body } = await answerOf(this.log, path);
    if (this.cut || status !== 200) throw new GosumError('UNREACHABLE', `${path}: ${status}`);
    return body;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Opened {
  readonly mirror: Mirror;
  readonly store: ServerStore;
  readonly notices: string[];
}

/** A mirror on a file, as a new process would have it. It keeps next to nothing in memory. */
async function open(file: string, source: Upstream, options: Partial<ServerStoreOptions> = {}): Promise<Opened> {
  const notices: string[] = [];
  const notice = (text: string): void => void notices.push(text);
  const { key } = source.log;
  const store = await openServerStore({ file, keys: [key], notice, driver: uncached, ...options });
  const mirror = new Mirror({ key, source, store, notice, memory: 4 });
  await mirror.open();
  return { mirror, store, notices };
}

const [first, second] = [loadBetterSqlite(), loadNodeSqlite()];
const driver = typeof first === 'string' ? second : first;
if (typeof driver === 'string') throw new Error(driver);
/** Without its own memory of pages, so that what is on the disk is seen; and without waiting for the disk, for some hundred files. */
const uncached: Driver = {
  name: driver.name,
  open: (file, readOnly) => {
    const connection = driver.open(file, readOnly);
    connection.exec('PRAGMA cache_size = 0');
    return {
      exec: (sql) => connection.exec(sql.replace('synchronous = FULL', 'synchronous = OFF')),
      prepare: (sql) => connection.prepare(sql),
      close: () => connection.close(),
    };
  },
};

/** A file with all that is asked for. */
async function goodFile(t: Test, log: TestLog): Promise<string> {
  const file = path.join(t.testdir(), 'good.db');
  const { mirror, store } = await open(file, new Upstream(log));
  await mirror.refresh();
  t.ok(same(await answersOf(mirror), await truth(log)));
  await store.close();
  return file;
}

/** Positions on every page: the head of each, and others here and there; and the whole head of the file. */
function positionsOf(file: string, more: number): number[] {
  const { size } = statSync(file);
  const positions = Array.from({ length: 100 }, (_, i) => i).filter((i) => i < 32 || i % 4 === 0 || (i > 55 && i < 72));
  let state = 7;
  for (let page = 0; page < size; page += 4096) {
    for (const at of [0, 1, 3, 5, 8, 12]) if (page > 0 && more > 1) positions.push(page + at);
    for (let i = 0; i < more; i++) positions.push(page + ((state = (state * 75 + 74) % 65_537) % 4096));
  }
  return positions;
}

function flip(file: string, at: number): void {
  const fd = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ (1 << (at % 8));
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}

/** No answer is wrong, and after at most one that fails all are right. */
async function checkAnswers(t: Test, { mirror }: Opened, right: readonly Uint8Array[], at: number): Promise<void> {
  const answers = await answersOf(mirror);
  for (const [i, answer] of answers.entries()) {
    if (answer !== undefined && Buffer.compare(answer, right[i]!) !== 0) t.fail(`byte ${at}: a wrong answer to question ${i}`);
  }
  const again = await answersOf(mirror);
  if (!same(again, right)) {
    t.fail(`byte ${at}: it does not answer everything again`, { wrong: again.flatMap((answer, i) => (answer === undefined ? [i] : [])) });
  }
}

t.test('a byte flipped while it was stopped', async (t) => {
  const log = newLog(SIZE);
  const good = await goodFile(t, log);
  const right = await truth(log);
  const source = new Upstream(log);
  const counts = { setAside: 0, refused: 0, forgotten: 0 };
  const positions = positionsOf(good, 2);
  for (const [i, at] of positions.entries()) {
    const folder = path.join(t.testdirName, String(i));
    mkdirSync(folder);
    const file = path.join(folder, 'mirror.db');
    copyFileSync(good, file);
    flip(file, at);
    let opened: Opened;
    try {
      opened = await open(file, source);
    } catch (error) {
      t.fail(`byte ${at}: it does not start`, { error });
      continue;
    }
    const head = await opened.store.newest(log.vkey);
    const said = opened.notices.some((text) => text.includes('begins anew'));
    if ((head?.size !== SIZE) !== said) t.fail(`byte ${at}: the timeline is at ${String(head?.size)}, and it is ${said ? '' : 'not '}said to begin anew`);
    await checkAnswers(t, opened, right, at);
    const { setAside, refused } = opened.store.health;
    counts.setAside += setAside;
    counts.refused += refused;
    counts.forgotten += Number(said);
    const aside = readdirSync(folder).filter((name) => /^mirror\.db\.damaged-.*Z$/.test(name));
    if (aside.length !== setAside) t.fail(`byte ${at}: ${setAside} set aside, and there are ${aside.join(' ')}`);
    await opened.store.close();
    rmSync(folder, { recursive: true });
  }
  t.comment(`${positions.length} positions`, counts);
  t.ok(positions.length > 300);
  t.ok(counts.setAside > 20 && counts.refused > 20, 'both kinds were seen');
});

t.test('a byte flipped while it runs', async (t) => {
  const log = newLog(SIZE);
  const good = await goodFile(t, log);
  const right = await truth(log);
  const source = new Upstream(log);
  const counts = { setAside: 0, refused: 0 };
  const file = path.join(t.testdirName, 'mirror.db');
  for (const at of positionsOf(good, 1)) {
    copyFileSync(good, file);
    const opened = await open(file, source);
    await opened.mirror.lookup(MODULES[0]!.module, MODULES[0]!.version);
    flip(file, at);
    await checkAnswers(t, opened, right, at);
    counts.setAside += opened.store.health.setAside;
    counts.refused += opened.store.health.refused;
    await opened.store.close();
    for (const name of readdirSync(t.testdirName)) if (name.startsWith('mirror.db')) rmSync(path.join(t.testdirName, name));
  }
  t.comment(counts);
  t.ok(counts.setAside > 5 && counts.refused > 5, 'both kinds were seen');
});

/** A medium without room: what fills it, and what makes room again. */
interface Medium {
  readonly file: string;
  readonly driver: Driver;
  fill(): void;
  free(): void;
}

/** SQLite's own limit gives the very error of a full disk. */
function limited(t: Test): Medium {
  let limit: (pages: number) => void = () => undefined;
  return {
    file: path.join(t.testdir(), 'mirror.db'),
    driver: {
      name: uncached.name,
      open: (file) => {
        const connection = uncached.open(file);
        limit = (pages) => void connection.exec(`PRAGMA max_page_count = ${pages}`);
        return connection;
      },
    },
    fill: () => limit(1),
    free: () => limit(100_000),
  };
}

/** A file system of its own in memory, of half a megabyte; `undefined` where one may not be made. */
function small(t: Test): Medium | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'gosumcheck-')); // not below testdir, which is emptied before the teardown
  const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder]).status === 0;
  t.teardown(() => {
    if (mounted) spawnSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  });
  if (!mounted) return undefined;
  const ballast = path.join(folder, 'ballast');
  return {
    file: path.join(folder, 'mirror.db'),
    driver: uncached,
    fill: () => {
      const fd = openSync(ballast, 'a');
      try {
        for (;;) writeSync(fd, Buffer.alloc(1024));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(fd);
      }
    },
    free: () => rmSync(ballast),
  };
}

for (const [name, make] of Object.entries({ 'a limit of SQLite’s': limited, 'a small file system': small })) {
  t.test(`a full disk, by ${name}`, async (t) => {
    const medium = make(t);
    if (medium === undefined) {
      t.pass('not tested', { skip: 'no file system can be mounted here' });
      return;
    }
    const log = newLog(SIZE);
    const source = new Upstream(log);
    const { file, driver } = medium;
    const opened = await open(file, source, { driver, pause: 0 });
    const { mirror, store, notices } = opened;
    const [one, ...others] = MODULES;
    await mirror.lookup(one!.module, one!.version);
    medium.fill();
    for (const size of [SIZE + 1, 4000, 4096, 4100]) {
      log.fill(size);
      await mirror.refresh();
      t.strictSame(await mirror.latest(), log.head(), `the tree of ${size}`);
      for (const { module, version } of others.splice(0, 3)) {
        t.strictSame(await mirror.lookup(module, version), await log.lookup(module, version));
      }
      const edge = { level: 0, n: Math.floor((size - 1) / 256), width: ((size - 1) % 256) + 1 };
      t.strictSame(await mirror.tile(edge), log.tileBytes(edge));
    }
    t.equal(notices.length, 1, 'it is said once', { notices });
    t.match(store.health, { failure: { code: 'STORE_FAILED' }, setAside: 0 });
    t.ok(store.health.unkept > 4);
    source.cut = true;
    const right = await truth(log);
    t.ok(same((await answersOf(mirror)).slice(0, MODULES.length), right.slice(0, MODULES.length)), 'what is held in memory is served without upstream');
    source.cut = false;

    medium.free();
    log.fill(4200);
    await mirror.refresh();
    t.equal(store.health.failure, undefined);
    t.equal(notices.length, 2, 'and that it is over', { notices });
    await store.close();
    source.cut = true;
    const again = await open(file, source, { driver });
    t.ok(same((await answersOf(again.mirror)).slice(0, MODULES.length), (await truth(log)).slice(0, MODULES.length)), 'all of it was kept');
    await again.store.close();
    const rows = await openStoreRows({ file });
    const findings: Finding[] = [];
    await audit(rows, (finding) => findings.push(finding));
    await rows.close();
    t.strictSame(findings, []);
  });
}

t.test('what is held in memory is bounded', async (t) => {
  const log = newLog(70_000);
  const medium = limited(t);
  const source = new Upstream(log);
  const { mirror, store } = await open(medium.file, source, { driver: medium.driver, pause: 0, memory: 64 * 1024 });
  const [one, ...others] = MODULES;
  await mirror.lookup(one!.module, one!.version);
  medium.fill();
  for (const { module, version } of others) await mirror.lookup(module, version);
  const kept = await store.records(log.vkey, others.map(({ module, version }) => `${module}@${version}`));
  t.ok(kept.filter(Boolean).length < others.length, 'the first are let go');
  t.ok(kept.at(-1), 'the last is there');
  t.ok(same((await answersOf(mirror)).slice(0, 12), (await truth(log)).slice(0, 12)), 'and they are asked for again');
  medium.free();
  await mirror.refresh();
  await store.close();
  const rows = await openStoreRows({ file: medium.file });
  const findings: Finding[] = [];
  await audit(rows, (finding) => findings.push(finding));
  await rows.close();
  t.strictSame(findings, []);
});

t.test('the timeline is not forgotten, and a stranger’s file is not touched', async (t) => {
  const log = newLog(SIZE);
  const good = await goodFile(t, log);
  const source = new Upstream(log);
  const file = path.join(t.testdirName, 'mirror.db');
  const newest = async (): Promise<number | undefined> => {
    const { store, notices } = await open(file, source);
    const head = await store.newest(log.vkey);
    await store.close();
    t.equal(notices.length, 2, notices.join('; '));
    return head?.size;
  };
  // all but the last page is gone
  const bytes = readFileSync(good);
  const at = bytes.indexOf('go.sum database tree');
  writeFileSync(file, bytes.fill(0, 0, at - 32));
  t.equal(await newest(), SIZE);
  // cut off between the two steps
  rmSync(file);
  const cut = await open(file, source);
  t.equal((await cut.store.newest(log.vkey))?.size, SIZE);
  await cut.store.close();
  // another's
  for (const [name, content] of Object.entries({ 'no database': 'a photograph of a cat, large enough to be one '.repeat(100), another: readFileSync(await goodFile(t, newLog(SIZE, 'other.example'))).fill(1, 30, 90) })) {
    const foreign = path.join(t.testdirName, 'foreign.db');
    writeFileSync(foreign, content);
    await t.rejects(open(foreign, source), { code: 'STORE_FAILED' }, name);
    t.same(readFileSync(foreign), Buffer.from(content), name);
  }
  // a newer one's
  const newer = path.join(t.testdirName, 'newer.db');
  writeFileSync(newer, readFileSync(await goodFile(t, log)));
  const connection = uncached.open(newer);
  connection.exec('PRAGMA user_version = 4; CREATE TABLE more (x)');
  connection.close();
  await t.rejects(open(newer, source), { code: 'STORE_FAILED' });
  t.strictSame(readdirSync(t.testdirName).filter((each) => each.startsWith('newer')), ['newer.db']);
});
