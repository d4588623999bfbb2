/** What happens in a mirror, for metrics and a log. */

import type { SignedHead } from '../core/treehead.js';
import type { GosumError } from '../errors.js';

/** What happens in a mirror. */
export type MirrorEvent =
  /** Something was found, and where: ready to be sent, on disk, or only upstream. */
  | { readonly kind: 'answer'; readonly of: 'lookup' | 'tile'; readonly layer: Layer }
  /** Upstream showed a head that was verified and lies on the timeline. */
  | { readonly kind: 'head'; readonly head: SignedHead; readonly grown: boolean }
  /** Upstream began to fail; or, where there is no failure, answers again. */
  | { readonly kind: 'upstream'; readonly failure: GosumError | undefined }
  /** Upstream gave an answer that does not authenticate. */
  | { readonly kind: 'unproved'; readonly error: GosumError }
  /** The log was seen to contradict itself, for the first time. */
  | { readonly kind: 'fork'; readonly error: GosumError };

type Layer = 'memory' | 'store' | 'upstream';
type AnswerEvent = Extract<MirrorEvent, { kind: 'answer' }>;

/** That something was found, by what and where. Made once: the ready answer is the path that most requests take. */
export const FOUND: Readonly<Record<AnswerEvent['of'], Readonly<Record<Layer, AnswerEvent>>>> = {
  lookup: layersOf('lookup'),
  tile: layersOf('tile'),
};

function layersOf(of: AnswerEvent['of']): Record<Layer, AnswerEvent> {
  const at = (layer: Layer): AnswerEvent => ({ kind: 'answer', of, layer });
  return { memory: at('memory'), store: at('store'), upstream: at('upstream') };
}
