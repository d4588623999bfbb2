/** A strict small parser of XML, for tests: elements, attributes and text; what is not well formed throws. */

/** An element. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Its own text, entities resolved. */
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const NAME = '[A-Za-z_][A-Za-z0-9_.-]*';

/** Parses a document with an XML declaration and one element. No comments, no CDATA, no namespaces by prefix. */
export function parseXml(text: string): Element {
  // the characters that XML 1.0 (§2.2) has
  const foreign = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(text);
  if (foreign !== null) throw new Error(`a character that XML has not at ${foreign.index}`);
  const declaration = /^<\?xml version="1\.0" encoding="utf-8"\?>\n/.exec(text);
  if (declaration === null) throw new Error('no declaration');
  let at = declaration[0].length;

  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match ?? undefined;
  };
  const element = (): Element => {
    const [, name = '', attributeText = '', empty] = take(new RegExp(`<(${NAME})((?: ${NAME}="[^"<]*")*)(/?)>`, 'y')) ?? fail();
    const attributes: Record<string, string> = {};
    for (const [, key = '', value = ''] of attributeText.matchAll(new RegExp(` (${NAME})="([^"<]*)"`, 'g'))) {
      if (Object.hasOwn(attributes, key)) throw new Error(`two attributes ${key}`);
      attributes[key] = resolved(value);
    }
    const children: Element[] = [];
    let content = '';
    if (empty !== '/') {
      while (!text.startsWith('</', at)) {
        const run = take(/[^<]+/y);
        if (run === undefined) children.push(element());
        else content += resolved(run[0]);
      }
      if (take(new RegExp(`</${name}>`, 'y')) === undefined) fail();
    }
    return { name, attributes, children, text: content };
  };
  const fail = (): never => {
    throw new Error(`not well formed at ${at}: ${text.slice(at, at + 60)}`);
  };
  const root = element();
  if (text.slice(at) !== '\n') fail();
  return root;
}

function resolved(text: string): string {
  if (text.includes(']]>')) throw new Error(']]> in a text');
  return text.replaceAll(/&([^;]*);?/g, (whole, name: string) => {
    const character = whole.endsWith(';') ? ENTITIES[name] : undefined;
    if (character === undefined) throw new Error(`no such entity: ${whole}`);
    return character;
  });
}
