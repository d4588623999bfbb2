/** What the differential test knows of one operation: how to ask both sides, and where we are stricter on purpose. */

import { createHash } from 'node:crypto';
import type { Random } from './random.js';

/** An input as it goes over to Go: bytes, or text as its UTF-8. */
export type Input = string | Uint8Array;

export interface Subject {
  /** The operation's name in test/go/main.go. */
  readonly op: string;
  /** Inputs that are always tried: at least one for each stricter rule. */
  readonly fixed: readonly (readonly Input[])[];
  /** A random input, about half of them well formed. */
  readonly make: (random: Random) => readonly Input[];
  /** What the core reads, in the words of the Go program; `undefined`, or a GosumError thrown, where it refuses. */
  readonly ours: (...input: Input[]) => readonly string[] | undefined;
  /**
   * The rules by which we refuse what Go takes. Each is told from the input and Go's own reading alone, and holds exactly
   * where we refuse.
   */
  readonly stricter: Readonly<Record<string, (go: readonly string[], ...input: Input[]) => boolean>>;
  /** Nothing is ever refused. */
  readonly total?: boolean;
  /** Keys and signatures cost: a third of the inputs will do. */
  readonly slow?: boolean;
}

/** The text of an input that was made as text. */
export function textOf(input: Input | undefined): string {
  if (typeof input !== 'string') throw new Error('want a text');
  return input;
}

/** The bytes of an input. */
export function bytesOf(input: Input | undefined): Uint8Array {
  if (input === undefined) throw new Error('no such input');
  return typeof input === 'string' ? new TextEncoder().encode(input) : input;
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** SHA-256 by Node itself, not by the core's fence. */
export function sha256(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
