/**
 * `gosumcheck/note`: signed notes and their keys (c2sp.org/signed-note). Runs in a browser too.
 */

export { GosumError, isGosumError, type Code, type Outcome } from './errors.js';
export {
  formatKeyHash,
  formatSignerKey,
  formatVerifierKey,
  isKeyName,
  newSignerKey,
  newVerifierKey,
  parseSignerKey,
  parseVerifierKey,
  verifierKeyOf,
  type SignerKey,
  type VerifierKey,
} from './core/key.js';
export { openNote, signNote, type Note, type NoteSignature } from './core/note.js';
