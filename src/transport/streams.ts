/** How many connections over HTTP/2 a server is sent requests on. */

/** Connections to one server that take requests. */
export const MAX_HTTP2_CONNECTIONS = 5;
/** Requests at a time that a server is taken to allow until it has said so: the least that it should (RFC 9113 §6.5.2). */
export const USUAL_STREAMS = 100;
/** Requests at a time, to each that was announced: upon a lookup follow one to two tiles. */
const FOLLOWING = 1.5;

/** How many connections are most likely needed for so many announced requests. At least one. */
export function connectionsFor(expected: number, streams: number = USUAL_STREAMS): number {
  return Math.max(1, Math.min(Math.ceil((expected * FOLLOWING) / streams), MAX_HTTP2_CONNECTIONS));
}
