/**
 * The core against Go's own parsers (golang.org/x/mod, by the program in test/go): the same random inputs to both.
 * We never take what Go refuses, never read it otherwise, and refuse what Go takes by the listed rules alone.
 *
 * DIFFERENTIAL_SEED and DIFFERENTIAL_COUNT make another or a longer run.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { GosumError } from '../src/errors.js';
import { BULK_ANSWERS } from './differential/bulk.js';
import { LOG_SUBJECTS } from './differential/log.js';
import { MODULE_SUBJECTS } from './differential/modules.js';
import { Random } from './differential/random.js';
import { TREE_SUBJECTS } from './differential/tree.js';
import { ZIP_SUBJECTS } from './differential/zips.js';
import { buildGoProgram, GO_OPTIONS, GO_TIMEOUT } from './goprogram.js';
import { base64Of, bytesOf, type Input, type Subject } from './differential/subject.js';

const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 3);
const COUNT = Number(process.env.DIFFERENTIAL_COUNT ?? 3000);
/** Of each outcome at least one input in so many, or the run says nothing. */
const LEAST_SHARE = 20;

interface Answer {
  readonly ok: boolean;
  readonly out: readonly string[];
}

t.setTimeout(GO_TIMEOUT);

const reason = whyNoGo();
if (reason === undefined) {
  t.comment(`seed ${SEED}, ${COUNT} random inputs for each operation`);
  const built = buildGoProgram(t.testdir());
  if ('why' in built) throw new Error(built.why);
  const { program } = built;
  for (const subject of [...MODULE_SUBJECTS, ...LOG_SUBJECTS, ...TREE_SUBJECTS, BULK_ANSWERS, ...ZIP_SUBJECTS]) {
    t.test(subject.op, (t) => {
      compare(t, program, subject);
      t.end();
    });
  }
} else {
  t.comment(`NOT RUN: ${reason}`);
  t.pass('the comparison with Go', { skip: reason });
}

/** Why Go cannot be asked here: there is none, it is too old, or its modules cannot be had. */
function whyNoGo(): string | undefined {
  const version = spawnSync('go', ['version'], GO_OPTIONS);
  if (version.status !== 0) return 'there is no go command';
  const download = spawnSync('go', ['mod', 'download'], GO_OPTIONS);
  return download.status === 0 ? undefined : `the modules of test/go cannot be had: ${download.stderr.trim()}`;
}

function compare(t: Test, program: string, subject: Subject): void {
  const random = new Random(SEED);
  const length = subject.slow === true ? COUNT / 3 : COUNT;
  const least = length / LEAST_SHARE;
  const inputs = [...subject.fixed, ...Array.from({ length }, () => subject.make(random))];
  const answers = ask(program, subject.op, inputs);
  const wrong: unknown[] = [];
  const rules = new Map(Object.keys(subject.stricter).map((name) => [name, 0]));
  let taken = 0;
  let refused = 0;

  for (const [i, input] of inputs.entries()) {
    const go = answers[i]!;
    const ours = answerOf(subject, input);
    const stricter = go.ok
      ? Object.keys(subject.stricter).filter((name) => subject.stricter[name]!(go.out, ...input))
      : [];
    for (const name of stricter) rules.set(name, rules.get(name)! + 1);
    if (ours.ok) taken++;
    else if (!go.ok) refused++;
    const agree =
      ours.ok === (go.ok && stricter.length === 0) && (!ours.ok || JSON.stringify(ours.out) === JSON.stringify(go.out));
    if (!agree) wrong.push({ input: input.map(readable), go, ours, stricter });
  }

  t.same(wrong.slice(0, 5), [], `${inputs.length} inputs: ${taken} taken by both, ${refused} refused by both`);
  t.ok(taken >= least, 'enough inputs are taken');
  if (subject.total !== true) t.ok(refused >= least, 'enough inputs are refused');
  for (const [name, times] of rules) t.ok(times > 0, `stricter than Go: ${name} (${times} times)`);
}

/** What the core says. Any error but a GosumError is a defect, and thrown. */
function answerOf(subject: Subject, input: readonly Input[]): Answer & { error?: string } {
  try {
    const out = subject.ours(...input);
    return { ok: out !== undefined, out: out ?? [] };
  } catch (error) {
    const named = `${subject.op} ${JSON.stringify(input.map(readable))}`;
    if (!(error instanceof GosumError)) throw new Error(named, { cause: error });
    return { ok: false, out: [], error: error.message };
  }
}

function ask(program: string, op: string, inputs: readonly (readonly Input[])[]): Answer[] {
  const questions = inputs.map((input) => JSON.stringify({ op, in: input.map((part) => base64Of(bytesOf(part))) }));
  const stdout = execFileSync(program, { input: questions.join('\n'), encoding: 'utf8', maxBuffer: 2 ** 28 });
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
  if (answers.length !== inputs.length) throw new Error(`${answers.length} answers to ${inputs.length} questions`);
  return answers;
}

function readable(input: Input): string {
  return typeof input === 'string' ? input : Buffer.from(input).toString('latin1');
}
