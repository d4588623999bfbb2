/** `gosumcheck log add`. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseGoproxy } from '../config/goproxy.js';
import { readGoEnv } from '../config/goenv.js';
import { httpProxies } from '../config/httpproxy.js';
import { parseGoauth } from '../config/netrc.js';
import { h1OfGoMod } from '../core/h1.js';
import { parseGoSum } from '../core/gosum.js';
import { formatHash } from '../core/hash.js';
import { formatModuleVersion, parseModuleVersion, type ModuleVersion } from '../core/module.js';
import { patternMatcher } from '../core/pattern.js';
import { hashZip } from '../dirhash/hashzip.js';
import { GosumError } from '../errors.js';
import { gatherLines, type NewRecord } from '../log/newrecord.js';
import { visibleJson } from '../report/escape.js';
import { createProgress, type Progress } from '../report/progress.js';
import { openModuleProxies, type ModuleFiles, type ModuleProxies } from '../transport/moduleproxy.js';
import { packageVersion, print, say, showsProgress, type Host } from './host.js';
import { readInputs } from './inputs.js';
import { withLog, type SignerFlags } from './logopen.js';

/** Options of the command line. */
export interface LogAddOptions extends SignerFlags {
  /** Globs: of the lines of files, only those of these modules. */
  readonly only?: string;
  readonly skipHalves?: boolean;
  /** A value of GOPROXY that goes before it. */
  readonly proxy?: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly progress: boolean;
  readonly quiet?: boolean;
  readonly format: 'text' | 'json';
}

/** Module versions that a message names at most. */
const MOST_NAMED = 5;

/** Records module versions: of go.sum files, and such as are fetched and hashed here. Exit code 0: all of them are in the log. */
export async function logAddCommand(host: Host, names: readonly string[], options: LogAddOptions): Promise<number> {
  const progress = createProgress({ stream: host.stderr, enabled: showsProgress(host, options) });
  try {
    const isFetched = (name: string): boolean => name !== '-' && name.includes('@') && !existsSync(path.resolve(host.cwd, name));
    const wanted = names.filter(isFetched).map((name) => parseModuleVersion(name));
    const files = names.filter((name) => !isFetched(name));
    const fromFiles = files.length === 0 ? [] : await recordsOfFiles(host, files, options);
    const fetched = wanted.length === 0 ? [] : await fetchRecords(host, wanted, options, progress);
    const records = [...fromFiles, ...fetched];
    if (records.length === 0) throw new GosumError('NOTHING_TO_CHECK', 'there is nothing to record', { hint: 'name a go.sum file, - for standard input, or MODULE@VERSION' });
    await withLog(host, options, async ({ log }) => {
      const { added, known, head } = await log.add(records, { signal: host.interrupted, progress });
      progress.hide();
      const tree = { size: head.size, hash: formatHash(head.hash) };
      if (options.format === 'json') await print(host, visibleJson({ name: log.name, added, known, tree }));
      else await print(host, `recorded: ${added}, known before: ${known}\ntree of ${tree.size}, ${tree.hash}\n`);
    });
    return 0;
  } finally {
    progress.done();
  }
}

/** @throws {GosumError} as `gatherLines`; `RECORD_MALFORMED` for halves that are not to be passed over. */
async function recordsOfFiles(host: Host, files: readonly string[], { only, skipHalves, quiet }: LogAddOptions): Promise<readonly NewRecord[]> {
  const { inputs } = await readInputs(host, files);
  const matches = only === undefined ? undefined : patternMatcher(only);
  const lines = inputs.flatMap(({ file, bytes }) => parseGoSum(bytes, file)).filter(({ module }) => matches === undefined || matches(module) !== undefined);
  const { records, halves } = gatherLines(lines);
  if (halves.length > 0) {
    const named = `${halves.slice(0, MOST_NAMED).join(', ')}${halves.length > MOST_NAMED ? ` and ${halves.length - MOST_NAMED} more` : ''}`;
    if (skipHalves !== true) {
      throw new GosumError('RECORD_MALFORMED', `only one line is given of ${named}: a record has both, of the module and of its go.mod`, {
        hint: 'name them as MODULE@VERSION, to have them fetched; or give --skip-halves, to pass over them',
      });
    }
    if (quiet !== true) await say(host, `passed over, since only one line is given: ${named}`);
  }
  return records;
}

/** Fetches the module versions one after the other, and hashes them. */
async function fetchRecords(host: Host, wanted: readonly ModuleVersion[], options: LogAddOptions, progress: Progress): Promise<NewRecord[]> {
  const { env } = host;
  const go = await readGoEnv(env);
  const setting = options.proxy === undefined ? go.get('GOPROXY') : { value: options.proxy, from: '--proxy' };
  const { logins } = parseGoauth(go.get('GOAUTH'), env);
  const userAgent = `gosumcheck/${packageVersion()}`;
  const proxies = openModuleProxies(parseGoproxy(setting, env), { env, httpProxy: httpProxies(env), logins, userAgent, timeout: options.timeout });
  if (options.proxy === undefined) refusePrivate(go.get('GONOPROXY').value === '' ? go.get('GOPRIVATE').value : go.get('GONOPROXY').value, wanted);
  progress.phase('fetching', wanted.length);
  try {
    const records: NewRecord[] = [];
    for (const each of wanted) {
      records.push(await fetchRecord(proxies, each, host.interrupted));
      progress.tick();
    }
    return records;
  } finally {
    await proxies.close();
  }
}

function fetchRecord(proxies: ModuleProxies, { module, version }: ModuleVersion, signal: AbortSignal): Promise<NewRecord> {
  const name = formatModuleVersion(module, version);
  const hash = async ({ zip, goMod, from }: ModuleFiles): Promise<NewRecord> => {
    const hashed = await hashZip(zip, { module: { module, version }, signal });
    const [broken] = hashed.violations;
    if (broken !== undefined) {
      throw new GosumError('ZIP_RULES', `${name}: the zip of ${from} breaks the rules of module zips: ${broken.name === undefined ? '' : `${broken.name}: `}${broken.message}`, {
        hint: 'the go command would refuse it; nothing was recorded',
      });
    }
    const own = h1OfGoMod(goMod);
    if (hashed.goMod !== undefined && hashed.goMod !== own) {
      throw new GosumError('HASH_MISMATCH', `${name}: ${from} has another go.mod beside the zip than in it`, { hint: 'nothing was recorded; see what the proxy serves' });
    }
    return { module, version, h1: hashed.h1, goMod: own };
  };
  return proxies.with({ module, version }, hash, signal);
}

/** Names that are not to reach a proxy, as the go command would have it. */
function refusePrivate(globs: string, wanted: readonly ModuleVersion[]): void {
  const matches = patternMatcher(globs);
  for (const { module } of wanted) {
    const pattern = matches(module);
    if (pattern === undefined) continue;
    throw new GosumError('SKIPPED_PRIVATE', `${module} is private by the pattern ${pattern} of GONOPROXY or GOPRIVATE: no proxy is asked for it`, {
      hint: 'give --proxy URL, your own proxy; or download it with the go command, and add the lines of its go.sum',
    });
  }
}
