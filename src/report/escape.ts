/**
 * Text of others made safe to show.
 *
 * File names, the hashes of a go.sum and parts of messages are whatever somebody wrote. Shown raw they could move a
 * terminal's cursor, turn the direction of the text, or give a command to GitHub's runner, which reads `::command::`
 * at the start of a line and `##[command]` anywhere in it (actions/runner, ActionCommand.cs), whatever the format.
 * Every format passes them through `visible`, and then through its own escapes; the JSON formats, which must keep the
 * data, escape inside their strings.
 */

/** Control and format characters, surrogates, private and unassigned ones, line and paragraph separators. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The text on one line, with nothing in it that acts: such characters become `\u001b`, or `\u{e0001}` past U+FFFF. */
export function visible(text: string): string {
  return text
    .replace(UNSEEN, escapeCharacter)
    .replaceAll('##[', '##\\u005b')
    .replace(/(^|\s)::/gu, '$1\\u003a:');
}

/** As `visible`, for a text of many lines; tabs stay. */
export function visibleLines(text: string): string[] {
  return text.split('\n').map((line) => line.split('\t').map(visible).join('\t'));
}

/** As `visible`, cut as `clip` does. */
export function visibleClip(text: string, limit: number): string {
  return clip(visible(text.slice(0, 2 * limit + 2)), limit);
}

/** Cuts a text to at most `limit` characters; where something is cut the last of them is `…`. */
export function clip(text: string, limit: number): string {
  // Twice the limit in UTF-16 units holds all that can be shown, and keeps a line of megabytes cheap.
  const characters = Array.from(text.slice(0, 2 * limit + 2));
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

/** The longest hash shown whole. An h1 has 47 characters; what is longer is no hash. */
const HASH_LIMIT = 64;

/** A hash of a go.sum line, which may be any text. */
export function visibleHash(hash: string): string {
  return visibleClip(hash, HASH_LIMIT);
}

/** JSON of a value, indented, with a last newline; all that `visible` escapes is escaped as JSON has it, so no data is lost. */
export function visibleJson(value: unknown): string {
  const json = JSON.stringify(value, null, 2)
    .replace(UNSEEN, (character) => (character === '\n' ? '\n' : escapeUnits(character)))
    .replaceAll('##[', '##\\u005b');
  return `${json}\n`;
}

/** As `visibleJson`, on one line: for JSON lines. */
export function visibleJsonLine(value: unknown): string {
  const json = JSON.stringify(value).replace(UNSEEN, escapeUnits).replaceAll('##[', '##\\u005b');
  return `${json}\n`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : escapeUnits(character);
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
