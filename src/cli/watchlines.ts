/** How `list` and `watch` show records: a line of text for a person, or a line of JSON (docs/watch.schema.json). */

import type { RecordHashes } from '../core/record.js';
import { decodeUtf8 } from '../core/text.js';
import { hashesIn, type Unexpected } from '../mirror/expected.js';
import type { NamedLogRecord } from '../whole/scan.js';
import { visible, visibleJsonLine } from '../report/escape.js';

/** Another record of the same module version. */
export interface Repeat {
  readonly record: number;
  readonly sameHashes: boolean;
}

/** A record that is shown. */
export interface ShownRecord {
  readonly record: NamedLogRecord;
  readonly repeats: readonly Repeat[];
  /** When it was first seen, in milliseconds; `undefined` where nobody noted it. Absent where that is not shown. */
  readonly seenAt?: number | undefined;
  /** How it is not as expected. */
  readonly unexpected?: Unexpected | undefined;
}

/** Why a record is an alarm, the gravest first. */
export type Alarm = 'other-hashes' | 'repeated' | 'unexpected';

/** Whether a record is an alarm: it is not as expected, or the log has other hashes for the same module version. */
export function alarmOf({ repeats, unexpected }: ShownRecord): Alarm | undefined {
  if (unexpected?.kind === 'hashes') return 'other-hashes';
  if (repeats.some(({ sameHashes }) => !sameHashes)) return 'repeated';
  return unexpected === undefined ? undefined : 'unexpected';
}

/** The other records among all of a module version. */
export function repeatsOf(record: NamedLogRecord, all: readonly { readonly id: number; readonly text: Uint8Array }[]): Repeat[] {
  const { module, version } = record;
  const hashes = (text: Uint8Array): string => JSON.stringify(hashesIn(text, module, version));
  return all.filter(({ id }) => id !== record.id).map(({ id, text }) => ({ record: id, sameHashes: hashes(text) === hashes(record.text) }));
}

/** A line of text, with the record's own lines behind it where they are wanted, or an alarm is about them. */
export function textOf(shown: ShownRecord, { hashes, alarms }: { readonly hashes: boolean; readonly alarms: boolean }): string {
  const { record, repeats, seenAt, unexpected } = shown;
  const alarm = alarms ? alarmOf(shown) : undefined;
  const words = [
    ...(alarm === undefined ? [] : [ALARMS[alarm]]),
    `${record.module} ${record.version}  record ${record.id}`,
    ...(seenAt === undefined ? [] : [` seen ${new Date(seenAt).toISOString()}`]),
    ...repeats.map((repeat) => ` REPEATED: also record ${repeat.record}, with ${repeat.sameHashes ? 'the same' : 'other'} hashes`),
  ];
  const lines = [visible(words.join(' '))];
  if (hashes || alarm === 'other-hashes' || alarm === 'repeated') lines.push(...decodeUtf8(record.text).trimEnd().split('\n').map(indented));
  if (unexpected?.kind === 'hashes') lines.push('  expected:', ...expectedLines(record, unexpected.expected).map(indented));
  return `${lines.join('\n')}\n`;
}

const ALARMS: Readonly<Record<Alarm, string>> = {
  'other-hashes': 'ALARM: OTHER HASHES than expected:',
  repeated: 'ALARM: the log has two hashes for it:',
  unexpected: 'ALARM: not expected:',
};

/** A line of JSON. */
export function jsonOf(shown: ShownRecord, { hashes, alarms }: { readonly hashes: boolean; readonly alarms: boolean }): string {
  const { record, repeats, unexpected } = shown;
  const { module, version, id, text } = record;
  return visibleJsonLine({
    module,
    version,
    record: id,
    ...(hashes ? { hashes: hashesOf(hashesIn(text, module, version)) } : {}),
    repeats,
    ...('seenAt' in shown ? { seen: shown.seenAt === undefined ? null : new Date(shown.seenAt).toISOString() } : {}),
    ...(alarms ? { alarm: alarmOf(shown) ?? null } : {}),
    ...(unexpected?.kind === 'hashes' ? { expected: hashesOf(unexpected.expected) } : {}),
  });
}

function hashesOf({ module, goMod }: RecordHashes): object {
  return { module: module ?? null, goMod: goMod ?? null };
}

function expectedLines({ module, version }: NamedLogRecord, { module: whole, goMod }: RecordHashes): string[] {
  return [
    ...(whole === undefined ? [] : [`${module} ${version} ${whole}`]),
    ...(goMod === undefined ? [] : [`${module} ${version}/go.mod ${goMod}`]),
  ];
}

function indented(line: string): string {
  return `  ${visible(line)}`;
}
