/** The whole logs of a store, audited: its tables, each by database (auditlog.ts). */

import type { LogState, StoreRows } from '../contract.js';
import type { Progress } from '../client/sumdb.js';
import { TILE_WIDTH } from '../core/tile.js';
import type { AuditedDatabase } from './auditdatabase.js';
import { checkState, LogAudit, type AuditedLog } from './auditlog.js';
import type { AuditedRows } from './auditrows.js';
import type { Findings } from './finding.js';

/** How they are audited. */
export interface LogsOptions {
  readonly progress?: Progress | undefined;
  /** Threads that hash records; by default as many as there are processors. */
  readonly threads?: number | undefined;
  /** Rows of the whole logs' tables, for the progress. */
  readonly total: number;
}

/** Audits the whole logs, and says of each database what came of it. @throws the reason of the walk's signal. */
export async function auditLogs(rows: StoreRows, walk: AuditedRows, findings: Findings, options: LogsOptions): Promise<Map<AuditedDatabase, AuditedLog>> {
  const logs = new Map<AuditedDatabase, LogAudit>();
  let tellJudged = (): void => undefined;
  const judged = new Promise<void>((resolve) => (tellJudged = resolve));
  const open = (database: AuditedDatabase, state?: LogState): LogAudit => {
    const { name, vkey, newest } = database;
    const { progress, threads } = options;
    const log = new LogAudit({ database: name, key: vkey, head: newest, tree: newest && database.tree(newest), rows, findings, judged, progress, threads }, state);
    logs.set(database, log);
    return log;
  };
  // where nothing is known of it that could be read, its index is not judged
  const logOf = (database: AuditedDatabase): LogAudit => logs.get(database) ?? open(database);
  try {
    await walk.each('loginfo', () => rows.logStates(), (page, database) => {
      for (const { row, value } of page) {
        findings.judge('loginfo', database.name, row, () => {
          checkState(value, database.newest);
          open(database, value);
        });
      }
    }, { ticks: false });
    const records = await countRecords(rows, walk, findings);
    await auditTables(rows, walk, logs, logOf, findings, { ...options, records, tellJudged });
    const audited = new Map<AuditedDatabase, AuditedLog>();
    for (const [database, log] of logs) await findings.reading('pack', async () => void audited.set(database, await log.end()));
    return audited;
  } finally {
    for (const log of logs.values()) await log.close();
  }
}

async function auditTables(
  rows: StoreRows,
  walk: AuditedRows,
  logs: ReadonlyMap<AuditedDatabase, LogAudit>,
  logOf: (database: AuditedDatabase) => LogAudit,
  findings: Findings,
  { progress, total, records, tellJudged }: LogsOptions & { readonly records: number; readonly tellJudged: () => void },
): Promise<void> {
  progress?.phase('proving records', records);
  const packs = async (): Promise<void> => {
    await walk.each('pack', () => rows.packs(), (page, database) => logOf(database).takePacks(page), {
      ticks: false,
      spoil: (row, database) => logOf(database).packs.spoil(row),
    });
    for (const log of logs.values()) await log.endPacks();
    tellJudged();
  };
  // these can be weighed before the records are known, and threads are at work on those
  const index = walk.each('entry', () => rows.indexPages(), async (page, database) => {
    for (const { row, value } of page) await logOf(database).page(row, value);
  }, { ticks: false, spoil: (row, database) => logOf(database).spoilPage(row) });
  const modules = walk.each('module', () => rows.modules(), (page, database) => {
    for (const { value } of page) logOf(database).module(value);
  }, { ticks: false });
  await Promise.all([packs(), index, modules]);

  progress?.phase('proving the index', Math.max(0, total - Math.ceil(records / TILE_WIDTH)));
  await walk.each('pending', () => rows.pending(), (page, database) => {
    for (const { row, value } of page) logOf(database).pending(row, value);
  }, { spoil: (row, database) => logOf(database).spoilPending(row) });
  for (const log of logs.values()) {
    await findings.reading('pending', () => log.endIndex());
    log.endModules();
  }
  await walk.each('seen', () => rows.seen(), (page, database) => {
    for (const { row, value } of page) logOf(database).seen(row, value);
  });
  await walk.each('mark', () => rows.marks(), (page, database) => {
    for (const { row, value } of page) logOf(database).mark(row, value.record);
  });
  await walk.each('staged', () => rows.staged(), (page, database) => {
    for (const { row } of page) findings.judge('staged', database.name, row, () => undefined);
  });

  if ([...logs.values()].some((log) => log.isListUnsure)) {
    await walk.each('module', () => rows.modules(), (page, database) => {
      for (const { value } of page) logOf(database).moduleAgain(value);
    }, { again: true });
  }
  if (![...logs.values()].some((log) => log.isUnsure)) return;
  progress?.phase('looking for what is wrong', records);
  await walk.each('pack', () => rows.packs(), (page, database) => logOf(database).takePacksAgain(page), { again: true, ticks: false });
}

/** How many records the whole logs have, for the progress. */
async function countRecords(rows: StoreRows, walk: AuditedRows, findings: Findings): Promise<number> {
  let records = 0;
  for (const { vkey, newest } of walk.databases.values()) {
    if (newest === undefined) continue;
    await findings.reading('pack', async () => {
      const gaps = await rows.log.gaps(vkey, newest.size);
      records += Math.max(0, newest.size - TILE_WIDTH * gaps.reduce((sum, { lo, hi }) => sum + hi - lo, 0));
    });
  }
  return records;
}
