/**
 * Errors: one base class, a closed set of codes, and of each code the one outcome that it means.
 *
 * The outcomes never mix (an unreachable proxy is no proof of anything, and a bad tile accuses nobody):
 * callers and tests look at `code` and `outcome`, never at the text.
 */

/**
 * What an error means for the question "is this record in the log?".
 *
 * - `malformed`: what we were given (a file, a key, an argument) is not of its form. Nothing was asked.
 * - `config`: the settings do not allow an answer, or contradict what is remembered.
 * - `unreachable`: there was no answer of the protocol's form. Trying again may help.
 * - `missing`: the log says that it does not know the module version (404 or 410).
 * - `unproved`: a well-formed answer that does not authenticate. It accuses nobody: any proxy can cause it.
 * - `mismatch`: the proved record contradicts the line (or two lines contradict each other).
 * - `skipped`: not asked on purpose: a private module, or a line that the go command itself drops.
 * - `fork`: two validly signed tree heads that cannot both be true, with the proof.
 * - `local`: this machine failed (disk full, store locked) or the user stopped us.
 */
export type Outcome =
  | 'malformed'
  | 'config'
  | 'unreachable'
  | 'missing'
  | 'unproved'
  | 'mismatch'
  | 'skipped'
  | 'fork'
  | 'local';

/** Every code, with its outcome. The set is closed: a new failure takes an old code or adds a line here. */
const OUTCOMES = {
  // malformed: refused by a parser of ours
  INTEGER_MALFORMED: 'malformed',
  BASE64_MALFORMED: 'malformed',
  UTF8_MALFORMED: 'malformed',
  KEY_MALFORMED: 'malformed',
  NOTE_MALFORMED: 'malformed',
  TREE_HEAD_MALFORMED: 'malformed',
  RECORD_MALFORMED: 'malformed',
  RECEIPT_MALFORMED: 'malformed',
  BULK_MALFORMED: 'malformed',
  TILE_PATH_MALFORMED: 'malformed',
  MODULE_PATH_MALFORMED: 'malformed',
  VERSION_MALFORMED: 'malformed',
  GOSUM_MALFORMED: 'malformed',
  H1_MALFORMED: 'malformed',
  ZIP_MALFORMED: 'malformed',
  ZIP_LIMIT: 'malformed',
  // config
  CONFIG_INVALID: 'config',
  SUMDB_OFF: 'config',
  KEY_CHANGED: 'config',
  SIGNING_REFUSED: 'config',
  NOTHING_TO_CHECK: 'config',
  // unreachable: no answer, or none of the protocol's form
  UNREACHABLE: 'unreachable',
  TIMEOUT: 'unreachable',
  HTTP_STATUS: 'unreachable',
  TOO_LARGE: 'unreachable',
  ANSWER_MALFORMED: 'unreachable',
  TILE_SIZE: 'unreachable',
  OFFLINE: 'unreachable',
  HEAD_TOO_OLD: 'unreachable',
  BULK_OLDER: 'unreachable',
  // missing
  NOT_FOUND: 'missing',
  // unproved: well formed, and not authentic
  SIGNATURE_UNKNOWN: 'unproved',
  SIGNATURE_INVALID: 'unproved',
  TILE_MISMATCH: 'unproved',
  RECORD_MISMATCH: 'unproved',
  RECORD_BEYOND_HEAD: 'unproved',
  RECORD_FOREIGN: 'unproved',
  RECORD_CONFLICT: 'unproved',
  PROOF_MISMATCH: 'unproved',
  BULK_COVERAGE: 'unproved',
  // mismatch: the proved record, or the file itself, contradicts the line
  HASH_MISMATCH: 'mismatch',
  HASH_UNKNOWN: 'mismatch',
  LINES_CONFLICT: 'mismatch',
  FILES_CONFLICT: 'mismatch',
  ZIP_RULES: 'mismatch',
  // skipped: not asked on purpose
  SKIPPED_PRIVATE: 'skipped',
  SKIPPED_EMPTY_GOMOD: 'skipped',
  SKIPPED_GOROOT: 'skipped',
  // misbehaving log
  FORK: 'fork',
  // this machine
  STORE_FAILED: 'local',
  FILE_FAILED: 'local',
  INTERRUPTED: 'local',
} as const;

/** A code of the closed set. */
export type Code = keyof typeof OUTCOMES;

/** All codes, for the published schema and for tests. */
export const CODES: readonly Code[] = Object.keys(OUTCOMES) as Code[];

/** The outcome that a code means. */
export function outcomeOf(code: Code): Outcome {
  return OUTCOMES[code];
}

/**
 * Base of every error that this package throws on purpose. A bug in our own arithmetic is a plain `Error`.
 *
 * `message` is lower case and names the thing; `hint`, where there is one, is the next step for a person.
 */
export class GosumError<C extends Code = Code> extends Error {
  override readonly name: string = 'GosumError';
  readonly code: C;
  /** What the person at the terminal can do next. */
  readonly hint: string | undefined;
  /** Whether trying again may help. By default so for what could not be reached, but for a run that asks nobody. */
  readonly retryable: boolean;

  constructor(code: C, message: string, options: { cause?: unknown; hint?: string; retryable?: boolean } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? (OUTCOMES[code] === 'unreachable' && code !== 'OFFLINE');
  }

  /** The outcome of this error's code. */
  get outcome(): Outcome {
    return OUTCOMES[this.code];
  }
}

/** Reports whether `error` is one of ours, with one of `codes` where they are given. */
export function isGosumError<C extends Code = Code>(error: unknown, ...codes: C[]): error is GosumError<C> {
  return error instanceof GosumError && (codes.length === 0 || codes.includes(error.code as C));
}

/**
 * The HTTP status by which a database answers with an error. Never 403 or 401 to a go command that asks rightly: it takes those for
 * its own fault.
 */
export function httpStatusOf(error: GosumError): number {
  switch (error.outcome) {
    case 'malformed':
      return 400;
    case 'missing':
      return 404;
    case 'unreachable':
      return error.code === 'TIMEOUT' ? 504 : 502;
    case 'unproved':
    case 'mismatch':
    case 'fork':
      return 502;
    default:
      return 500;
  }
}
