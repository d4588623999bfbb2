/** The progress line, on a stream that keeps what is written; and the formats by name. */

import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import t from 'tap';

import { createProgress } from '../../src/report/progress.js';
import { FORMATS, formatReport, isFormat } from '../../src/report/report.js';
import { until } from '../wait.js';
import { OPTIONS, SAMPLES } from './samples.js';

/** A stream as a terminal shows it: what is on its lines after carriage returns and erasures, the last one being drawn on. */
class Terminal {
  text = '';
  writes = 0;
  readonly columns: number | undefined;

  constructor(columns?: number) {
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
    this.writes++;
  }

  lines(): string[] {
    const lines = [''];
    let column = 0;
    for (const part of this.text.match(/\r|\n|\u001b\[K|[^\r\n\u001b]+/g) ?? []) {
      const line = lines.pop() ?? '';
      if (part === '\u001b[K') lines.push(line.slice(0, column));
      else if (part === '\r' || part === '\n') lines.push(line, ...(part === '\n' ? [''] : []));
      else lines.push(line.slice(0, column) + part + line.slice(column + part.length));
      column = part === '\r' || part === '\n' ? 0 : part === '\u001b[K' ? column : column + part.length;
    }
    return lines;
  }
}

t.test('draws, redraws seldom, and is gone at the end', async (t) => {
  let clock = 0;
  const stream = new Terminal(80);
  const progress = createProgress({ stream, enabled: true, now: () => clock });
  progress.phase('looking up records', 40);
  clock = 249;
  progress.tick(9);
  t.equal(stream.text, '', 'a run that is over at once shows nothing');
  clock = 250;
  progress.tick();
  t.same(stream.lines(), ['looking up records  [=======>                      ]  10/40']);
  clock = 329;
  progress.tick(10);
  t.equal(stream.writes, 1, 'too soon');
  clock = 2330;
  progress.tick(10);
  t.same(stream.lines(), ['looking up records  [======================>       ]  30/40  2s']);
  clock = 2500;
  progress.tick(0);
  t.equal(stream.writes, 2, 'what is shown already is not drawn again');
  clock = 2600;
  progress.tick(11);
  t.same(stream.lines(), ['looking up records  [==============================]  40/40  2s'], 'never more than all');
  progress.notice('one\ntwo \u001b[2J');
  t.same(stream.lines(), ['one', 'two \\u001b[2J', 'looking up records  [==============================]  40/40  2s']);
  clock = 3000;
  progress.phase('reading tiles');
  t.same(stream.lines().at(-1), 'reading tiles');
  clock = 3100;
  progress.tick(5);
  t.same(stream.lines().at(-1), 'reading tiles  5');
  progress.done();
  t.same(stream.lines(), ['one', 'two \\u001b[2J', '']);
  const { writes } = stream;
  clock = 9000;
  progress.phase('again', 3);
  progress.tick();
  progress.done();
  t.equal(stream.writes, writes, 'nothing is drawn any more');
  t.notMatch(stream.text, /\u001b(?!\[K)/, 'no mode of the terminal is changed');
});

t.test('keeps to the width', async (t) => {
  const widths: [columns: number | undefined, want: string][] = [
    [1, ''],
    [10, 'looking u'],
    [29, 'looking up records   20/100'],
    [39, 'looking up records   20/100'],
    [40, 'looking up records  [=>      ]   20/100'],
    [200, 'looking up records  [======>                       ]   20/100'],
    [undefined, 'looking up records   20/100'],
    [0, 'looking up records   20/100'],
  ];
  for (const [columns, want] of widths) {
    let clock = 0;
    const stream = new Terminal(columns);
    const progress = createProgress({ stream, enabled: true, width: 30, now: () => clock });
    progress.phase('looking up records', 100);
    clock = 300;
    progress.tick(20);
    t.equal(stream.lines().at(-1), want, `${columns} columns`);
    progress.done();
  }
});

t.test('goes on without a tick, while an answer is waited for', async (t) => {
  const stream = new Terminal();
  const progress = createProgress({ stream, enabled: true });
  progress.phase('looking up records', 40);
  t.ok(await until(() => stream.text !== ''));
  t.match(stream.lines().at(-1), /^looking up records {2}\[>/);
  progress.done();
});

t.test('off a terminal there are notices alone', async (t) => {
  let clock = 0;
  const stream = new Terminal();
  const progress = createProgress({ stream, enabled: false, now: () => clock });
  progress.phase('looking up records', 40);
  clock = 1000;
  progress.tick();
  progress.notice('something to know');
  progress.done();
  t.equal(stream.text, 'something to know\n');
});

t.test('formats by name', async (t) => {
  const starts = { text: 'log  ', json: '{\n  "schema": 1', github: 'log  ', sarif: '{\n  "$schema"', junit: '<?xml ', markdown: '### ' };
  t.same(FORMATS, Object.keys(starts));
  for (const format of FORMATS) {
    t.ok(isFormat(format));
    t.ok((await formatReport(format, SAMPLES.verified!, OPTIONS)).startsWith(starts[format]), format);
  }
  for (const name of ['', 'TEXT', 'xml', 'toString', '__proto__']) t.notOk(isFormat(name), name);
});

t.test('a format is loaded when it is asked for', async (t) => {
  const source = readFileSync(new URL('../../src/report/report.js', import.meta.url), 'utf8');
  t.match(source, /\bimport\(['"]\.\/sarif\.js['"]\)/);
  t.notMatch(source, /^import\b/m);
});

t.test('work that lasts: the rate, and the time that is left', async (t) => {
  let clock = 0;
  const stream = new Terminal(80);
  const progress = createProgress({ stream, enabled: true, now: () => clock });
  progress.phase('records', 100_000);
  clock = 9_999;
  progress.tick(10_000);
  t.same(stream.lines(), ['records  [===>                          ]   10000/100000  9s'], 'too early to tell');
  clock = 20_000;
  progress.tick(10_000);
  t.same(stream.lines(), ['records  [=====>                      ]   20000/100000  20s  1000/s  1m20s left']);
  clock = 4_000_000;
  progress.tick(0);
  t.same(stream.lines(), ['records  [======>                       ]   20000/100000  1h06m  4h26m left'], 'few steps a second are not told');
  progress.done();
});

t.test('off a terminal a line now and then, where it is wanted', async (t) => {
  const stream = new Terminal(80);
  const progress = createProgress({ stream, enabled: false, linesEvery: 20, now: () => 0 });
  progress.phase('records', 10);
  progress.tick(5);
  t.equal(stream.text, '', 'not at once');
  t.ok(await until(() => stream.writes > 1));
  t.match(stream.text, /^(records {2}\[=+>.*\] {3}5\/10\n)+$/);
  progress.done();
  const { writes } = stream;
  await sleep(60);
  t.equal(stream.writes, writes);
});
