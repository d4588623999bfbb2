/** Advice: what a person does next about each category of finding, with commands to copy. */

import { join } from 'node:path';
import type { Code } from '../errors.js';
import type { Verdict, VerifyRun } from '../verify/verdict.js';
import type { Category } from './category.js';
import { visible } from './escape.js';
import type { ReportOptions } from './options.js';
import { privatePatterns } from './private.js';
import { countOf, isAsLogged } from './words.js';

/** One step. */
export interface Advice {
  readonly text: string;
  /** Commands that do it, each to be run from the folder that gosumcheck ran in. */
  readonly commands?: readonly string[] | undefined;
}

/** The steps for a category, given the run's verdicts of that category. Nothing in the text is from elsewhere; commands are safe to show. */
export function adviceFor(
  category: Category,
  verdicts: readonly Verdict[],
  run: VerifyRun,
  options: Pick<ReportOptions, 'private'>,
): Advice[] {
  switch (category) {
    case 'fork':
      return [
        {
          text: 'Do not build. The evidence is kept on this machine until a person clears it:',
          commands: ['gosumcheck evidence'],
        },
        {
          text:
            'Send it to those who run the log (for sum.golang.org: security@golang.org). Anybody can check it offline.',
        },
      ];
    case 'mismatch':
      return [
        look('Do not build or release from this file. See who changed the line, and why', verdicts),
        { text: 'If the change cannot be explained, take it for an attack: restore the file from a revision that you trust.' },
        {
          text: 'If it was a mistake, or the line never changed, delete it and have it made anew; the go command then asks the log itself:',
          commands: ['go clean -modcache', 'go mod tidy'],
        },
        {
          text:
            'If that ends in a checksum mismatch, the origin no longer serves what was published: tell its ' +
            'authors, and use another version.',
        },
      ];
    case 'conflict':
      return [look('Keep the line that the log has, and delete the other. See where that one came from', verdicts)];
    case 'unknown-hash':
      return [look('See who put it there, and why', verdicts), { text: 'Delete the line and have it made anew:', commands: ['go mod tidy'] }];
    case 'cache-mismatch':
    case 'cache-conflict':
    case 'cache-zip':
      return cached(verdicts, run);
    case 'unproved':
      return [
        { text: 'Do not build with these versions. Go past the proxy: run again with GOPROXY=direct in the environment.' },
        { text: 'If that helps, tell those who run the proxy.' },
      ];
    case 'missing':
      return missing(run, options);
    case 'unreachable':
    case 'failed':
      return [...ofCodes(verdicts), retry(verdicts)].filter((advice) => advice !== undefined);
    case 'skipped':
      return [];
  }
}

function missing(run: VerifyRun, options: Pick<ReportOptions, 'private'>): Advice[] {
  const patterns = privatePatterns(run);
  const { variable, value } = options.private ?? { variable: 'GOPRIVATE', value: '' };
  const now = value === '' ? [] : [visible(value)];
  const setting = `${variable}=${[...now, ...patterns].join(',')}`;
  const added = options.private === undefined ? ` Mind what ${variable} has already: this replaces it.` : '';
  const advice: Advice[] = [];
  if (patterns.length > 0) {
    advice.push({
      text:
        'For a private module that is normal. Keep such names on this machine (the log was just asked for them), ' +
        `and out of the check; in CI set the same variable in the environment of the job.${added}`,
      commands: [`go env -w ${setting}`],
    });
  }
  advice.push({
    text:
      'For a public module it is not normal: the version was gone from its origin, or never there, when the log was ' +
      'first asked. Look at the path and the version letter by letter before you build with it.',
  });
  return advice;
}

/** Says what to delete, by whole paths: nothing is lost, as the go command downloads what it needs. */
function cached(verdicts: readonly Verdict[], { modcache }: VerifyRun): Advice[] {
  const absolute = (file: string): string => join(modcache?.folder ?? '', ...file.split('/'));
  const files = [...new Set(verdicts.flatMap(({ remove = [] }) => remove))];
  const advice: Advice[] = [{ text: 'Do not build with this cache. See who could write to it, and do not save it for later runs.' }];
  if (files.length > 0) {
    advice.push({
      text: 'Delete these; the go command downloads again what it needs, and checks it (its folders are read-only: chmod -R u+w first):',
      commands: files.map((file) => visible(absolute(file))),
    });
  }
  const kept = new Set(verdicts.flatMap(({ hint, remove }) => (hint === undefined || remove !== undefined ? [] : [hint])));
  advice.push(...[...kept].map(fromHint), { text: 'Or delete the whole cache:', commands: ['go clean -modcache'] });
  return advice;
}

function fromHint(hint: string): Advice {
  return { text: visible(`${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`) };
}

/** What helps against single codes. */
const BY_CODE: Partial<Record<Code, Advice>> = {
  UNREACHABLE: { text: 'Look at the network and at the way that is set:', commands: ['go env GOPROXY GOSUMDB'] },
  TIMEOUT: { text: 'Where the network is slow, give it more time: --timeout for a request, --deadline for the run.' },
  HTTP_STATUS: { text: 'The server answered, but not as the protocol has it; its operators know why. Or go another way: GOPROXY=direct.' },
  ANSWER_MALFORMED: { text: 'Something other than the log answered: a login page, or the error page of a proxy. See what the URL gives.' },
  OFFLINE: { text: 'What is not in the cache needs the network: run once without --offline.' },
  HEAD_TOO_OLD: { text: 'The log showed less than the trusted head demands: a mirror that lags catches up; one that hides the newest records does not.' },
  KEY_CHANGED: { text: 'The name of the database was first met with another key. Find out which key is right before you go on.' },
  STORE_FAILED: { text: 'The cache file could not be used. It holds nothing that cannot be fetched again:', commands: ['gosumcheck cache clean'] },
};

/** What the errors themselves advise; of those that know nothing better, what helps against their codes. */
function ofCodes(verdicts: readonly Verdict[]): Advice[] {
  const hints = new Set(verdicts.flatMap(({ hint }) => hint ?? []));
  const codes = new Set(verdicts.flatMap(({ hint, code }) => (hint === undefined ? (code ?? []) : [])));
  const own = [...hints].map(fromHint);
  return [...own, ...[...codes].flatMap((code) => BY_CODE[code] ?? [])];
}

function retry(verdicts: readonly Verdict[]): Advice | undefined {
  const may = verdicts.filter(({ retryable }) => retryable === true);
  if (may.length === verdicts.length) return { text: 'Trying again may help. With a cache only the rest is asked for.' };
  if (may.length > 0) return { text: `Trying again may help for ${countOf(may)} of ${verdicts.length}.` };
  return verdicts.every(({ retryable }) => retryable === false) ? { text: 'Trying again as it is will not help.' } : undefined;
}

/** File names that a shell and git take as they are. */
const PLAIN_FILE = /^[A-Za-z0-9_./][A-Za-z0-9_./-]*$/;
const BLAME_LINES = 8;

/** A step that ends in `git blame` of the wrong lines in the first file that has such a name; without it where there is none. */
function look(text: string, verdicts: readonly Verdict[]): Advice {
  const wrong = verdicts.filter((verdict) => PLAIN_FILE.test(verdict.file) && !isAsLogged(verdict));
  const file = wrong[0]?.file;
  if (file === undefined) return { text: `${text}.` };
  const lines = [...new Set(wrong.filter((verdict) => verdict.file === file).flatMap(({ line }) => line ?? []))];
  const ranges = lines.slice(0, BLAME_LINES).map((line) => `-L${line},${line} `);
  return { text: `${text}:`, commands: [`git blame ${ranges.join('')}-- ${file}`] };
}
