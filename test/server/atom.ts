/** What RFC 4287 asks of a feed, checked. */

import { parseXml, type Element } from './xml.js';

/** A feed, as a reader sees it. */
export interface ReadFeed {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string | undefined;
  readonly updated: string;
  readonly self: string;
  readonly entries: readonly { readonly id: string; readonly title: string; readonly updated: string; readonly content: string; readonly link: string | undefined }[];
}

/** Parses and checks a feed (RFC 4287 §4.1). @param url where it was read. @throws {Error} where it is not valid. */
export function readFeed(text: string, url: string): ReadFeed {
  const feed = parseXml(text);
  if (feed.name !== 'feed' || feed.attributes.xmlns !== 'http://www.w3.org/2005/Atom') throw new Error('no Atom feed');
  if (feed.text.trim() !== '') throw new Error('text between the elements');
  allowed(feed, ['id', 'title', 'subtitle', 'updated', 'author', 'link', 'entry']);
  const author = one(feed, 'author');
  if (one(author, 'name').text === '') throw new Error('an author without a name');
  const entries = feed.children.filter(({ name }) => name === 'entry').map((entry) => {
    allowed(entry, ['id', 'title', 'updated', 'link', 'content']);
    const content = one(entry, 'content');
    if (content.attributes.type !== 'text' || content.children.length > 0) throw new Error('content that is not text');
    const link = entry.children.find(({ name }) => name === 'link');
    if (link !== undefined && link.attributes.rel !== 'alternate') throw new Error('a link of another kind');
    return { ...common(entry), content: content.text, link: link && new URL(link.attributes.href!, url).href };
  });
  const ids = new Set(entries.map(({ id }) => id));
  if (ids.size < entries.length) throw new Error('two entries of one id');
  const self = one(feed, 'link');
  if (self.attributes.rel !== 'self') throw new Error('no link to itself');
  return { ...common(feed), subtitle: feed.children.find(({ name }) => name === 'subtitle')?.text, self: new URL(self.attributes.href!, url).href, entries };
}

function common(element: Element): { id: string; title: string; updated: string } {
  const [id, title, updated] = [one(element, 'id').text, one(element, 'title').text, one(element, 'updated').text];
  if (!/^https:\/\/[^/\s]+\/\S+$/.test(id) || !URL.canParse(id)) throw new Error(`an id that is no IRI: ${id}`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(updated) || Number.isNaN(Date.parse(updated))) throw new Error(`no time: ${updated}`);
  if (title === '' || title.includes('\n')) throw new Error('no title');
  return { id, title, updated };
}

function one(element: Element, name: string): Element {
  const [found, ...more] = element.children.filter((child) => child.name === name);
  if (found === undefined || more.length > 0) throw new Error(`${element.name}: want one ${name}`);
  return found;
}

function allowed(element: Element, names: readonly string[]): void {
  const other = element.children.find(({ name }) => !names.includes(name));
  if (other !== undefined) throw new Error(`${element.name}: a ${other.name}`);
}
