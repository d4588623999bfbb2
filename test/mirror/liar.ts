/** Lies of an upstream, each by a name, and what clients ask and get meanwhile. */

import type { Test } from 'tap';
import { newSignerKey } from '../../src/core/key.js';
import { signNote } from '../../src/core/note.js';
import { parseLookup } from '../../src/core/record.js';
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../src/core/text.js';
import { formatTreeHead, openTreeHead } from '../../src/core/treehead.js';
import {
  alteredRecord,
  answerOf,
  cutShort,
  flipBit,
  foreignRecord,
  htmlPage,
  olderHead,
  otherBody,
  otherHead,
  redirect,
  reset,
  serveLog,
  status,
  type TestLog,
  type Bend,
} from '../../src/testing/index.js';
import { MODULES, newLog } from '../client/rig.js';
import { servePlain } from '../transport/servers.js';
import { get, type WaysRig } from './waysrig.js';

export const honest: Bend = (_, answer) => answer;
/** Not to be added to. */
export const LOG: TestLog = newLog(3000);

/** Where lies lead to that need a server of their own. */
export interface Elsewhere {
  readonly endless: string;
  /** Bytes that the endless server sent. */
  sent(): number;
  /** Another log, with another key. */
  readonly other: string;
}

export async function openElsewhere(t: Test): Promise<Elsewhere> {
  let sent = 0;
  const chunk = new Uint8Array(64 * 1024).fill(0x61);
  const endless = await servePlain(t, (_, response) => {
    const more = (): void => {
      do sent += chunk.length;
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  });
  const other = await serveLog(newLog(2000, 'other.example'));
  t.teardown(() => other.close());
  return { endless: endless.url, sent: () => sent, other: other.url };
}

/** The lies, by name. */
export function liesOf(log: TestLog, { endless, other }: Elsewhere): Record<string, Bend> {
  const stranger = newSignerKey(log.name);
  const tiles = /^\/tile\//;
  return {
    'tiles with a bit flipped': flipBit(tiles, 1234),
    'full tiles with a bit flipped': flipBit(/^\/tile\/8\/0\/[^.]*$/, 77),
    'tiles of another place': async (request, answer) =>
      request.path.startsWith('/tile/') && answer.status === 200 ? { ...answer, body: (await answerOf(log, '/tile/8/0/003')).body.slice(0, answer.body.length) } : answer,
    'tiles too short': otherBody(tiles, (body) => body.slice(0, -1)),
    'tiles too long': otherBody(tiles, (body) => concatBytes(body, body)),
    'tiles of nothing': otherBody(tiles, () => new Uint8Array()),
    'records with another hash': alteredRecord(undefined, (text) => encodeUtf8(decodeUtf8(text).replace('h1:', 'h1:x'))),
    'records with a line more': alteredRecord(undefined, (text) => concatBytes(text, encodeUtf8('example.com/evil v1.0.0 h1:x\n'))),
    'records of another module': foreignRecord(log, 'example.com/Mod0', 'v1.0.0'),
    'lookups with a bit flipped': flipBit(/^\/lookup\//, 5),
    'answers with another number': otherBody(/^\/lookup\//, (body) => concatBytes(encodeUtf8('1'), body)),
    'heads with a bit flipped': otherHead(() => log.head().map((byte, i) => (i === 30 ? byte ^ 1 : byte))),
    'heads by another key of the same name': otherHead(() => signNote(formatTreeHead(log.treeHead()), [stranger])),
    'heads of long ago': olderHead(log, 10),
    'a signed head of the right size that nothing proves': otherHead(() => log.signHead({ size: log.size + 7, hash: new Uint8Array(32) })),
    'HTML pages': htmlPage(),
    'empty answers': otherBody(undefined, () => new Uint8Array()),
    'endless bodies': redirect((path) => endless + path),
    'endless tiles': redirect((path) => endless + path, tiles),
    'stalled bodies': (_, answer) => ({ ...answer, headers: { ...answer.headers, 'content-length': String(answer.body.length + 100) } }),
    'bodies cut short': cutShort(),
    resets: reset(),
    'status 500': status(500),
    'redirects to another log': redirect((path) => other + path, /^\/(?:tile|latest)/),
    'redirects in a circle': redirect((path) => path),
    'redirects to nowhere': redirect('http://127.0.0.1:1/'),
  };
}

/** What clients ask: all that the log has, and more. */
export function pathsOf(log: TestLog): string[] {
  const full = Array.from({ length: 11 }, (_, n) => `/tile/8/0/${String(n).padStart(3, '0')}`);
  return [
    '/latest',
    ...MODULES.map(({ module, version }) => `/lookup/${module.replace('M', '!m')}@${version}`),
    ...full,
    '/tile/8/1/000.p/11',
    '/tile/8/0/011.p/100',
    `/sumdb/${log.name}/tile/8/0/005`,
    `/sumdb/${log.name}/latest`,
    // what it has not
    '/tile/8/0/999',
    '/tile/8/data/000',
    '/lookup/example.com/none@v1.0.0',
  ];
}
const LACKING = /999|data|none/;

/** Says how an answer differs from the true log's. */
function lieIn(log: TestLog, path: string, body: Uint8Array): string | undefined {
  const own = path.replace(`/sumdb/${log.name}`, '');
  const headLies = (note: Uint8Array): boolean => {
    const head = openTreeHead(note, log.key);
    return head.size > log.size || Buffer.compare(head.hash, log.treeHead(head.size).hash) !== 0;
  };
  if (own === '/latest') return headLies(body) ? 'a false head' : undefined;
  if (own.startsWith('/tile/')) {
    const [, level, n, width = '256'] = /^\/tile\/8\/(\d)\/(\d{3})(?:\.p\/(\d+))?$/.exec(own)!;
    const tile = { level: Number(level), n: Number(n), width: Number(width) };
    return Buffer.compare(body, log.tileBytes(tile)) === 0 ? undefined : 'a false tile';
  }
  const { id, text, note } = parseLookup(body);
  const module = own.slice('/lookup/'.length).replaceAll(/!(.)/g, (_, letter: string) => letter.toUpperCase());
  const [path_ = '', version = ''] = module.split('@');
  if (headLies(note) || id >= openTreeHead(note, log.key).size) return 'a false head';
  return id === log.idOf(path_, version) && Buffer.compare(text, log.text(id)) === 0 ? undefined : 'a false record';
}

/** Asks for all, and checks what comes. @returns how many had no answer that should have one. */
export async function askAll(t: Test, rig: WaysRig, log: TestLog, paths: readonly string[]): Promise<number> {
  let failed = 0;
  await Promise.all(
    paths.map(async (path) => {
      const { status, body } = await get(rig.url + path);
      if (status !== 200) {
        failed += LACKING.test(path) ? 0 : 1;
        return;
      }
      const lie = lieIn(log, path, body);
      if (lie !== undefined || LACKING.test(path)) t.fail(`${path}: ${lie ?? 'there is no such thing'}`);
    }),
  );
  return failed;
}

