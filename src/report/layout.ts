/** Lines of text of a given width: wrapped prose, and rows of two columns that fall back to two lines. */

/**
 * Wraps a text at spaces. The first line begins with `first`, the others with `rest`; a word that is longer than a line
 * has one of its own, unbroken, so that it can be copied.
 */
export function wrap(text: string, width: number, first: string, rest: string = ' '.repeat(first.length)): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

/** A name and what belongs to it. */
export interface Row {
  readonly label: string;
  readonly value: string;
  /** Colours the value, after all has been measured. */
  readonly paint?: ((text: string) => string) | undefined;
}

/**
 * Lays rows out in two columns. Where one of them would not fit, every value goes below its label, deeper by two, wrapped.
 */
export function columns(rows: readonly Row[], width: number, indent: string): string[] {
  const labels = rows.reduce((most, { label }) => Math.max(most, label.length), 0);
  const fits = rows.every(({ value }) => indent.length + labels + 2 + value.length <= width);
  return rows.flatMap(({ label, value, paint = unpainted }) =>
    fits
      ? [`${indent}${label.padEnd(labels)}  ${paint(value)}`]
      : [`${indent}${label}`, ...wrap(value, width, `${indent}  `).map(paint)],
  );
}

function unpainted(text: string): string {
  return text;
}
