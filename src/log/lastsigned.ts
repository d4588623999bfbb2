/**
 * Which tree was signed last, in a place of its own (contract.ts, `Cell`): what keeps a restored backup of the data file, and a
 * second copy of it, from signing a fork.
 *
 * A tree is noted here BEFORE it is signed, and nothing is signed that is not noted. So whoever holds the place, and sees in
 * it the tree that their data has, knows that nothing beyond it was ever signed.
 */

import type { Cell, HeldCell } from '../contract.js';
import { decodeUtf8, encodeUtf8 } from '../core/text.js';
import { formatTreeHead, parseTreeHead, sameTree, type TreeHead } from '../core/treehead.js';
import { GosumError, isGosumError } from '../errors.js';

/** What is noted, while nobody else can note anything. */
export interface HeldSigned {
  /** The tree that was signed last, or was about to be; `undefined` where nothing ever was. */
  readonly head: TreeHead | undefined;
  /** Notes the tree that will be signed next, durably. It never goes back. */
  swap(next: TreeHead): Promise<void>;
}

/** The place where a log keeps what it signed last. */
export class LastSigned {
  readonly #cell: Cell;
  readonly #name: string;

  /** @param name of the log: a place belongs to one. */
  constructor(cell: Cell, name: string) {
    this.#cell = cell;
    this.#name = name;
  }

  /** Names the place to a person. */
  get label(): string {
    return this.#cell.label;
  }

  /**
   * Has `work` done while no other process can sign.
   *
   * @throws {GosumError} `STORE_FAILED` where the place cannot be read or written, or another holds it too long;
   * `SIGNING_REFUSED` where it is another log's; what `work` throws.
   */
  hold<T>(work: (held: HeldSigned) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#cell.hold((cell) => work(this.#held(cell)), signal);
  }

  #held(cell: HeldCell): HeldSigned {
    let head = cell.value === undefined ? undefined : this.#parse(cell.value);
    return {
      get head() {
        return head;
      },
      swap: async (next) => {
        if (head !== undefined && (next.size < head.size || (next.size === head.size && !sameTree(next, head)))) {
          throw new Error(`${next.size} records cannot be signed after ${head.size}`);
        }
        await cell.swap(encodeUtf8(`${this.#name}\n${decodeUtf8(formatTreeHead(next))}`));
        head = next;
      },
    };
  }

  #parse(value: Uint8Array): TreeHead {
    const newline = value.indexOf(0x0a);
    try {
      const name = decodeUtf8(value.subarray(0, newline));
      if (name !== this.#name) {
        throw new GosumError('SIGNING_REFUSED', `${this.label}: it is of the log ${name}, not of ${this.#name}`, { hint: 'name the state file of this log' });
      }
      return parseTreeHead(value.subarray(newline + 1));
    } catch (cause) {
      if (isGosumError(cause, 'SIGNING_REFUSED')) throw cause;
      throw new GosumError('STORE_FAILED', `${this.label}: it does not say what was signed last`, { cause });
    }
  }
}
