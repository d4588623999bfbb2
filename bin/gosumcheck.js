#!/usr/bin/env node
'use strict';

// CommonJS, and the command in one file instead of eighty: a run from the cache takes two thirds of the time. What CI runs
// again and again has a file with nothing else in it.
const args = process.argv.slice(2);
if (args.length === 1 && args[0] === '--version') {
  console.log(require('../package.json').version);
} else {
  const path = require('node:path');
  const { loadCompiled } = require('./compiled.js');
  const checks = args[0] === 'verify' || args[0] === 'modcache';
  const { exports, keep } = loadCompiled(path.join(__dirname, '..', 'dist', 'bundle', 'cli', checks ? 'checkmain.cjs' : 'main.cjs'));
  exports.main(args).then((exitCode) => {
    process.exitCode = exitCode;
    // of the command that is run again and again, so that it has what that one uses
    if (args[0] === 'verify') keep();
    // When all is written, at once: nobody waits for what cannot be cancelled, such as a host name being looked up.
    process.stdout.write('', () => process.stderr.write('', () => process.exit()));
  });
}
