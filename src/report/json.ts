/** The JSON report: schema 1, published as docs/report.schema.json. Fields are added in time, never changed. */

import { formatHash } from '../core/hash.js';
import type { VerifyRun } from '../verify/verdict.js';
import { visibleJson } from './escape.js';
import type { ReportOptions } from './options.js';

/** The report as JSON, indented, ended by a newline. Control characters inside strings are escaped; no data is lost. */
export function formatJson(run: VerifyRun, options: ReportOptions): string {
  const { database, summary } = run;
  return visibleJson({
    schema: 1,
    tool: { name: 'gosumcheck', version: options.version },
    complete: run.complete,
    exitCode: run.exitCode,
    database: {
      name: database.name,
      url: database.url,
      tree: database.tree === undefined ? null : { size: database.tree.size, hash: formatHash(database.tree.hash) },
      timeline: database.timeline,
    },
    summary: {
      lines: summary.lines,
      verified: summary.verified,
      mismatched: summary.mismatched,
      missing: summary.missing,
      skipped: summary.skipped,
      failed: summary.failed,
    },
    // From a run without a cache it is absent.
    modcache: run.modcache && {
      folder: run.modcache.folder,
      modules: run.modcache.modules,
      zips: run.modcache.zips,
      folders: run.modcache.folders,
      goMods: run.modcache.goMods,
      zipOnly: run.modcache.zipOnly,
      folderOnly: run.modcache.folderOnly,
      goModOnly: run.modcache.goModOnly,
      unfinished: run.modcache.unfinished,
    },
    problem: run.problem && { code: run.problem.code, message: run.problem.message },
    // Field by field, so that a field which a verdict gains does not slip into the published form.
    results: run.results.map((verdict) => ({
      file: verdict.file,
      line: verdict.line,
      module: verdict.module,
      version: verdict.version,
      kind: verdict.kind,
      status: verdict.status,
      hash: verdict.hash,
      expected: verdict.expected,
      record: verdict.record,
      retryable: verdict.retryable,
      code: verdict.code,
      message: verdict.message,
      remove: verdict.remove,
    })),
  });
}
