/** Exit codes of errors, by their outcome. `verify` has those of its verdicts beside these (verify/verify.ts). */

import type { GosumError, Outcome } from '../errors.js';

const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  malformed: 2,
  config: 2,
  local: 2,
  skipped: 2,
  unreachable: 3,
  missing: 4,
  unproved: 1,
  mismatch: 1,
  fork: 1,
};

/** The exit code of a command that an error ends; 128 and the signal's number where a person ended it. */
export function exitCodeOf(error: GosumError): number {
  if (error.code === 'INTERRUPTED') return error.cause === 'SIGTERM' ? 143 : 130;
  return EXIT_CODES[error.outcome];
}
