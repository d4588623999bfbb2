/** What is said of a log that was seen to contradict itself. */

import { GosumError } from '../errors.js';

/** Nothing new is taken of it, until a person decides. */
export function standsStill(name: string): GosumError {
  return new GosumError('FORK', `${name} was seen to misbehave: only what was proved before is served`, {
    hint: 'see `gosumcheck evidence`; to clear it is a person’s decision',
  });
}
