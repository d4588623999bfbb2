/** Verdicts: what a run says of each go.sum line, and of the run as a whole. The JSON report is this, field by field. */

import type { Code } from '../errors.js';
import type { Hash } from '../core/hash.js';

/**
 * - `verified`: the line is in a proved record.
 * - `mismatch`: a proved record has another hash for it; or the hash is of no known kind.
 * - `conflict`: two lines of the input give one key different hashes.
 * - `missing`: the log answered 404 or 410.
 * - `skipped`: not asked on purpose: a private module, or a line that the go command drops.
 * - `error`: not asked, not answered, or not proved.
 */
export type Status = 'verified' | 'mismatch' | 'conflict' | 'missing' | 'skipped' | 'error';

/** What a run says of one line. */
export interface Verdict {
  /** The file as the user named it; `-` for standard input. */
  readonly file: string;
  /** Line number, from 1. */
  readonly line: number;
  /** Module path. */
  readonly module: string;
  /** Version, without `/go.mod`. */
  readonly version: string;
  readonly kind: 'module' | 'go.mod';
  readonly status: Status;
  /** The hash that the file has. */
  readonly hash: string;
  /** The hash that the log's proved record has, where it differs. */
  readonly expected?: string | undefined;
  /** The record's number in the log. */
  readonly record?: number | undefined;
  /** For `error`: whether trying again may help. */
  readonly retryable?: boolean | undefined;
  readonly code?: Code | undefined;
  /** One line, lower case; for `skipped`, by which pattern. It does not name the module version again. */
  readonly message?: string | undefined;
  /** The next step for a person, where the error knows one. */
  readonly hint?: string | undefined;
}

/** What went wrong with a run as a whole. */
export interface Problem {
  readonly code: Code;
  /** One line, lower case. */
  readonly message: string;
  /** The next step for a person. */
  readonly hint?: string | undefined;
}

/** How the log's tree head stands to what was seen before. */
export type Timeline = 'first-contact' | 'consistent' | 'fork' | 'none';

/** A run of `verify`. */
export interface VerifyRun {
  /** Whether every line was asked and answered: no `error` and no interruption. */
  readonly complete: boolean;
  /** 0 verified, 1 a lie, 2 all was skipped, 3 incomplete, 4 missing. */
  readonly exitCode: number;
  readonly database: {
    readonly name: string;
    /** The way that was taken, without credentials: a URL, or `cache` where nothing was asked. */
    readonly url: string;
    /** The head that all was proved under; `undefined` where there is none. */
    readonly tree: { readonly size: number; readonly hash: Hash } | undefined;
    readonly timeline: Timeline;
  };
  readonly summary: {
    readonly lines: number;
    readonly verified: number;
    readonly mismatched: number;
    readonly missing: number;
    readonly skipped: number;
    readonly failed: number;
  };
  /** Module versions asked about, and how many of them were proved from the cache alone. */
  readonly modules: { readonly checked: number; readonly cached: number };
  /** In the order of files and lines. */
  readonly results: readonly Verdict[];
  /** What went wrong with the run as a whole: no newest head though one was asked for, a head too old, or a fork. */
  readonly problem?: Problem | undefined;
  /** Where the log misbehaved: the evidence, in cmd/go's form, many lines. */
  readonly fork?: string | undefined;
}
