/**
 * The progress line of a terminal: one line on stderr that is drawn over and gone at the end.
 *
 * Off a terminal nothing is drawn, so that logs hold no line of it. The cursor is never hidden and no mode of the terminal
 * is changed: a process that is killed leaves at most a half-drawn line.
 */

import { visibleLines } from './escape.js';

/** Where the line goes: `process.stderr` is one. */
export interface ProgressStream {
  write(text: string): unknown;
  /** Columns of the terminal now. */
  readonly columns?: number | undefined;
}

/** A progress line. */
export interface Progress {
  /** Begins a phase: `looking up records`, of `total` steps; without a total the steps are only counted. */
  phase(name: string, total?: number): void;
  /** Says that `steps` more steps are done. Cheap: most calls draw nothing. */
  tick(steps?: number): void;
  /** Prints a line that stays, above the progress line. Also off a terminal. */
  notice(text: string): void;
  /** Takes the line away until the next step: something else is written to the terminal. */
  hide(): void;
  /** Clears the line and stops drawing, for good. May be called twice. */
  done(): void;
}

/** Milliseconds between two drawings: more often than this the eye sees flicker. */
const REDRAW_MS = 80;
/** Nothing is drawn before this: a run on a warm cache is over by then. */
const FIRST_MS = 250;
/** Carriage return, and "erase to the end of the line" (ECMA-48 EL). Drawn over first and erased behind, nothing flickers. */
const TO_START = '\r';
const ERASE = '\x1b[K';

/** Options of a progress line. */
export interface ProgressOptions {
  readonly stream: ProgressStream;
  /** Whether to draw: a terminal, and no `--no-progress` or `--quiet`. */
  readonly enabled: boolean;
  /** Off a terminal, a plain line every so many milliseconds: for work of hours, whose log somebody reads. */
  readonly linesEvery?: number | undefined;
  /** Columns, for a stream that does not know them (or says 0, as some do). */
  readonly width?: number | undefined;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** Makes a progress line. It keeps no process alive. */
export function createProgress({ stream, enabled, linesEvery, width = 80, now = Date.now }: ProgressOptions): Progress {
  let phase: Phase | undefined;
  let drawnAt = now() - REDRAW_MS + FIRST_MS;
  let shown = '';
  let timer: NodeJS.Timeout | undefined;

  function draw(): void {
    if (phase === undefined || now() - drawnAt < REDRAW_MS) return;
    drawnAt = now();
    // One column stays free, since some terminals wrap as soon as the last one is written.
    const { columns = 0 } = stream;
    const line = progressLine(phase, drawnAt, (columns > 0 ? columns : width) - 1);
    if (line === shown) return;
    stream.write(`${TO_START}${line}${ERASE}`);
    shown = line;
  }
  function say(): void {
    if (phase !== undefined) stream.write(`${progressLine(phase, now(), width)}\n`);
  }
  function clear(): void {
    if (shown !== '') stream.write(`${TO_START}${ERASE}`);
    shown = '';
  }

  return {
    phase(name, total) {
      if (!enabled && linesEvery === undefined) return;
      phase = { name, total, steps: 0, since: now() };
      if (!enabled) {
        timer ??= setInterval(say, linesEvery).unref();
        return;
      }
      // The seconds go on while an answer is waited for.
      timer ??= setInterval(draw, REDRAW_MS).unref();
      draw();
    },
    tick(steps = 1) {
      if (phase === undefined) return;
      phase.steps += steps;
      if (enabled) draw();
    },
    notice(text) {
      const line = shown;
      clear();
      stream.write(`${visibleLines(text).join('\n')}\n${line}`);
      shown = line;
    },
    hide: clear,
    done() {
      clearInterval(timer);
      phase = undefined;
      enabled = false;
      linesEvery = undefined;
      clear();
    },
  };
}

interface Phase {
  readonly name: string;
  readonly total: number | undefined;
  steps: number;
  /** By the clock. */
  readonly since: number;
}

/** Before that nobody wants to know how long it will take, and it could not be said. */
const PACE_SECONDS = 10;
/** Fewer steps a second are not said. */
const LEAST_RATE = 10;
const BAR_MAX = 30;
const BAR_MIN = 8;

/** `looking up records  [=====>        ]  120/314  3s`, cut to `width`; without the bar where it would be too short. */
function progressLine({ name, total, steps, since }: Phase, now: number, width: number): string {
  const done = total === undefined ? steps : Math.min(steps, total);
  const count = total === undefined ? (steps === 0 ? '' : `  ${steps}`) : `  ${String(done).padStart(String(total).length)}/${total}`;
  const seconds = Math.floor((now - since) / 1000);
  const tail = `${count}${seconds === 0 ? '' : `  ${shortTime(seconds)}`}${total === undefined ? '' : paceOf(done, total, seconds)}`;
  const room = Math.min(BAR_MAX, width - name.length - tail.length - '  []'.length);
  const bar = total === undefined || total === 0 || room < BAR_MIN ? '' : `  [${barOf(done / total, room)}]`;
  return `${name}${bar}${tail}`.slice(0, width);
}

/** Of work that lasts: the steps a second, where they are many, and how long the rest would take at that rate. */
function paceOf(done: number, total: number, seconds: number): string {
  if (seconds < PACE_SECONDS || done === 0) return '';
  const rate = done / seconds;
  return `${rate < LEAST_RATE ? '' : `  ${Math.round(rate)}/s`}  ${shortTime(Math.ceil((total - done) / rate))} left`;
}

/** `59s`, `3m09s`, `2h05m`. */
function shortTime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}

function barOf(part: number, room: number): string {
  const full = Math.floor(part * room);
  return `${'='.repeat(full)}${full < room ? '>' : ''}`.padEnd(room);
}
