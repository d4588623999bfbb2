/** `gosumcheck list`. */

import { formatModulePaths, parseModulePaths, type ModulePaths } from '../core/modulepaths.js';
import { GosumError } from '../errors.js';
import { plural } from '../report/words.js';
import { visible, visibleJsonLine } from '../report/escape.js';
import { deliver, say, sayError, type Host } from './host.js';
import { jsonOf, repeatsOf, textOf, type ShownRecord } from './watchlines.js';
import { sayForked, withWholeLog, type OpenLog, type WholeFileOptions } from './wholefile.js';

/** Options of the command line. */
export interface ListOptions extends WholeFileOptions {
  readonly logOrder?: boolean;
  readonly hashes?: boolean;
  /** The most lines. */
  readonly limit?: number;
  readonly format: 'text' | 'json';
}

/** Characters that are written at once, and milliseconds that they wait. */
const CHUNK = 65_536;
const PAUSE = 200;

/** Lists versions of modules, and modules below prefixes. Exit code 4 where the log has nothing of one of them. */
export async function listCommand(host: Host, names: readonly string[], options: ListOptions): Promise<number> {
  const wanted = names.map(parseListed);
  return withWholeLog(host, options, async (open) => {
    await sayForked(host, open, options);
    const output = new Output(host, options.limit ?? Infinity);
    let exitCode = 0;
    for (const paths of wanted) {
      let found = 0;
      const lines = paths.below ? modulesIn(open, paths, options) : versionsIn(open, paths.path, options);
      for await (const line of lines) {
        found++;
        host.interrupted.throwIfAborted();
        if (!(await output.add(line))) return output.end(exitCode);
      }
      if (found > 0) continue;
      exitCode = 4;
      await sayError(host, await unknown(open, paths));
    }
    return output.end(exitCode);
  });
}

/** A module, or a prefix: `X/...`, `X/`, or `...` for all. @throws {GosumError} `MODULE_PATH_MALFORMED`. */
function parseListed(name: string): ModulePaths {
  if (name.includes('@')) {
    throw new GosumError('MODULE_PATH_MALFORMED', `${name}: want a module's path, without a version`, { hint: `gosumcheck lookup ${name} shows one record` });
  }
  return parseModulePaths(name.endsWith('/') ? `${name}...` : name);
}

async function* versionsIn({ whole }: OpenLog, module: string, { logOrder, hashes = false, format }: ListOptions): AsyncGenerator<string> {
  const versions = await whole.versions(module);
  const counts = new Map<string, number>();
  for (const { version } of versions) counts.set(version, (counts.get(version) ?? 0) + 1);
  if (logOrder === true) versions.sort((a, b) => a.id - b.id);
  for (const { version, id } of versions) {
    const repeated = (counts.get(version) ?? 0) > 1;
    const text = hashes || repeated ? ((await whole.record(id))?.text ?? new Uint8Array()) : new Uint8Array();
    const record = { id, module, version, text };
    const shown: ShownRecord = { record, repeats: repeated ? repeatsOf(record, await whole.find(module, version)) : [] };
    yield format === 'json' ? jsonOf(shown, { hashes, alarms: false }) : textOf(shown, { hashes, alarms: false });
  }
}

async function* modulesIn(open: OpenLog, { path, below }: ModulePaths, options: ListOptions): AsyncGenerator<string> {
  if (path !== '') {
    const own = await moduleLine(open, path, options);
    if (own !== undefined) yield own;
  }
  if (!below) return;
  for await (const module of open.whole.modules(path === '' ? '' : `${path}/`)) {
    const line = await moduleLine(open, module, options);
    if (line !== undefined) yield line;
  }
}

/** `undefined` where no record of the module is in the index: it may be known before its records are. */
async function moduleLine({ whole }: OpenLog, module: string, { format }: ListOptions): Promise<string | undefined> {
  const versions = new Set((await whole.versions(module)).map(({ version }) => version)).size;
  if (versions === 0) return undefined;
  return format === 'json' ? visibleJsonLine({ module, versions }) : `${visible(module)}  ${plural(versions, 'version')}\n`;
}

async function unknown({ name, whole, state }: OpenLog, paths: ModulePaths): Promise<GosumError> {
  let hint = 'it stands in the log once somebody has asked the log for it; `gosumcheck sync` brings what is new';
  if (!paths.below) {
    for await (const module of whole.modules(`${paths.path}/`)) {
      hint = `there are modules below it, such as ${module}: gosumcheck list ${paths.path}/...`;
      break;
    }
  }
  return new GosumError('NOT_FOUND', `${formatModulePaths(paths)}: not in the log of ${name} as far as it is kept (${plural(state.indexed, 'record')})`, { hint });
}

/** Lines on their way to stdout, up to a limit. */
class Output {
  readonly #host: Host;
  readonly #limit: number;
  #count = 0;
  #text = '';
  #writtenAt = Date.now();
  #cut = false;

  constructor(host: Host, limit: number) {
    this.#host = host;
    this.#limit = limit;
  }

  /** `false` where no more are wanted: the limit is reached, or the reader has gone. */
  async add(line: string): Promise<boolean> {
    if (this.#count >= this.#limit) {
      this.#cut = true;
      return false;
    }
    this.#count++;
    this.#text += line;
    const waits = this.#text.length < CHUNK && Date.now() - this.#writtenAt < PAUSE;
    return waits || (await this.#flush());
  }

  async end(exitCode: number): Promise<number> {
    await this.#flush();
    if (this.#cut) await say(this.#host, `there is more: these are the first ${this.#limit} (--limit)`);
    return exitCode;
  }

  #flush(): Promise<boolean> {
    const text = this.#text;
    this.#text = '';
    this.#writtenAt = Date.now();
    return text === '' ? Promise.resolve(true) : deliver(this.#host, text);
  }
}
