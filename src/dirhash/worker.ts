/** The entry of a worker thread: does one job after the other. */

import { parentPort } from 'node:worker_threads';
import { answerOfError, runJob, type Answer, type Job } from './job.js';

/** The least bytes that are told at once: a message takes some microseconds. */
const STEP = 2 ** 20;

const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const say = (answer: Answer): void => port.postMessage(answer);

port.on('message', (job: Job) => {
  let untold = 0;
  const progress = (bytes: number): void => {
    untold += bytes;
    if (untold < STEP) return;
    say({ kind: 'progress', bytes: untold });
    untold = 0;
  };
  runJob(job, { progress }).then(
    (result) => {
      say({ kind: 'progress', bytes: untold });
      say({ kind: 'result', result });
    },
    (error: unknown) => say(answerOfError(error)),
  );
});
say({ kind: 'started' });
