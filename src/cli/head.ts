/** `gosumcheck head`. */

import { print, type Host } from './host.js';
import { withDatabase, type DatabaseOptions } from './wire.js';

/** Prints the newest tree head: the whole signed note, proved consistent with all that was seen before. */
export async function headCommand(host: Host, options: DatabaseOptions): Promise<number> {
  const { head, problem } = await withDatabase(host, options, ({ db, signal }) => db.lookup([], { fresh: true, signal }));
  if (problem !== undefined) throw problem;
  if (head === undefined) throw new Error('a fresh head, and none is there');
  await print(host, head.note);
  return 0;
}
