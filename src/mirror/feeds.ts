/** The newest records of module paths as a mirror answers with them: once for all who ask, and not of private modules. */

import { LRUCache } from 'lru-cache';
import type { Caller, LogState, RecentRecords, Store } from '../contract.js';
import { equalBytes } from '../core/hash.js';
import { formatModulePaths, type ModulePaths } from '../core/modulepaths.js';
import { GosumError } from '../errors.js';
import { RecentFinder } from '../whole/recent.js';

/** Answers that are remembered until the log has grown: some 20 KB each. */
const MOST_ANSWERS = 500;

/** What is known of the log that the store has now. */
interface Asked {
  /** Another one where a damaged file was set aside for a new one. */
  readonly salt: Uint8Array;
  readonly finder: RecentFinder;
  /** By question, and how far the log was kept then. */
  readonly answers: LRUCache<string, { readonly indexed: number; readonly answer: Promise<RecentRecords> }>;
}

/** The newest records of one log. */
export class Feeds {
  readonly #store: Store;
  readonly #key: string;
  readonly #skippedBy: (module: string) => string | undefined;
  #asked: Asked | undefined;

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
    const { finder, answers } = this.#askedOf(state);
    const question = `${limit} ${name}`;
    const known = (): Promise<RecentRecords> | undefined => {
      const found = answers.get(question);
      return found?.indexed === state.indexed ? found.answer : undefined;
    };
    if (paths.below && known() === undefined) await caller?.admit();
    // somebody else may have asked while leave was waited for
    const answer = known() ?? finder.find(state, paths, limit);
    answers.set(question, { indexed: state.indexed, answer });
    answer.catch(() => answers.delete(question));
    return answer;
  }

  #askedOf({ salt }: LogState): Asked {
    if (this.#asked === undefined || !equalBytes(this.#asked.salt, salt)) {
      const finder = new RecentFinder(this.#store, this.#key, (module) => this.#skippedBy(module) !== undefined);
      this.#asked = { salt, finder, answers: new LRUCache({ max: MOST_ANSWERS }) };
    }
    return this.#asked;
  }

  /** `undefined` before the first sync was done. */
  async #state(): Promise<LogState | undefined> {
    const state = await this.#store.log?.state(this.#key);
    return state === undefined || state.indexed === 0 ? undefined : state;
  }
}
