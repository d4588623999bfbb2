/** The newest records of module paths as a mirror answers with them: once for all who ask, and not of private modules. */

import { LRUCache } from 'lru-cache';
import type { Caller, LogState, RecentRecords, Store } from '../contract.js';
import { formatModulePaths, type ModulePaths } from '../core/modulepaths.js';
import { GosumError } from '../errors.js';
import { RecentFinder } from './recent.js';

/** Answers that are remembered until the log has grown: some 20 KB each. */
const MOST_ANSWERS = 500;

/** What is known of one question. */
interface Known {
  /** How far the log was kept then. */
  readonly indexed: number;
  readonly answer: Promise<RecentRecords>;
}

/** The newest records of one log. */
export class Feeds {
  readonly #store: Store;
  readonly #key: string;
  readonly #skippedBy: (module: string) => string | undefined;
  readonly #known = new LRUCache<string, Known>({ max: MOST_ANSWERS });
  #finder: RecentFinder | undefined;

  /** @param key canonical verifier key. @param skippedBy as a mirror has it. */
  constructor(store: Store, key: string, skippedBy: (module: string) => string | undefined) {
    this.#store = store;
    this.#key = key;
    this.#skippedBy = skippedBy;
  }

  /** Whether the log is kept whole: then there are feeds. */
  async areKept(): Promise<boolean> {
    return (await this.#state()) !== undefined;
  }

  /** As `Database.recent`. */
  async recent(paths: ModulePaths, limit: number, caller?: Caller): Promise<RecentRecords> {
    const name = formatModulePaths(paths);
    if (this.#skippedBy(paths.path) !== undefined) throw new GosumError('NOT_FOUND', `feeds/${name}.atom: private here`);
    const state = await this.#state();
    if (state === undefined) throw new GosumError('NOT_FOUND', `feeds/${name}.atom: the log is not kept whole here`);
    const { indexed } = state;
    const question = `${limit} ${name}`;
    if (paths.below && !this.#isKnown(question, indexed)) await caller?.admit();
    const known = this.#known.get(question);
    if (known?.indexed === indexed) return known.answer; // perhaps of somebody who came while leave was waited for
    this.#finder ??= new RecentFinder(this.#store, this.#key, (module) => this.#skippedBy(module) !== undefined);
    const answer = this.#finder.find(state, paths, limit);
    this.#known.set(question, { indexed, answer });
    answer.catch(() => this.#known.delete(question));
    return answer;
  }

  #isKnown(question: string, indexed: number): boolean {
    return this.#known.get(question)?.indexed === indexed;
  }

  /** `undefined` before the first sync was done. */
  async #state(): Promise<LogState | undefined> {
    const state = await this.#store.log?.state(this.#key);
    return state === undefined || state.indexed === 0 ? undefined : state;
  }
}
