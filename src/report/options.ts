/** What a report needs to know beside the run itself. All of it is passed in: a format looks at no clock, environment or disk. */

/** Options of every format; each uses those that it has a use for. */
export interface ReportOptions {
  /** Version of this tool, as `--version` prints it. */
  readonly version: string;
  /** Whether the text may have colours (SGR sequences). The caller has looked at the terminal, NO_COLOR and `--color`. */
  readonly color: boolean;
  /** Columns of the text. Prose and tables keep to it; a path or a hash that is longer is never broken. */
  readonly width: number;
  /** Absolute folder that relative file names of the run start from. */
  readonly cwd: string;
  /** Absolute root of the repository, for formats whose paths are relative to it. */
  readonly root: string;
  /** The setting that private patterns are read from now, so that advice adds to it and does not replace it. */
  readonly private?: { readonly variable: 'GOPRIVATE' | 'GONOSUMDB'; readonly value: string } | undefined;
}
