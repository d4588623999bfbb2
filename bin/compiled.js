'use strict';

// Loads a CommonJS file as require does (but without import(), which only Node's own loader can give), and keeps what V8
// compiled of it in a file beside it for the next time: a good part of a run from the cache is compiling otherwise. That file
// is as much believed as the code that it lies beside, and no more: it is taken only where its digest is of itself, of the
// code and of this Node, so that a torn or a stale one is none. Where the folder cannot be written, as that of a package which
// root has installed, it is gone on without.

const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const DIGEST_SIZE = 32;
const BEFORE = Buffer.from('(function (exports, require, module, __filename, __dirname) {');
const AFTER = Buffer.from('\n})');

/**
 * Gives what the file exports, and `keep`, to be called when the most used functions have run.
 *
 * @param use letters; what is compiled for one use is kept by itself, as each has other functions.
 */
exports.loadCompiled = (file, use) => {
  const bytes = Buffer.concat([BEFORE, fs.readFileSync(file), AFTER]);
  // The bundle is ASCII (but for comments), and so read several times as fast.
  const code = bytes.toString('latin1');
  const digestOf = (data) =>
    crypto.createHash('sha256').update(`${process.version} ${process.arch} ${bytes.length} `).update(bytes).update(data).digest();

  const kept = `${file}.${use}.v8`;
  const cachedData = readKept(kept, digestOf);
  const script = new vm.Script(code, { filename: file, cachedData });
  const isKept = cachedData !== undefined && !script.cachedDataRejected;
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, path.dirname(file));
  return { exports: module.exports, keep: () => isKept || writeKept(kept, digestOf, script) };
};

function readKept(file, digestOf) {
  try {
    const bytes = fs.readFileSync(file);
    const data = bytes.subarray(DIGEST_SIZE);
    return digestOf(data).equals(bytes.subarray(0, DIGEST_SIZE)) ? data : undefined;
  } catch {
    return undefined;
  }
}

function writeKept(file, digestOf, script) {
  const unfinished = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(unfinished, ''); // where that cannot be done, nothing is compiled for it
    const data = script.createCachedData();
    fs.writeFileSync(unfinished, Buffer.concat([digestOf(data), data]));
    fs.renameSync(unfinished, file);
  } catch {
    fs.rmSync(unfinished, { force: true });
  }
}
