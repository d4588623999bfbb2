/**
 * Real module zips, fetched by the real go command by whatever way its settings lead: our hashes of the zip, of the
 * extracted folder and of the go.mod file are those that go wrote, and those of the recorded go.sum of Kubernetes 1.34.
 */

import { createReadStream, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { downloadModules, type Downloaded } from '../../bench/download.js';
import { GO_SUM } from '../../bench/workshop.js';
import { parseGoSum } from '../../src/core/gosum.js';
import { formatModuleVersion } from '../../src/core/module.js';
import { hashFolder, hashGoModFile } from '../../src/dirhash/folder.js';
import { hashZip, hashZipStream } from '../../src/dirhash/hashzip.js';

/** How many of them there have to be. */
const LEAST = 150;
/** For their download, in milliseconds. */
const PATIENCE = 80_000;
/** Modules of the go.sum that are left out, so that not much is downloaded: 1 MB and more each. */
const LARGE = new Set([
  'github.com/docker/docker',
  'github.com/envoyproxy/go-control-plane/envoy',
  'github.com/gogo/protobuf',
  'github.com/google/pprof',
  'github.com/grpc-ecosystem/grpc-gateway/v2',
  'github.com/klauspost/compress',
  'github.com/sergi/go-diff',
  'go.opentelemetry.io/otel',
  'golang.org/x/crypto',
  'golang.org/x/net',
  'golang.org/x/sys',
  'golang.org/x/text',
  'golang.org/x/tools',
  'google.golang.org/grpc',
  'google.golang.org/protobuf',
  'k8s.io/kube-openapi',
  'sigs.k8s.io/kustomize/kyaml',
]);

const lines = parseGoSum(new Uint8Array(readFileSync(GO_SUM)), 'go.sum');
/** The hashes of the go.sum: of whole modules by `path@version`, of go.mod files by `path@version/go.mod`. */
const recorded = new Map(
  lines.map(({ module, version, kind, hash }) => [
    formatModuleVersion(module, version) + (kind === 'go.mod' ? '/go.mod' : ''),
    hash,
  ]),
);

const keyOf = ({ Path, Version }: Downloaded): string => formatModuleVersion(Path, Version);

/** `undefined` where they cannot be had, which is said, and is no failure. */
async function download(t: Test): Promise<readonly Downloaded[] | undefined> {
  const wanted = lines.filter(({ module, kind }) => kind === 'module' && !LARGE.has(module));
  const versions = wanted.map(({ module, version }) => formatModuleVersion(module, version));
  const folder = t.testdir({});
  const download = await downloadModules(versions, folder, path.join(folder, 'cache'), AbortSignal.timeout(PATIENCE)).catch(
    (error: unknown) => ({ modules: [], errors: [String(error)] }),
  );
  if (download.modules.length >= LEAST) return download.modules;
  const why = `the go command gave ${download.modules.length} modules: ${download.errors[0] ?? ''}`;
  console.error(`real.test.js: NOT TESTED with real module zips: ${why}`);
  t.pass('real module zips', { skip: why });
  return undefined;
}

t.test('real modules', async (t) => {
  const modules = await download(t);
  if (modules === undefined) return;

  await t.test('zips', async (t) => {
    let bytes = 0;
    for (const module of modules) {
      const { h1, module: named, violations, ...size } = await hashZip(module.Zip);
      const written = await readFile(module.Zip.replace(/zip$/, 'ziphash'), 'utf8');
      t.strictSame(
        { h1, named, violations },
        { h1: written, named: { module: module.Path, version: module.Version }, violations: [] },
        keyOf(module),
      );
      t.equal(h1, recorded.get(keyOf(module)), `${keyOf(module)} in go.sum`);
      bytes += size.bytes;
    }
    t.comment(`${modules.length} modules, ${bytes} bytes inflated`);
  });

  await t.test('bytes and streams of zips', async (t) => {
    for (const module of modules.slice(0, 10)) {
      const bytes = new Uint8Array(await readFile(module.Zip));
      t.equal((await hashZip(bytes)).h1, module.Sum, keyOf(module));
      t.equal((await hashZipStream(createReadStream(module.Zip))).h1, module.Sum, keyOf(module));
    }
  });

  await t.test('extracted folders', async (t) => {
    for (const module of modules) {
      const { h1 } = await hashFolder(module.Dir, { module: module.Path, version: module.Version });
      t.equal(h1, recorded.get(keyOf(module)), keyOf(module));
    }
  });

  await t.test('go.mod files', async (t) => {
    for (const module of modules) {
      t.equal(await hashGoModFile(module.GoMod), recorded.get(`${keyOf(module)}/go.mod`), keyOf(module));
    }
  });
});
