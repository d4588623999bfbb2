/**
 * A scale log over HTTP, as a program: for people who want to see what a mirror makes of millions of records.
 *
 *     npm run scalelog -- --records 5000000 --listen 127.0.0.1:0
 *
 * It prints the GOSUMDB value on stdout when it answers, and ends at SIGINT or SIGTERM. See docs/scalelog.md.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { TILE_WIDTH } from '../core/tile.js';
import { answerOf, type Answer } from './answer.js';
import { flipBit } from './lies.js';
import { behindBase } from './serve.js';
import { ScaleLog } from './scalelog.js';

const USAGE = `usage: npm run scalelog -- [--records N] [--listen HOST:PORT] [OPTION...]

Serves a made-up checksum database of N records (default 1000000), the same for the same options, and prints the GOSUMDB
value for it. It has its own key: no client of another database takes it for that one.

  --listen HOST:PORT  default 127.0.0.1:0, a port of the system's choice
  --folder DIR        write the data tiles there first, 205 bytes a record, and serve them from there: takes less of the
                      processor while it serves. A folder that has them already is used as it is
  --threads N         threads that compute the tree at the start; default 2
  --name NAME         of the key; default log.example
  --seed N            another seed, another log; default 1
  --start N           show N records at first
  --grow N            and N more every second, until all are shown
  --repeat AT:OF      record AT repeats the module version of record OF, with other hashes. Several may be given
  --malformed AT      record AT has no line for go.mod. Several may be given
  --fork-at N         other hashes from record N on, under the same key: start without it, copy, start again with it
  --lie PATH          flip a bit in the answer to PATH, such as /tile/8/data/003

examples: npm run scalelog -- --records 5000000 --folder scalelog
          npm run scalelog -- --start 900000 --grow 1000 --repeat 950000:17
`;

/** A record of one line with this is well formed as such, and half a record of a module version. */
const HASH = 'ZmlsbCBmaWxsIGZpbGwgZmlsbCBmaWxsIGZpbGwgMTI=';

try {
  await main();
} catch (error) {
  process.stderr.write(`scalelog: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const values = parse();
  if (values === undefined) return;
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
  const { start, grow, lie, listen, folder, threads, ...options } = values;
  const log = await ScaleLog.make(options, {
    threads,
    signal: ended.signal,
    ...(folder === undefined ? {} : { folder }),
    progress: (tiles) => process.stderr.write(`made ${tiles * TILE_WIDTH} of ${options.records} records\n`),
  });
  log.size = start ?? log.records;
  const timer = setInterval(() => (log.size = Math.min(log.size + grow, log.records)), 1000).unref();
  const bend = lie === undefined ? undefined : flipBit(lie, 99);
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    const path = behindBase(url, log.name);
    const seen = { method: request.method ?? 'GET', path, url, headers: request.headers };
    const answer = async (): Promise<Answer> => {
      const due = await answerOf(log, path);
      return bend === undefined ? due : bend(seen, due);
    };
    answer().then(
      ({ status, headers, body }) => {
        response.writeHead(status, { 'content-length': String(body.length), ...headers });
        response.end(request.method === 'HEAD' ? undefined : body);
      },
      (error: unknown) => {
        process.stderr.write(`scalelog: ${url}: ${String(error)}\n`);
        response.destroy();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`GOSUMDB=${log.vkey} http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}\n`);
  const close = (): void => {
    clearInterval(timer);
    server.close();
    server.closeAllConnections();
  };
  if (ended.signal.aborted) close();
  else ended.signal.addEventListener('abort', close);
}

interface Asked {
  readonly records: number;
  readonly seed: number;
  readonly name: string;
  readonly repeats: [number, number][];
  readonly texts: Map<number, string>;
  readonly forkAt?: number;
  readonly listen: { readonly host: string; readonly port: number };
  readonly folder: string | undefined;
  readonly threads: number;
  readonly start: number | undefined;
  readonly grow: number;
  readonly lie: string | undefined;
}

/** `undefined` where help was asked for, and is printed. */
function parse(): Asked | undefined {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '1000000' },
      listen: { type: 'string', default: '127.0.0.1:0' },
      folder: { type: 'string' },
      threads: { type: 'string', default: '2' },
      name: { type: 'string', default: 'log.example' },
      seed: { type: 'string', default: '1' },
      start: { type: 'string' },
      grow: { type: 'string', default: '0' },
      repeat: { type: 'string', multiple: true, default: [] },
      malformed: { type: 'string', multiple: true, default: [] },
      'fork-at': { type: 'string' },
      lie: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return undefined;
  }
  const [, bracketed, plain = '', port = ''] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(values.listen) ?? [];
  if (port === '') throw new Error(`--listen ${values.listen}: want HOST:PORT`);
  const forkAt = values['fork-at'];
  return {
    records: count('--records', values.records),
    seed: count('--seed', values.seed),
    name: values.name,
    repeats: values.repeat.map((pair) => {
      const [at = '', of = ''] = pair.split(':');
      return [count('--repeat', at), count('--repeat', of)];
    }),
    texts: new Map(values.malformed.map((at) => [count('--malformed', at), `example.com/half v1.0.${count('--malformed', at)} h1:${HASH}\n`])),
    ...(forkAt === undefined ? {} : { forkAt: count('--fork-at', forkAt) }),
    listen: { host: bracketed ?? plain, port: Number(port) },
    folder: values.folder,
    threads: count('--threads', values.threads),
    start: values.start === undefined ? undefined : count('--start', values.start),
    grow: count('--grow', values.grow),
    lie: values.lie,
  };
}

function count(option: string, text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new Error(`${option} ${text}: want a whole number`);
  return Number(text);
}
