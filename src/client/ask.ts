/**
 * Asking: the answers to many lookups, parsed and their heads' signatures checked, but not proved yet.
 */

import { GosumError, isGosumError } from '../errors.js';
import type { VerifierKey } from '../core/key.js';
import { parseLookup, type LookupAnswer } from '../core/record.js';
import { openTreeHead, type SignedHead } from '../core/treehead.js';
import type { Reader } from './reader.js';

/** An answer to a lookup: its head is signed, its record unproved. */
export interface Asked {
  readonly answer: LookupAnswer;
  readonly head: SignedHead;
  readonly fromCache: boolean;
}

/** Opens tree heads, each distinct note once: a server gives the same head with many answers. Equal heads are one object. */
export class HeadOpener {
  readonly #key: VerifierKey;
  readonly #opened = new Map<string, SignedHead | GosumError>();
  readonly #heads = new Map<string, SignedHead>();
  readonly #latin1 = new TextDecoder('latin1');

  constructor(key: VerifierKey) {
    this.#key = key;
  }

  /**
   * Opens a note that came from outside.
   *
   * @throws {GosumError} `SIGNATURE_UNKNOWN`, `SIGNATURE_INVALID`; `ANSWER_MALFORMED` where it is no signed tree head.
   */
  open(note: Uint8Array): SignedHead {
    const key = this.#latin1.decode(note);
    let opened = this.#opened.get(key);
    if (opened === undefined) {
      opened = this.#try(note);
      this.#opened.set(key, opened);
    }
    if (opened instanceof GosumError) throw opened;
    return opened;
  }

  #try(note: Uint8Array): SignedHead | GosumError {
    try {
      const head = openTreeHead(note, this.#key);
      const key = this.#latin1.decode(head.note);
      const known = this.#heads.get(key) ?? head;
      this.#heads.set(key, known);
      return known;
    } catch (error) {
      return error instanceof GosumError && error.outcome === 'unproved' ? error : answerMalformed(error);
    }
  }
}

/**
 * Asks for one module version. A cached answer that is not even of its form is passed over for the database's.
 *
 * @param signal in place of the reader's own.
 * @throws {GosumError} as `Source.read`; `ANSWER_MALFORMED`; `SIGNATURE_UNKNOWN`, `SIGNATURE_INVALID`.
 */
export async function ask(reader: Reader, heads: HeadOpener, path: string, signal?: AbortSignal): Promise<Asked> {
  const { bytes, fromCache } = await reader.lookup(path, signal);
  try {
    const answer = parseAnswer(bytes);
    return { answer, head: heads.open(answer.note), fromCache };
  } catch (error) {
    if (!fromCache || !isGosumError(error)) throw error;
    reader.distrust(path);
    return ask(reader, heads, path, signal);
  }
}

function parseAnswer(bytes: Uint8Array): LookupAnswer {
  try {
    return parseLookup(bytes);
  } catch (error) {
    throw answerMalformed(error);
  }
}

/** An answer that is not of the protocol's form is no answer: whoever gave it, it proves nothing. */
function answerMalformed(error: unknown): GosumError {
  if (!(error instanceof GosumError)) throw error;
  return new GosumError('ANSWER_MALFORMED', `the answer is not of the protocol’s form: ${error.message}`, { cause: error });
}
