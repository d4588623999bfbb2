#!/usr/bin/env node
'use strict';

// CommonJS, and the command in one file instead of eighty: a run from the cache takes two thirds of the time.
const args = process.argv.slice(2);
if (args.length === 1 && args[0] === '--version') {
  console.log(require('../package.json').version);
} else {
  const path = require('node:path');
  const { loadCompiled } = require('./compiled.js');
  const { exports, keep } = loadCompiled(path.join(__dirname, '..', 'dist', 'bundle', 'cli', 'main.cjs'));
  exports.main(args).then((exitCode) => {
    process.exitCode = exitCode;
    // of the command that is run again and again, so that it has what that one uses
    if (args[0] === 'verify') keep();
    // What nobody can cancel, such as a host name being looked up, does not hold a command that is done.
    setTimeout(() => process.exit(), 500).unref();
  });
}
