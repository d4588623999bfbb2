/** `gosumcheck audit`. */

import path from 'node:path';
import { audit, type Audited, type Finding } from '../mirror/audit.js';
import { noneFound, noneProved } from '../mirror/finding.js';
import { visibleJson, visibleLines } from '../report/escape.js';
import { createProgress } from '../report/progress.js';
import { isDamaged } from '../store/failure.js';
import { openStoreRows } from '../store/open.js';
import { checkThere } from './files.js';
import { print, showsProgress, type Host } from './host.js';

/** Options of the command line. */
export interface AuditOptions {
  readonly data: string;
  readonly format: 'text' | 'json';
  readonly quiet?: boolean;
  /** Of the records of a whole log. */
  readonly threads?: number;
  readonly progress: boolean;
}

/** Findings that a report has; more are counted alone. Of malformed records fewer, so that they hide nothing worse. */
const MOST_SHOWN = 1000;
const MOST_MALFORMED = 200;

/** Audits a file. Exit code 1 where something is false or proves that the log misbehaved, else 3 where something could not be judged. */
export async function auditCommand(host: Host, options: AuditOptions): Promise<number> {
  const file = path.resolve(host.cwd, options.data);
  checkThere(file, 'give --data the file of `gosumcheck serve --data`, or `gosumcheck cache path`');
  const text = options.format === 'text';
  const shown: Finding[] = [];
  let [malformed, hidden] = [0, 0];
  const told: Promise<void>[] = [];
  const progress = createProgress({ stream: host.stderr, enabled: showsProgress(host, options) });
  const found = (finding: Finding): void => {
    if (shown.length === MOST_SHOWN || (finding.verdict === 'malformed' && malformed === MOST_MALFORMED)) {
      hidden++;
      return;
    }
    if (finding.verdict === 'malformed') malformed++;
    shown.push(finding);
    if (!text) return;
    progress.hide();
    told.push(print(host, lines(textOf(finding))));
  };
  const audited = await auditFile(file, found, { progress, signal: host.interrupted, threads: options.threads }).finally(() => progress.done());
  await Promise.all(told);
  const exitCode = exitCodeOf(audited);
  if (text) {
    if (options.quiet !== true || exitCode !== 0) await print(host, lines(summaryOf(file, audited, hidden)));
  } else {
    const findings = shown.map((finding) => ({ ...finding, ...adviceOn(finding) }));
    await print(host, visibleJson({ file, exitCode, ...audited, findings }));
  }
  return exitCode;
}

async function auditFile(file: string, found: (finding: Finding) => void, options: Parameters<typeof audit>[2]): Promise<Audited> {
  let rows;
  try {
    rows = await openStoreRows({ file });
  } catch (error) {
    if (!isDamaged(error)) throw error;
    found({ verdict: 'false', table: 'file', database: '', row: '', rows: 1, code: error.code, message: error.message });
    return { databases: [], proved: noneProved(), found: { ...noneFound(), false: 1 } };
  }
  try {
    return await audit(rows, found, options);
  } finally {
    await rows.close();
  }
}

function exitCodeOf({ found }: Audited): number {
  if (found.false + found.fork + found.conflict > 0) return 1;
  return found.unjudged > 0 ? 3 : 0;
}

function textOf(finding: Finding): string {
  const { verdict, table, database, row, rows, message } = finding;
  const { means, next } = adviceOn(finding);
  const name = [table, database, row].filter((part) => part !== '').join(' ');
  const more = rows === 1 ? '' : ` (and ${rows - 1} more)`;
  return [`${verdict.toUpperCase()}: ${name}${more}: ${message}`, ...evidenceLines(finding), `  ${means}`, `  ${next}`].join('\n');
}

/** The records that contradict each other; the rest of the evidence is for a program. */
function evidenceLines({ evidence }: Finding): string[] {
  if (evidence === undefined || !('records' in evidence)) return [];
  return evidence.records.flatMap(({ id, text }) => [`  record ${id}:`, ...text.trimEnd().split('\n').map((line) => `    ${line}`)]);
}

/** What a finding means, and what to do. */
function adviceOn({ verdict, table, row }: Finding): { means: string; next: string } {
  if (verdict === 'fork') {
    return { means: 'the log signed two trees that cannot both be true', next: '`gosumcheck evidence --data FILE` prints the proof: show it to others who use the log' };
  }
  if (verdict === 'conflict') {
    return {
      means: 'the log broke its promise: both records are in the tree that it signed, so some were told one thing and some another',
      next: '`--format json` has the proof, a receipt of both: show it to others who use the log, and find out which of the two the module has',
    };
  }
  if (verdict === 'malformed') {
    return { means: 'it is truly in the log, and harms nobody: a client that looks for such a module version finds no hash, or none it knows', next: 'nothing; tell who runs the log, if that is you' };
  }
  if (verdict === 'unjudged') {
    return { means: 'nothing is wrong with it that could be seen; the file alone does not prove it', next: 'a client asks the log for what is missing, and a mirror does when it is asked for it' };
  }
  switch (table) {
    case 'file':
    case 'database':
      return SET_ASIDE;
    case 'head':
      return { means: "the memory of the log's timeline is damaged", next: '`gosumcheck serve` sets such a file aside and goes on from the newest head that can still be read; of a cache, `gosumcheck cache clean`' };
    case 'tile':
    case 'record':
      return row === '' ? SET_ASIDE : { means: 'it is not what the log has; whoever is served it would refuse it', next: 'a row whose digest does not fit is refused and fetched again; for any other, begin anew with another file, and find out who wrote this one' };
    case 'pending':
    case 'entry':
      return { means: 'records may not be found by their names, though each is there and proved', next: '`gosumcheck sync --data FILE --check` makes what is not as it was written anew, from the records; for anything else begin anew with another file, by `gosumcheck sync --data NEWFILE`' };
    case 'loginfo':
    case 'module':
      return { means: 'records may not be found by their names, though each is there and proved', next: 'begin anew with another file, by `gosumcheck sync --data NEWFILE`' };
    case 'pack':
      return { means: 'these are not the records that the log has; whoever is served them would refuse them', next: '`gosumcheck sync --data FILE --check` reads anew what is not as it was written; for anything else begin anew with another file, by `gosumcheck sync --data NEWFILE`' };
    case 'seen':
    case 'mark':
      return { means: 'when a tree was first seen, or how far somebody has read, may be told wrongly', next: 'nothing that is proved hangs on it' };
    case 'staged':
      return { means: 'records that were to be appended are not as they were given', next: 'give them to `gosumcheck log add` again' };
    case 'receipt':
      return { means: 'it proves nothing, and is passed over when it is read', next: '`gosumcheck cache clean` forgets it' };
    case 'evidence':
      return { means: 'it accuses nobody: it was damaged, or written by somebody else', next: '`gosumcheck evidence --clear` forgets it' };
  }
}

const SET_ASIDE = {
  means: 'the file is damaged: by the disk, or by a program that wrote to it',
  next: 'look after the disk; `gosumcheck serve` sets such a file aside and begins another; of a cache, `gosumcheck cache clean`',
};

function summaryOf(file: string, { databases, proved, found }: Audited, hidden: number): string {
  const trees = databases.map(({ name, tree }) => (tree === undefined ? `${name}: no tree head` : `${name}: tree of ${tree.size}, ${tree.hash}`));
  const logs = databases.flatMap(({ name, log }) => (log === undefined ? [] : [`${name}: ${wholeLog(log)}`]));
  const counts = Object.entries(proved).filter(([, count]) => count > 0).map(([table, count]) => `${count} ${nounOf(table, count)}`);
  const all = Object.values(found).reduce((sum, count) => sum + count, 0);
  const words = [
    `proved: ${counts.join(', ') || 'nothing'}`,
    all === 0 ? 'nothing is wrong' : countsOf(found),
    ...(hidden > 0 ? [`${hidden} more findings are counted, and not shown`] : []),
  ];
  return [file, ...trees, ...logs, ...words].join('\n');
}

function wholeLog({ records, indexed, repeated }: NonNullable<Audited['databases'][number]['log']>): string {
  const again = repeated === 0 ? '' : `, ${repeated} module versions more than once with the same hashes`;
  return `${records} records proved, the first ${indexed} can be found by name${again}`;
}

/** What is never wrong in most files is not spoken of. */
function countsOf(found: Audited['found']): string {
  const rare = found.conflict + found.malformed === 0 ? '' : `, contradictions: ${found.conflict}, malformed: ${found.malformed}`;
  return `false: ${found.false}, forks: ${found.fork}${rare}, not judged: ${found.unjudged}`;
}

/** Names of tables that a person would not understand. */
const NOUNS: Readonly<Record<string, readonly [one: string, more: string]>> = {
  evidence: ['evidence', 'evidence'],
  loginfo: ['whole log', 'whole logs'],
  pack: ['data tile', 'data tiles'],
  entry: ['page of the index', 'pages of the index'],
  pending: ['pending entries', 'pending entries'],
  module: ['module path', 'module paths'],
  seen: ['time of a tree', 'times of trees'],
  staged: ['staged batch', 'staged batches'],
};

function nounOf(table: string, count: number): string {
  const [one, more] = NOUNS[table] ?? [table, `${table}s`];
  return count === 1 ? one : more;
}

function lines(text: string): string {
  return `${visibleLines(text).join('\n')}\n`;
}
