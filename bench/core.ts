/** The core by itself, on the recorded run: hashes a second, planning and authenticating its tiles, opening its receipt. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as node from '../src/core/crypto/node.js';
import * as noble from '../src/core/crypto/noble.js';
import { parseGoSum } from '../src/core/gosum.js';
import { HASH_SIZE } from '../src/core/hash.js';
import { parseVerifierKey } from '../src/core/key.js';
import { formatModuleVersion, lookupPath } from '../src/core/module.js';
import { planTiles, type ProvedTree } from '../src/core/plan.js';
import { makeReceipt, openReceipt, proveRecordIn } from '../src/core/receipt.js';
import { parseLookup } from '../src/core/record.js';
import { formatTilePath } from '../src/core/tile.js';
import { openTreeHead } from '../src/core/treehead.js';
import { SUM_GOLANG_ORG } from '../src/config/sumdb.js';
import { median } from './measure.js';
import { GO_SUM, RECORDING } from './workshop.js';

/** Node hashes that one measurement makes. */
const HASHES = 1 << 16;

/** What was measured. */
export interface CoreBench {
  readonly node: string;
  readonly runs: number;
  readonly rates: readonly { readonly what: string; readonly perSecond: number }[];
  /** Milliseconds, medians. */
  readonly works: readonly { readonly what: string; readonly ms: number }[];
}

/** Measures the core: `runs` times each, after one that is not counted. */
export function benchCore(runs: number): CoreBench {
  const measure = (work: () => unknown): number => {
    const times: number[] = [];
    for (let i = 0; i <= runs; i++) {
      const start = performance.now();
      work();
      if (i > 0) times.push(performance.now() - start);
    }
    return median(times);
  };
  const hashes = node.randomBytes(1024 * 2 * HASH_SIZE);
  const rate = (hashNodes: (hashes: Uint8Array) => Uint8Array): number => {
    const ms = measure(() => {
      for (let left = HASHES; left > 0; left -= 1024) hashNodes(hashes);
    });
    return (HASHES * 1000) / ms;
  };
  return {
    node: process.version,
    runs,
    rates: [
      { what: 'node:crypto', perSecond: rate(node.hashNodes) },
      { what: '@noble/hashes', perSecond: rate(noble.hashNodes) },
    ],
    works: worksOnRecording(measure),
  };
}

function worksOnRecording(measure: (work: () => unknown) => number): CoreBench['works'] {
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(RECORDING, name)));
  const key = parseVerifierKey(SUM_GOLANG_ORG);
  const head = openTreeHead(read('latest'), key);
  const goSum = new Uint8Array(readFileSync(GO_SUM));
  const lines = parseGoSum(goSum, 'go.sum');
  const names = [...new Set(lines.map(({ module, version }) => lookupPath(module, version)))];
  const covers = [...new Set(lines.map(({ module, version }) => formatModuleVersion(module, version)))];
  const answers = names.map((name) => parseLookup(read(name)));
  const wanted = {
    records: answers.map(({ id }) => id),
    trees: answers.map(({ note }) => openTreeHead(note, key).size),
  };
  const plan = planTiles(head, wanted);
  const tiles = plan.tiles.map((tile) => read(formatTilePath(tile)));
  const authenticate = (): ProvedTree => planTiles(head, wanted).authenticate(tiles);

  const tree = authenticate();
  const prove = (): ReturnType<typeof proveRecordIn>[] => answers.map((answer) => proveRecordIn(tree, head, answer));
  const records = prove();
  const receipt = makeReceipt(tree, head, records, covers).bytes;
  return [
    { what: `plan ${tiles.length} tiles`, ms: measure(() => planTiles(head, wanted)) },
    { what: `plan and authenticate ${tiles.length} tiles`, ms: measure(authenticate) },
    { what: `prove ${records.length} records in them`, ms: measure(prove) },
    { what: `make their receipt (${receipt.length} bytes)`, ms: measure(() => makeReceipt(tree, head, records, covers)) },
    { what: 'open the receipt', ms: measure(() => openReceipt(receipt, key)) },
    { what: 'parse the go.sum of 505 lines', ms: measure(() => parseGoSum(goSum, 'go.sum')) },
  ];
}
