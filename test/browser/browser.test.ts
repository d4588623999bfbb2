/**
 * The pure entries in a real browser, with the backing that is chosen there: published vectors, and a record of
 * sum.golang.org proved from its recorded answers. Needs a Chromium on the PATH; skipped, aloud, where there is none.
 */

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import t, { type Test } from 'tap';
import { SUM_GOLANG_ORG } from '../../src/config/sumdb.js';
import * as inNode from './page.js';
import type { Answer, Task } from './page.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIXTURES = path.join(ROOT, 'fixtures', 'sumdb', 'sum.golang.org');
const [MODULE, VERSION] = ['golang.org/x/mod', 'v0.21.0'];
/** What the page needs to run: nothing from any network, and nothing of the user's own profile. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The page's functions, wherever they run. */
type Page = (call: keyof typeof inNode, ...args: readonly unknown[]) => Promise<unknown>;

function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome.exe'];
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
}

/** The page's script, as a bundler makes it of the package for browsers. */
async function bundle(): Promise<{ script: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'page',
    platform: 'browser',
    write: false,
    metafile: true,
  });
  return { script: outputFiles[0]?.text ?? '', inputs: Object.keys(metafile.inputs) };
}

/** Serves the page, and the recorded answers below it, on a port of its own. */
async function serve(t: Test, script: string): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html').end(`<!doctype html><title>page</title><script>${script}</script>`);
      return;
    }
    const file = path.join(FIXTURES, ...decodeURIComponent(pathname).split('/'));
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openPage(t: Test, executablePath: string, base: string): Promise<Page> {
  const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: 100_000 });
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(100_000);
  page.on('pageerror', (error) => t.fail(String(error)));
  await page.goto(base);
  t.comment(`Chromium ${browser.version()}`);
  return (call, ...args) => page.evaluate(`page.${call}(...${JSON.stringify(args)})`);
}

// FIPS 180-4: NIST's examples
const SHA256: [text: string, hash: string][] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['a'.repeat(1e6), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
];

// RFC 8032 §7.1, TEST 2 and TEST SHA(abc)
const ED25519: { seed: string; publicKey: string; message: string; signature: string }[] = [
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
];

async function checkVectors(t: Test, page: Page): Promise<void> {
  for (const [text, hash] of SHA256) t.equal(await page('sha256Of', text), hash, `SHA-256 of ${text.length} bytes`);
  for (const { seed, publicKey, message, signature } of ED25519) {
    t.same(await page('ed25519', seed, message), { publicKey, signature, verified: true, refused: true }, 'Ed25519');
  }
}

async function checkProof(t: Test, page: Page, base: string): Promise<Answer> {
  const task: Task = { base, key: SUM_GOLANG_ORG, module: MODULE, version: VERSION };
  const answer = (await page('prove', task)) as Answer;
  if ('code' in answer) {
    t.fail(`not proved: ${answer.code}`);
    return answer;
  }
  const goSum = readFileSync(path.join(ROOT, 'fixtures', 'kubernetes-1.34', 'go.sum'), 'utf8').split('\n');
  t.ok(goSum.includes(`${MODULE} ${VERSION} ${answer.hashes.module!}`), 'the module’s hash is the one in go.sum');
  t.ok(goSum.includes(`${MODULE} ${VERSION}/go.mod ${answer.hashes.goMod!}`), 'the go.mod’s too');

  const codes: Record<string, string> = { '/latest': 'SIGNATURE_INVALID', proof: 'PROOF_MISMATCH' };
  for (const path of answer.paths) {
    // in a lookup, a byte of the record: behind the number's line
    const at = path.startsWith('/lookup/') ? 40 : 30;
    const want = codes[path] ?? (path.startsWith('/lookup/') ? 'RECORD_MISMATCH' : 'TILE_MISMATCH');
    t.same(await page('prove', { ...task, flip: { path, at } }), { code: want }, `a flipped bit: ${path}`);
  }
  return answer;
}

t.test('a page proves a record', async (t) => {
  const { script, inputs } = await bundle();
  t.comment(`the page’s script: ${script.length} bytes`);
  t.ok(inputs.some((file) => file.endsWith('core/crypto/noble.js')), 'the bundle has noble');
  t.notOk(inputs.some((file) => file.endsWith('core/crypto/node.js')), 'the bundle has nothing of Node');

  const base = await serve(t, script);
  const local: Page = async (call, ...args) => (inNode[call] as (...args: readonly unknown[]) => unknown)(...args);
  await checkVectors(t, local);
  const want = await checkProof(t, local, base);

  const executable = findChromium();
  const skip = executable === undefined && 'no chromium, chromium-browser or google-chrome on the PATH';
  if (skip !== false) console.error(`browser.test.js: NOT TESTED in a browser: ${skip}`);
  await t.test('in Chromium', { skip }, async (t) => {
    const page = await openPage(t, executable!, base);
    await checkVectors(t, page);
    t.same(await checkProof(t, page, base), want, 'the same as in Node');
  });
});
