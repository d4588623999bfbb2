/**
 * Verdicts: what a run says of each go.sum line and each file of the module cache, and of the run as a whole. The JSON report
 * is this, field by field.
 */

import type { Code } from '../errors.js';
import type { Hash } from '../core/hash.js';

/**
 * - `verified`: the line is in a proved record; the cached file has the hash of one.
 * - `mismatch`: a proved record has another hash for it; the hash is of no known kind; the go command would refuse the zip.
 * - `conflict`: two lines of the input, or two files of the cache, give one module version different hashes.
 * - `missing`: the log answered 404 or 410.
 * - `skipped`: not asked on purpose: a private module, or a line that the go command drops.
 * - `error`: not asked, not answered, or not proved.
 */
export type Status = 'verified' | 'mismatch' | 'conflict' | 'missing' | 'skipped' | 'error';

/** What a run says of one line of a go.sum, or of one file of the module cache. */
export interface Verdict {
  /**
   * The file as the user named it; `-` for standard input. Of the module cache: the path of the file or of the extracted
   * folder, from the cache's own folder on, with slashes.
   */
  readonly file: string;
  /** Line number, from 1; `undefined` says that this is a file of the module cache. */
  readonly line?: number | undefined;
  /** Module path. */
  readonly module: string;
  /** Version, without `/go.mod`. */
  readonly version: string;
  readonly kind: 'module' | 'go.mod';
  readonly status: Status;
  /** The hash that the file has; empty for a cached file that has none. */
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
  /** What of the module cache is to be deleted, so that the go command downloads it again; paths as in `file`. */
  readonly remove?: readonly string[] | undefined;
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

/** What was looked at in a module cache, in numbers. */
export interface CacheCounts {
  /** The cache's absolute folder. */
  readonly folder: string;
  /** Module versions with anything in the cache that was hashed. */
  readonly modules: number;
  readonly zips: number;
  /** Extracted folders. */
  readonly folders: number;
  /** go.mod files outside the zips. */
  readonly goMods: number;
  /** Module versions with a zip and no folder, a folder and no zip, and with a go.mod file alone: all of that is usual. */
  readonly zipOnly: number;
  readonly folderOnly: number;
  readonly goModOnly: number;
  /** Folders whose extraction was not finished: the go command does not use them, so they were not looked at. */
  readonly unfinished: number;
}

/** A run of `verify` or `modcache`. */
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
    /** Results: lines, and files of the module cache. */
    readonly lines: number;
    readonly verified: number;
    readonly mismatched: number;
    readonly missing: number;
    readonly skipped: number;
    readonly failed: number;
  };
  /** Module versions asked about, and how many of them were proved from the cache alone. */
  readonly modules: { readonly checked: number; readonly cached: number };
  /** In the order of files and lines; then what the module cache has, by module, version and file. */
  readonly results: readonly Verdict[];
  /** Where a module cache was looked at. */
  readonly modcache?: CacheCounts | undefined;
  /** What went wrong with the run as a whole: no newest head though one was asked for, a head too old, or a fork. */
  readonly problem?: Problem | undefined;
  /** Where the log misbehaved: the evidence, in cmd/go's form, many lines. */
  readonly fork?: string | undefined;
}
