/** The audit of a whole log: silent about what is true, and it names every single thing that is not. */

import path from 'node:path';
import t from 'tap';
import { audit, type Audited, type AuditOptions, type Finding } from '../../src/mirror/audit.js';
import { openStoreRows } from '../../src/store/open.js';
import { usualLog, wholeFile } from './wholefile.js';

async function auditOf(file: string, options: AuditOptions = {}): Promise<Audited & { findings: Finding[] }> {
  const rows = await openStoreRows({ file });
  const findings: Finding[] = [];
  const audited = await audit(rows, (finding) => findings.push(finding), options);
  await rows.close();
  return { ...audited, findings };
}

t.test('a whole log is proved, all of it', async (t) => {
  const log = usualLog(70_000);
  const file = await wholeFile(path.join(t.testdir(), 'whole.db'), log);
  const { findings, proved, databases } = await auditOf(file, { threads: 2 });
  t.strictSame(findings, []);
  t.match(databases, [{ name: 'log.example', tree: { size: 70_000 }, log: { records: 70_000, indexed: 70_000, repeated: 0 } }]);
  console.log(proved);
});
