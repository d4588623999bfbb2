/** The entry of a thread that works on tiles: one job after the other. */

import { parentPort, workerData } from 'node:worker_threads';
import { KeyHash } from './key.js';
import { answerOfError, doJob, transfersOf, type Answer, type JobMessage, type ThreadStart } from './message.js';

const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const hash = new KeyHash((workerData as ThreadStart).salt);

port.on('message', ({ ask, job }: JobMessage) => {
  try {
    const work = doJob(job, hash);
    port.postMessage({ kind: 'work', ask, work } satisfies Answer, transfersOf(work));
  } catch (error) {
    port.postMessage(answerOfError(ask, error));
  }
});
port.postMessage({ kind: 'started' } satisfies Answer);
