/**
 * What a page does that proves a module version's record by itself: it reads the signed tree head, the record and the tiles
 * from whoever serves it, and believes none of them. Runs in a browser, bundled, and in Node as it is.
 */

import { ed25519PublicKey, ed25519Sign, ed25519Verifier, sha256 } from '#crypto';
import { lookupPath } from 'gosumcheck/gosum';
import { isGosumError, parseVerifierKey, type Code } from 'gosumcheck/note';
import {
  checkRecord,
  findHashes,
  formatTilePath,
  openTreeHead,
  parseLookup,
  planTiles,
  proveRecordIn,
  recordHash,
  type RecordHashes,
} from 'gosumcheck/tlog';

/** What to prove. */
export interface Task {
  /** URL of the database, without a slash at its end. */
  readonly base: string;
  /** Its verifier key. */
  readonly key: string;
  readonly module: string;
  readonly version: string;
  /** The one answer that is changed before it is looked at, in one bit of its byte `at`; the path `proof` is the finished proof. */
  readonly flip?: { readonly path: string; readonly at: number };
}

/** What was proved, or the code of the error that it ended with. */
export type Answer =
  | { readonly id: number; readonly size: number; readonly hashes: RecordHashes; readonly proof: string; readonly paths: string[] }
  | { readonly code: Code };

/** Proves a record's inclusion from the signed head, through tiles; then the proof alone is checked once more. */
export async function prove({ base, key, module, version, flip }: Task): Promise<Answer> {
  const paths: string[] = [];
  const bent = (path: string, bytes: Uint8Array): Uint8Array => {
    paths.push(path);
    return path === flip?.path ? bytes.map((byte, i) => (i === flip.at ? byte ^ 1 : byte)) : bytes;
  };
  const read = async (path: string): Promise<Uint8Array> => {
    const response = await fetch(base + path);
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
    return bent(path, new Uint8Array(await response.arrayBuffer()));
  };
  try {
    const head = openTreeHead(await read('/latest'), parseVerifierKey(key));
    const answer = parseLookup(await read(lookupPath(module, version)));
    const plan = planTiles(head, { records: [answer.id] });
    const tiles: Uint8Array[] = [];
    for (const tile of plan.tiles) tiles.push(await read(`/${formatTilePath(tile)}`));
    const record = proveRecordIn(plan.authenticate(tiles), head, answer);
    const proof = bent('proof', record.proof());
    checkRecord(proof, head, record.id, recordHash(record.text));
    return { id: record.id, size: head.size, hashes: findHashes(record.text, module, version), proof: hex(proof), paths };
  } catch (error) {
    if (isGosumError(error)) return { code: error.code };
    throw error;
  }
}

/** SHA-256 of ASCII, in hex. */
export function sha256Of(text: string): string {
  return hex(sha256(new TextEncoder().encode(text)));
}

/** Makes and checks an Ed25519 signature, all in hex: of a seed and a message. */
export function ed25519(seed: string, message: string): { publicKey: string; signature: string; verified: boolean; refused: boolean } {
  const publicKey = ed25519PublicKey(bytesOf(seed));
  const signature = ed25519Sign(bytesOf(seed), bytesOf(message));
  const verify = ed25519Verifier(publicKey);
  // one bit of each byte
  const refused = signature.every((_, at) => !verify(bytesOf(message), signature.map((byte, i) => (i === at ? byte ^ 1 : byte))));
  return { publicKey: hex(publicKey), signature: hex(signature), verified: verify(bytesOf(message), signature), refused };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
