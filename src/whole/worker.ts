/** The entry of a thread that works on tiles: one job after the other. */

import { parentPort, workerData } from 'node:worker_threads';
import { KeyHash } from './key.js';
import { answerOfError, doJob, handedOver, type Answer, type JobMessage, type ThreadStart } from './message.js';

const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const hash = new KeyHash((workerData as ThreadStart).salt);

/** Answers that go together: each message wakes the other thread, which may take this one's processor. */
const TOGETHER = 8;
let answers: Answer[] = [];
let buffers: ArrayBuffer[] = [];

port.on('message', ({ ask, job }: JobMessage) => {
  // what is there already is done before that
  if (answers.length === 0) setImmediate(send);
  try {
    const { work, buffer } = handedOver(doJob(job, hash));
    answers.push({ kind: 'work', ask, work });
    buffers.push(buffer);
  } catch (error) {
    answers.push(answerOfError(ask, error));
  }
  if (answers.length === TOGETHER) send();
});
port.postMessage([]); // it has started

function send(): void {
  if (answers.length === 0) return;
  port?.postMessage(answers, buffers);
  answers = [];
  buffers = [];
}
