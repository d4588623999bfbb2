/** Names of requests: taken over from who asks where they are well formed, else made here. */

import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a request is called. */
export interface RequestName {
  readonly id: string;
  /** The trace that it is a part of (W3C Trace Context, `traceparent`): 32 hex digits. */
  readonly trace: string | undefined;
}

const ID = /^[A-Za-z0-9._~+/=-]{1,128}$/;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

const prefix = randomBytes(6).toString('hex');
let count = 0;

/**
 * Names a request: by its `x-request-id`, else by its trace, else by a name that no other request has.
 *
 * @param headers attacker-controlled: of what is not well formed nothing is taken.
 */
export function nameRequest(headers: IncomingHttpHeaders): RequestName {
  const given = headers['x-request-id'];
  const { traceparent } = headers;
  const [, traceId, parent] = (typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null) ?? [];
  const trace = traceId === undefined || /^0+$/.test(traceId) || /^0+$/.test(parent ?? '') ? undefined : traceId;
  const id = typeof given === 'string' && ID.test(given) ? given : (trace ?? `${prefix}-${(++count).toString(36)}`);
  return { id, trace };
}
