/** `npm run bench -- verify|hash|modcache|serve|bulk|sync|core`. See docs/bench.md. */

import { parseArgs } from 'node:util';
import { benchBulk } from './bulk.js';
import { benchCore } from './core.js';
import { benchHash } from './hash.js';
import { benchModcache } from './modcache.js';
import { benchServe } from './serve.js';
import { benchSync } from './sync.js';
import {
  formatBulkBench,
  formatCoreBench,
  formatHashBench,
  formatModcacheBench,
  formatServeBench,
  formatSyncBench,
  formatVerifyBench,
} from './table.js';
import { benchVerify } from './verify.js';
import { inWorkshop } from './workshop.js';

const WHATS = ['verify', 'hash', 'modcache', 'serve', 'bulk', 'sync', 'core'] as const;
type What = (typeof WHATS)[number];

/** How often by default, and with `--quick`. */
const RUNS: Readonly<Record<What, readonly [number, number]>> = {
  verify: [7, 2],
  hash: [7, 2],
  modcache: [7, 2],
  serve: [7, 2],
  bulk: [7, 1],
  sync: [3, 1],
  core: [7, 2],
};

const USAGE = `usage: npm run bench -- verify [--quick] [--runs N] [--json]
       npm run bench -- hash [--quick] [--runs N] [--json]
       npm run bench -- modcache [--runs N] [--json]
       npm run bench -- serve [--quick] [--runs N] [--json]
       npm run bench -- bulk [--quick] [--runs N] [--json]
       npm run bench -- sync [--quick] [--runs N] [--json]
       npm run bench -- core [--runs N] [--json]

verify   gosumcheck verify beside x/mod's gosumcheck; needs the go command
hash     h1 of module zips beside x/mod's dirhash.HashZip; downloads some with the go command
modcache beside go mod verify, on a cache of 314 modules; downloads them with the go command
serve    gosumcheck serve beside x/mod's sumdb.NewServer and nginx; needs the go command and Linux, and
         installs nginx and wrk by apt-get where it may
bulk     gosumcheck verify by bulk proofs beside x/mod's gosumcheck; needs the go command
sync     gosumcheck sync and audit of a made-up log of 1 and 5 million records, beside hashing them in memory, and lookups
         from the copy; needs the go command, 5 GB on disk, and wrk as serve does
core     the core by itself

--quick  little, and no goals for times: does it work? of verify also: with how many requests? of serve: the same bytes?
--runs   of each side; the default is 7, of sync 3, with --quick 2, of bulk and sync 1
--json   JSON in place of tables
`;

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!ended.signal.aborted) throw error;
  process.exitCode = 130;
}

/** What the command line asks for. */
interface Asked {
  readonly what: What;
  readonly quick: boolean;
  readonly json: boolean;
  readonly runs: number;
}

async function main(args: string[]): Promise<number> {
  const asked = parse(args);
  if (asked === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { what, quick, json, runs } = asked;
  const print = <T>(result: T, format: (result: T) => string): void => {
    process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : format(result));
  };
  if (what === 'core') {
    print(benchCore(runs), formatCoreBench);
    return 0;
  }
  const say = (text: string): boolean => process.stderr.write(`${text}\n`);
  say('building the Go programs');
  if (what === 'hash') {
    const result = await inWorkshop(ended.signal, (workshop) => benchHash(workshop, { runs, quick, say }));
    print(result, formatHashBench);
    return result.problems.length === 0 ? 0 : 1;
  }
  if (what === 'modcache') {
    const result = await inWorkshop(ended.signal, (workshop) => benchModcache(workshop, { runs, say }));
    print(result, formatModcacheBench);
    return result.problems.length === 0 ? 0 : 1;
  }
  if (what === 'serve') {
    const result = await inWorkshop(ended.signal, (workshop) => benchServe(workshop, { runs, quick, say }));
    print(result, formatServeBench);
    return result.problems.length === 0 ? 0 : 1;
  }
  if (what === 'sync') {
    const result = await inWorkshop(ended.signal, (workshop) => benchSync(workshop, { runs, quick, say }));
    print(result, formatSyncBench);
    return result.problems.length === 0 ? 0 : 1;
  }
  if (what === 'bulk') {
    const result = await inWorkshop(ended.signal, (workshop) => benchBulk(workshop, { runs, quick, say }));
    print(result, formatBulkBench);
    return result.problems.length === 0 ? 0 : 1;
  }
  const rtts = quick ? [0] : [0, 20, 100];
  const result = await inWorkshop(ended.signal, (workshop) => benchVerify(workshop, { runs, rtts, goals: !quick, say }));
  print(result, formatVerifyBench);
  return result.problems.length === 0 ? 0 : 1;
}

/** `undefined` where the command line is not understood. */
function parse(args: string[]): Asked | undefined {
  const options = { quick: { type: 'boolean' }, json: { type: 'boolean' }, runs: { type: 'string' } } as const;
  try {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const { quick = false, json = false } = values;
    const what = WHATS.find((what) => what === positionals[0]);
    const runs = Number(values.runs ?? RUNS[what ?? 'core'][quick ? 1 : 0]);
    if (what === undefined || positionals.length > 1 || !Number.isSafeInteger(runs) || runs < 1) return undefined;
    return { what, quick, json, runs };
  } catch {
    return undefined; // an option that there is not
  }
}
