/** A log of one's own, made and served by the command, and modules for the real go command to take from a folder. */

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Test } from 'tap';
import { buildZip } from '../dirhash/zipbuilder.js';
import { newPlace, ROOT, WITHOUT_TAP, type Place, type Ran } from './place.js';

/** A place with a log of one's own. */
export interface OwnPlace extends Place {
  /** A GOPROXY with `example.com/<name>` at v1.0.0 for each name that was published. */
  readonly proxy: string;
  /** Puts a module into the proxy's folder. */
  publish(name: string, text?: string): void;
  /** Runs `gosumcheck log COMMAND` with the place's data file and key. */
  own(command: string, ...args: string[]): Promise<Ran>;
  /** Begins the log; its verifier key. */
  init(): Promise<string>;
  /** Serves the log: its URL. */
  serve(): Promise<string>;
}

/** Where the commands find log and key. */
const SIGNER: readonly string[] = ['--data', 'log.db', '--key', 'log.key'];
const READER: readonly string[] = ['--data', 'log.db'];

/** Makes a place without a log in it. */
export async function newOwnPlace(t: Pick<Test, 'testdir' | 'teardown'>): Promise<OwnPlace> {
  const place = await newPlace(t, {});
  mkdirSync(place.folder, { recursive: true });
  const folder = path.join(place.folder, 'proxy');
  const own: OwnPlace['own'] = (command, ...args) => place.run(['log', command, ...(command === 'export' ? READER : SIGNER), ...args]);
  return {
    ...place,
    proxy: pathToFileURL(folder).href,
    publish(name, text = '') {
      const module = `example.com/${name}`;
      const at = path.join(folder, 'example.com', name, '@v');
      const content = { 'go.mod': `module ${module}\n`, [`${name}.go`]: `package ${name}\n${text}` };
      mkdirSync(at, { recursive: true });
      writeFileSync(path.join(at, 'list'), 'v1.0.0\n');
      writeFileSync(path.join(at, 'v1.0.0.info'), '{"Version":"v1.0.0"}');
      writeFileSync(path.join(at, 'v1.0.0.mod'), content['go.mod']);
      writeFileSync(path.join(at, 'v1.0.0.zip'), buildZip({ entries: Object.entries(content).map(([file, body]) => ({ name: `${module}@v1.0.0/${file}`, content: body })) }));
    },
    own,
    async init() {
      const { code, stdout, stderr } = await own('init', '--name', 'sum.corp.example');
      if (code !== 0) throw new Error(stderr);
      return stdout.split('\n')[0] ?? '';
    },
    serve: () => serveOwn(t, place),
  };
}

function serveOwn(t: Pick<Test, 'teardown'>, place: Place): Promise<string> {
  const [command, ...rest] = [...WITHOUT_TAP, process.execPath, path.join(ROOT, 'bin', 'gosumcheck.js'), 'log', 'serve', ...READER, '--listen', '127.0.0.1:0'];
  const child = spawn(command, rest, { cwd: place.folder, env: { PATH: '', HOME: place.folder, SystemRoot: process.env.SystemRoot }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (line: string) => resolve(/^listening on (\S+)\n$/.exec(line)?.[1] ?? ''));
    child.once('close', () => reject(new Error(stderr)));
  });
}
