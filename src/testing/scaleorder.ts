/**
 * The order of a scale log: which module, and which version of it, a record is of.
 *
 * Modules have numbers m >= 64, versions of each k = 1, 2, 3, … Version k of module m comes at the time p = m·k, and what comes
 * at one time stands in the order of m. So no module version comes twice, new modules appear all the time, the frequent and the
 * rare ones are mixed, and up to a time p the module m has floor(p / m) versions: Zipf's law. How many records come until a
 * time is a sum over divisors (Dirichlet's hyperbola method), so nothing needs a table, whatever the log's size: neither the
 * way from a record's number to its module version, nor that back.
 */

/** The least module number: with 1, the first module would have every tenth record. */
export const FIRST_MODULE = 64;

/** How many records come until the time `p`, it included. */
export function recordsUntil(p: number): number {
  if (p < FIRST_MODULE) return 0;
  const root = rootOf(p);
  let count = 0;
  for (let j = 1; j <= root; j++) count += Math.floor(p / j);
  count = 2 * count - root * root;
  for (let m = 1; m < FIRST_MODULE; m++) count -= Math.floor(p / m);
  return count;
}

/** The number of the record of version `k` of module `m`. */
export function recordNumber(m: number, k: number): number {
  const p = m * k;
  let before = 0;
  for (let j = 1, root = rootOf(p); j <= root; j++) {
    if (p % j !== 0) continue;
    if (j >= FIRST_MODULE && j < m) before++;
    const other = p / j;
    if (other !== j && other >= FIRST_MODULE && other < m) before++;
  }
  return recordsUntil(p - 1) + before;
}

/** Says of records one after the other which module and version they are of. */
export class OrderWalk {
  /** Of the last records read: module and version numbers, in turn. */
  #pairs: Uint32Array = new Uint32Array(0);
  /** The number of the first of these records, and behind their last. */
  #from = 0;
  #to = 0;
  /** The time behind them. */
  #next = FIRST_MODULE;

  /** Calls `visit` for each record from `lo` up to, not including, `hi`. Fastest where one range follows the other. */
  each(lo: number, hi: number, visit: (m: number, k: number, id: number) => void): void {
    for (let id = lo; id < hi; ) {
      if (id < this.#from || id >= this.#to) this.#move(id, hi - id);
      for (const end = Math.min(hi, this.#to); id < end; id++) {
        const at = 2 * (id - this.#from);
        visit(this.#pairs[at] ?? 0, this.#pairs[at + 1] ?? 0, id);
      }
    }
  }

  /** Reads the times from that of record `id` on: about as many as hold `wanted` records. */
  #move(id: number, wanted: number): void {
    if (id === this.#to) {
      this.#from = id;
    } else {
      this.#next = timeOf(id);
      this.#from = recordsUntil(this.#next - 1);
    }
    const times = Math.min(Math.max(Math.ceil(wanted / 4), 16), MOST_TIMES);
    this.#pairs = pairsAt(this.#next, times);
    this.#next += times;
    this.#to = this.#from + this.#pairs.length / 2;
  }
}

/** Times that are read together. */
const MOST_TIMES = 4096;

/** The time at which record `id` comes. */
function timeOf(id: number): number {
  let lo = FIRST_MODULE;
  let hi = 2 * FIRST_MODULE;
  for (; recordsUntil(hi) <= id; hi *= 2) lo = hi + 1;
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    if (recordsUntil(mid) > id) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

/** What comes at `times` times from `start` on: module and version numbers, in turn. */
function pairsAt(start: number, times: number): Uint32Array {
  // How much there is of each time, then where it begins; p = j·k with j <= k gives the modules j and k.
  const fronts = new Uint32Array(times);
  const backs = new Uint32Array(times + 1);
  const root = rootOf(start + times - 1);
  for (let j = 1; j <= root; j++) {
    const two = j >= FIRST_MODULE;
    for (let p = Math.max(Math.ceil(start / j) * j, j * j), k = p / j; p < start + times; p += j, k++) {
      if (k < FIRST_MODULE) continue;
      const at = p - start;
      backs[at] = (backs[at] ?? 0) + (two && k !== j ? 2 : 1);
    }
  }
  let total = 0;
  for (let at = 0; at < times; at++) {
    fronts[at] = total;
    total += backs[at] ?? 0;
    backs[at] = total;
  }
  const pairs = new Uint32Array(2 * total);
  for (let j = 1; j <= root; j++) {
    const two = j >= FIRST_MODULE;
    for (let p = Math.max(Math.ceil(start / j) * j, j * j), k = p / j; p < start + times; p += j, k++) {
      if (k < FIRST_MODULE) continue;
      const at = p - start;
      const back = 2 * ((backs[at] ?? 0) - 1);
      backs[at] = back / 2;
      pairs[back] = k;
      pairs[back + 1] = j;
      if (!two || k === j) continue;
      const front = 2 * (fronts[at] ?? 0);
      fronts[at] = front / 2 + 1;
      pairs[front] = j;
      pairs[front + 1] = k;
    }
  }
  return pairs;
}

/** The whole part of the square root. */
function rootOf(p: number): number {
  const root = Math.floor(Math.sqrt(p));
  return root * root > p ? root - 1 : root;
}
