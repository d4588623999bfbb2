/** A sync as a process of its own, with small commits; to be killed. Arguments: the value of GOSUMDB, and the file. */

import process from 'node:process';
import { readSettings } from '../../src/config/settings.js';
import { openEnvironment } from '../../src/config/environment.js';
import { Sync } from '../../src/mirror/sync.js';
import { openServerStore } from '../../src/store/server.js';
import { openRemote } from '../../src/transport/remote.js';

const [value = '', file = ''] = process.argv.slice(2);
const { env, sumdb, proxies, httpProxy } = await readSettings({ env: openEnvironment({ GOENV: 'off' }), sumdb: { value, from: 'test' } });
const source = openRemote({ env, sumdb, proxies, httpProxy, timeout: 60_000 });
const store = await openServerStore({ file, keys: [sumdb.key], notice: (text) => process.stderr.write(`${text}\n`) });
const sync = new Sync({ key: sumdb.key, source, store, concurrency: 4, threads: 1, tilesAtOnce: 3 });
const { head, indexed, failed } = await sync.look();
process.stdout.write(`${JSON.stringify({ size: head.size, indexed, failed })}\n`);
await sync.close();
await source.close();
await store.close();
