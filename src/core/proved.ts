/**
 * The mark of proved things.
 *
 * A `Proved<T>` can be made by the core's own checks alone (plan.ts, receipt.ts, timeline.ts): no other room casts to it,
 * and a lint rule holds that. A store takes nothing else, so that unproved bytes cannot be kept by mistake.
 */

declare const proved: unique symbol;

/** A `T` that was proved against a signed tree head. */
export type Proved<T> = T & { readonly [proved]: true };
