#!/usr/bin/env node
'use strict';

// CommonJS, and the command in one file instead of eighty: a run from the cache takes two thirds of the time. What CI runs
// again and again has a file with nothing else in it.
const CHECKS = ['verify', 'modcache', 'hash'];

const args = process.argv.slice(2);
if (args.length === 1 && args[0] === '--version') {
  console.log(require('../package.json').version);
} else {
  const path = require('node:path');
  const { loadCompiled } = require('./compiled.js');
  const [name = ''] = args;
  const file = path.join(__dirname, '..', 'dist', 'bundle', 'cli', CHECKS.includes(name) ? 'checkmain.cjs' : 'main.cjs');
  const { exports, keep } = loadCompiled(file, /^[a-z]+$/.test(name) ? name : 'help');
  exports.main(args).then((exitCode) => {
    process.exitCode = exitCode;
    // of a command that there is, and that was run as it is used
    if (exitCode !== 2) keep();
    // When all is written, at once: nobody waits for what cannot be cancelled, such as a host name being looked up.
    process.stdout.write('', () => process.stderr.write('', () => process.exit()));
  });
}
