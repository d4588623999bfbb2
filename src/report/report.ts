/** The formats by name. Each is loaded when it is asked for: a text run does not pay for SARIF. */

import type { VerifyRun } from '../verify/verdict.js';
import type { ReportOptions } from './options.js';

/** The formats of `--format` and `--report`. */
export const FORMATS = ['text', 'json', 'github', 'sarif', 'junit', 'markdown'] as const;
/** The name of a format. */
export type Format = (typeof FORMATS)[number];

/** Reports whether `name` is a format. */
export function isFormat(name: string): name is Format {
  return (FORMATS as readonly string[]).includes(name);
}

/** The run in the format, ended by a newline. It says what the run says: exit code and counts are made elsewhere. */
export async function formatReport(format: Format, run: VerifyRun, options: ReportOptions): Promise<string> {
  switch (format) {
    case 'text':
      return (await import('./text.js')).formatText(run, options);
    case 'json':
      return (await import('./json.js')).formatJson(run, options);
    case 'github':
      return (await import('./github.js')).formatGithub(run, options);
    case 'sarif':
      return (await import('./sarif.js')).formatSarif(run, options);
    case 'junit':
      return (await import('./junit.js')).formatJunit(run, options);
    case 'markdown':
      return (await import('./markdown.js')).formatMarkdown(run, options);
  }
}
