/**
 * Atom feeds of the newest records (RFC 4287). Pure.
 *
 * Ids are of the database and not of this mirror, so that they stay when the mirror moves, and one record is one entry in
 * the feeds of all mirrors. Nothing of a request stands in a feed: links are relative to where it was read (RFC 3986 §4.2).
 */

import type { RecentRecord, RecentRecords } from '../contract.js';
import { lookupPath } from '../core/module.js';
import { formatModulePaths, type ModulePaths } from '../core/modulepaths.js';
import { decodeUtf8 } from '../core/text.js';
import { isGosumError } from '../errors.js';

/** Records of a feed. */
export const FEED_LENGTH = 50;
/** The media type of a feed. */
export const FEED_TYPE = 'application/atom+xml; charset=utf-8';

/**
 * Writes a feed. The same records make the same bytes, however far the log has grown.
 *
 * @param database its name.
 * @param recent its records may be whatever somebody had put in the log.
 */
export function formatFeed(database: string, paths: ModulePaths, { records, among, begun }: RecentRecords): string {
  const name = formatModulePaths(paths);
  const updated = records[0]?.seenAt ?? begun;
  // from feeds/example.com/a.atom, that is two steps up
  const base = '../'.repeat(name.split('/').length);
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    `<id>${escapeXml(`https://${database}/feeds/${name}.atom`)}</id>`,
    `<title>${escapeXml(`${name} in ${database}`)}</title>`,
    ...(among === undefined ? [] : [`<subtitle>of the newest ${among} records of the log: there are too many modules to look through more</subtitle>`]),
    `<updated>${formatTime(updated)}</updated>`,
    `<author><name>${escapeXml(database)}</name></author>`,
    `<link rel="self" type="application/atom+xml" href="${escapeXml(`${base}feeds/${name}.atom`)}"/>`,
    ...records.flatMap((record) => entryOf(database, base, record, begun)),
    '</feed>',
    '',
  ].join('\n');
}

function entryOf(database: string, base: string, { id, module, version, text, seenAt, repeats }: RecentRecord, begun: number | undefined): string[] {
  const again = repeats.length === 0 ? '' : ` REPEATED: also record ${repeats.join(', ')}`;
  const path = pathOf(module, version);
  return [
    '<entry>',
    `<id>${escapeXml(`https://${database}/#${id}`)}</id>`,
    `<title>${escapeXml(`${module} ${version}${again}`)}</title>`,
    `<updated>${formatTime(seenAt ?? begun)}</updated>`,
    ...(path === undefined ? [] : [`<link rel="alternate" type="text/plain" href="${escapeXml(`${base}${path}`)}"/>`]),
    `<content type="text">${escapeXml(`record ${id}\n${decodeUtf8(text)}`)}</content>`,
    '</entry>',
  ];
}

/** Where the record can be looked up; `undefined` for what the log may have, and nobody can ask for. */
function pathOf(module: string, version: string): string | undefined {
  try {
    return lookupPath(module, version).slice(1);
  } catch (error) {
    if (!isGosumError(error)) throw error;
    return undefined;
  }
}

/** RFC 3339. What nobody noted has to have a time as well: the first that there is. */
function formatTime(milliseconds = 0): string {
  return new Date(milliseconds).toISOString();
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Text for an attribute or an element. What XML 1.0 (§2.2) cannot hold, or nobody would see, becomes U+FFFD. */
function escapeXml(text: string): string {
  return text.replaceAll(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd').replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
