/** `gosumcheck watch`. */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { patternMatcher, patternWarnings } from '../core/pattern.js';
import { quote } from '../core/text.js';
import { GosumError } from '../errors.js';
import { parseExpected, unexpectedIn, type Expected } from '../mirror/expected.js';
import { scanRecords, type NamedLogRecord } from '../whole/scan.js';
import { SeenTimes } from '../whole/seentimes.js';
import { createProgress, type Progress } from '../report/progress.js';
import { plural } from '../report/words.js';
import { fileFailure, readUpTo } from './files.js';
import { deliver, say, showsProgress, type Host } from './host.js';
import { alarmOf, jsonOf, repeatsOf, textOf, type ShownRecord } from './watchlines.js';
import { sayForked, withWholeLog, type OpenLog, type WholeFileOptions } from './wholefile.js';

/** Options of the command line. */
export interface WatchOptions extends WholeFileOptions {
  /** Of the mark; by default made of the patterns. */
  readonly name?: string;
  /** Where to begin: a record's number, the log's beginning, or its end. By default at the mark. */
  readonly since?: number | 'all' | 'now';
  /** The mark stays where it is. */
  readonly peek?: boolean;
  /** A file of expected records. */
  readonly expect?: string;
  readonly follow?: boolean;
  /** Milliseconds between two looks at the file. */
  readonly poll: number;
  readonly hashes?: boolean;
  readonly format: 'text' | 'json';
  readonly quiet?: boolean;
  readonly progress: boolean;
}

/** The most bytes of a file of expected records. */
const EXPECT_LIMIT = 64 * 1024 * 1024;
/** Milliseconds between two commits of the mark: each waits for the disk. */
const MARK_PAUSE = 2000;

/** Shows the records of matching modules that are new since the last run. Exit code 1 where one of them is an alarm. */
export async function watchCommand(host: Host, patterns: readonly string[], options: WatchOptions): Promise<number> {
  const globs = globsOf(patterns);
  const expected = options.expect === undefined ? undefined : await readExpected(host, options.expect);
  const progress = createProgress({ stream: host.stderr, enabled: showsProgress(host, options) });
  const watch = new Watch(host, options, globs, expected, progress);
  try {
    while ((await withWholeLog(host, options, (open) => watch.look(open))) && options.follow === true) {
      await sleep(options.poll, undefined, { signal: host.interrupted }).catch(() => host.interrupted.throwIfAborted());
    }
  } catch (error) {
    // ended by a person, as it has to be: what was found weighs more
    if (!(options.follow === true && host.interrupted.aborted && watch.alarms > 0)) throw error;
  } finally {
    progress.done();
  }
  return watch.alarms > 0 ? 1 : 0;
}

/** A comma list of globs; of the go command's `X/...` the X, below which everything matches. */
function globsOf(patterns: readonly string[]): string {
  const globs = patterns.map((pattern) => (pattern === '...' ? '*' : pattern.replace(/\/\.\.\.$/, ''))).join(',');
  const [warning] = patternWarnings(globs);
  if (warning !== undefined) throw new GosumError('CONFIG_INVALID', warning, { hint: HINT });
  if (globs.split(',').every((glob) => glob.trim() === '')) throw new GosumError('CONFIG_INVALID', 'no pattern is given', { hint: HINT });
  return globs;
}

const HINT = 'a pattern is a glob of leading path elements, as in GOPRIVATE: example.com/team, or *.example.com';

async function readExpected(host: Host, file: string): Promise<Expected> {
  const bytes = await readUpTo(path.resolve(host.cwd, file), EXPECT_LIMIT, host.interrupted).catch((cause: unknown) => {
    throw fileFailure(`--expect ${file}`, cause);
  });
  return parseExpected(bytes, file);
}

/** One run: where it has come to, and what it has found. */
class Watch {
  /** Records that are alarms, and a fork. */
  alarms = 0;
  readonly #host: Host;
  readonly #options: WatchOptions;
  readonly #mark: string;
  readonly #matching: (module: string) => string | undefined;
  readonly #expected: Expected | undefined;
  readonly #progress: Progress;
  /** All records below this were shown. */
  #next: number | undefined;
  /** Where the mark is, and when it was set. */
  #marked: number | undefined;
  #markedAt = 0;
  #saidForked = false;

  constructor(host: Host, options: WatchOptions, globs: string, expected: Expected | undefined, progress: Progress) {
    this.#host = host;
    this.#options = options;
    // who expects something, and who only looks, must not take each other's records away
    this.#mark = options.name ?? `${globs}${expected === undefined ? '' : ' --expect'}`;
    this.#matching = patternMatcher(globs);
    this.#expected = expected;
    this.#progress = progress;
  }

  /** Shows what is new in the file. `false` where nobody reads it any more. */
  async look(open: OpenLog): Promise<boolean> {
    const first = this.#next === undefined;
    const from = this.#next ?? (await this.#begin(open));
    const to = open.state.indexed;
    this.#next = from;
    if (open.forkedAt !== undefined && !this.#saidForked) {
      this.#saidForked = true;
      this.alarms++;
      await sayForked(this.#host, open, this.#options);
    }
    let shown = 0;
    let read = true;
    if (first || to > from) this.#progress.phase('looking through records', Math.max(0, to - from));
    try {
      const seen = new SeenTimes(open.log, open.key);
      const wanted = (module: string): boolean => this.#matching(module) !== undefined;
      const options = { from, to, wanted, signal: this.#host.interrupted };
      for await (const { records, next } of scanRecords(open.log, open.key, options)) {
        let text = '';
        for (const record of records) {
          this.#host.interrupted.throwIfAborted();
          text += await this.#show(open, seen, record);
        }
        this.#progress.hide();
        read = text === '' || (await deliver(this.#host, text));
        if (!read) break;
        shown += records.length;
        this.#progress.tick(next - this.#next);
        this.#next = next;
        if (Date.now() - this.#markedAt > MARK_PAUSE) await this.#setMark(open);
      }
    } finally {
      await this.#setMark(open);
    }
    if (first && this.#options.follow !== true) await this.#sum(from, this.#next, shown);
    return read;
  }

  /** Where the first look begins. */
  async #begin({ log, key, state }: OpenLog): Promise<number> {
    const { since } = this.#options;
    if (since === 'all') return 0;
    if (since === 'now') return state.indexed;
    if (since !== undefined) return Math.min(since, state.indexed);
    const mark = (this.#marked = await log.mark(key, this.#mark));
    if (mark === undefined) {
      const all = this.#expected !== undefined;
      const where = all ? 'at the beginning of the log' : `at record ${state.indexed}, with what comes from now on; --since all shows what is there already`;
      await this.#say(`no mark ${quote(this.#mark)} yet: it begins ${where}`);
      return all ? 0 : state.indexed;
    }
    if (mark > state.indexed) await this.#say(`the mark ${quote(this.#mark)} is at record ${mark}, and the file has ${state.indexed} so far`);
    return mark;
  }

  async #show({ whole }: OpenLog, seen: SeenTimes, record: NamedLogRecord): Promise<string> {
    const { format, hashes = false, quiet } = this.#options;
    const { module, version, id, text } = record;
    const shown: ShownRecord = {
      record,
      repeats: repeatsOf(record, await whole.find(module, version)),
      seenAt: await seen.of(id),
      unexpected: this.#expected && unexpectedIn(this.#expected, module, version, text),
    };
    const isAlarm = alarmOf(shown) !== undefined;
    if (isAlarm) this.alarms++;
    if (quiet === true && !isAlarm && this.#expected !== undefined) return '';
    const how = { hashes, alarms: true };
    return format === 'json' ? jsonOf(shown, how) : textOf(shown, how);
  }

  async #setMark({ log, key }: OpenLog): Promise<void> {
    this.#markedAt = Date.now();
    if (this.#options.peek === true || this.#next === undefined || this.#next === this.#marked) return;
    try {
      await log.setMark(key, this.#mark, this.#next);
      this.#marked = this.#next;
    } catch (cause) {
      if (!(cause instanceof GosumError)) throw cause;
      throw new GosumError(cause.code, cause.message, { cause, hint: 'with --peek nothing is written; give --since as well' });
    }
  }

  async #sum(from: number, to: number, shown: number): Promise<void> {
    const alarms = this.alarms === 0 ? '' : `, ${plural(this.alarms, 'ALARM').replace('ALARMs', 'ALARMS')}`;
    const range = to > from ? `records ${from} to ${to - 1}` : 'no new records';
    await this.#say(`looked through ${range}: ${shown} of modules that match${alarms}`);
  }

  async #say(text: string): Promise<void> {
    this.#progress.hide();
    if (this.#options.quiet !== true) await say(this.#host, text);
  }
}
