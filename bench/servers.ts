/** The servers that are measured, each a process of its own on a port of its own. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServeLog } from './servelog.js';
import { BIN, type Workshop } from './workshop.js';

/** A server that runs. */
export interface Measured {
  readonly url: string;
  /** Bytes of memory, resident; `undefined` where the system does not say it. */
  resident(): number | undefined;
  /** The processor's time so far, in milliseconds, of the process that was started; `undefined` as above. */
  cpuMs(): number | undefined;
  end(): Promise<void>;
}

/** `gosumcheck serve` on a data file. With `--workers` its time on the processor is not known: it is that of several processes. */
export async function startOurs(workshop: Workshop, { log }: { readonly log: Pick<ServeLog['log'], 'vkey'> }, upstream: string, data: string, more: readonly string[] = []): Promise<Measured> {
  const args = [BIN, 'serve', '--listen', '127.0.0.1:0', '--data', data, '--sumdb', `${log.vkey} ${upstream}`, '--poll', '24h', ...more];
  const server = await start(workshop, process.execPath, args);
  return more.includes('--workers') ? { ...server, cpuMs: () => undefined } : server;
}

/** x/mod's `sumdb.NewServer`, with the log in memory. */
export function startTheirs(workshop: Workshop, { folder }: ServeLog): Promise<Measured> {
  return start(workshop, workshop.program('server'), [folder]);
}

/** nginx, with the log as files. */
export async function startNginx(workshop: Workshop, { folder }: ServeLog): Promise<Measured> {
  const port = await freePort();
  const prefix = path.join(workshop.folder, 'nginx');
  await mkdir(prefix, { recursive: true });
  // As root its workers would be of another user, who may not read the workshop.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${prefix}/${name};`);
  const conf = `${user} daemon off; worker_processes auto; pid ${prefix}/pid; error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; open_file_cache max=20000 inactive=1h; open_file_cache_valid 1h;
  keepalive_timeout 75s; keepalive_requests 100000000; ${temporary.join(' ')}
  default_type text/plain; charset utf-8;
  server {
    listen 127.0.0.1:${port}; root ${folder};
    location /tile/ { default_type application/octet-stream; charset off; add_header Cache-Control "public, max-age=31536000, immutable"; }
  }
}
`;
  const file = path.join(prefix, 'nginx.conf');
  await writeFile(file, conf);
  return start(workshop, 'nginx', ['-p', prefix, '-c', file], `http://127.0.0.1:${port}`);
}

/** Starts a server that says where it listens, or is known to listen at `url`. */
async function start({ env, folder, signal }: Workshop, command: string, args: readonly string[], url?: string): Promise<Measured> {
  const child = spawn(command, args, { env, cwd: folder, signal, stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true });
  const failed = once(child, 'close').then(() => Promise.reject(new Error(`${command} has ended`)));
  failed.catch(() => undefined);
  child.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  const at = url === undefined ? listening(lines) : answering(url).then(() => url);
  return {
    url: await Promise.race([at, failed]),
    resident: () => {
      const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(procOf(child, 'status') ?? '')?.[1];
      return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
    },
    cpuMs: () => {
      // the 14th and 15th field, in ticks of 10 ms; the second may have spaces in its brackets (proc(5))
      const fields = procOf(child, 'stat')?.split(') ').at(-1)?.split(' ');
      return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) * 10;
    },
    async end() {
      child.stdin.end();
      child.kill('SIGTERM');
      await failed.catch(() => undefined);
    },
  };
}

async function listening(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /^listening on (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('it does not say where it listens');
}

async function answering(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await (await fetch(`${url}/latest`)).arrayBuffer();
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(50);
    }
  }
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A file of /proc about a process; `undefined` where there is none. */
function procOf({ pid }: ChildProcess, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid ?? 0}/${name}`, 'utf8');
  } catch {
    return undefined; // no Linux, or the process has ended
  }
}
