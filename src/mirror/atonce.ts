/** What a mirror answers without waiting: what lies ready in memory, and what the store gives at once. */

import type { Database, Question } from '../contract.js';
import { formatModuleVersion, type ModuleVersion } from '../core/module.js';
import { isTileInTree, type Tile } from '../core/tile.js';
import type { SignedHead } from '../core/treehead.js';
import type { Kept } from './kept.js';
import { FOUND, type MirrorEvent } from './mirrorevent.js';
import type { ReadyAnswers } from './ready.js';

/** What it stands on. */
export interface AtOnceOptions {
  readonly ready: ReadyAnswers;
  readonly kept: Pick<Kept, 'recordNow' | 'tileNow'>;
  /** The newest proved head; `undefined` before first contact. */
  readonly head: () => SignedHead | undefined;
  /** See `MirrorOptions`. */
  readonly skippedBy: (module: string) => string | undefined;
  readonly told: (event: MirrorEvent) => void;
}

/** Answers without waiting. */
export class AtOnce implements Required<Pick<Database, 'ready' | 'now'>> {
  readonly #options: AtOnceOptions;

  constructor(options: AtOnceOptions) {
    this.#options = options;
  }

  ready(question: Question): Uint8Array | undefined {
    const { ready, head, told } = this.#options;
    switch (question.kind) {
      case 'latest':
        return head()?.note;
      case 'lookup': {
        const answer = ready.lookup(formatModuleVersion(question.module, question.version), head());
        if (answer !== undefined) told(FOUND.lookup.memory);
        return answer;
      }
      case 'tile': {
        const answer = ready.tile(question.tile);
        if (answer !== undefined) told(FOUND.tile.memory);
        return answer;
      }
    }
  }

  now(question: Question): Uint8Array | undefined {
    switch (question.kind) {
      case 'latest':
        return undefined;
      case 'lookup':
        return this.#lookup(question);
      case 'tile':
        return this.#tile(question.tile);
    }
  }

  #lookup({ module, version }: ModuleVersion): Uint8Array | undefined {
    const { ready, kept, skippedBy, told } = this.#options;
    const head = this.#options.head();
    if (head === undefined || skippedBy(module) !== undefined) return undefined;
    const name = formatModuleVersion(module, version);
    const known = ready.record(name);
    const record = known ?? kept.recordNow({ module, version }, name);
    if (record === undefined || record.id >= head.size) return undefined;
    told(known === undefined ? FOUND.lookup.store : FOUND.lookup.memory);
    return ready.addLookup(name, record, head);
  }

  #tile(tile: Tile): Uint8Array | undefined {
    const { ready, kept, told } = this.#options;
    const size = this.#options.head()?.size ?? 0;
    const bytes = isTileInTree(tile, size) ? kept.tileNow(tile, size) : undefined;
    if (bytes === undefined) return undefined;
    told(FOUND.tile.store);
    return ready.addTile(tile, bytes);
  }
}
