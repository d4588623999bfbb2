#!/usr/bin/env node
'use strict';

// CommonJS, and the command in one file instead of eighty: a run from the cache takes two thirds of the time.
const args = process.argv.slice(2);
if (args.length === 1 && args[0] === '--version') {
  console.log(require('../package.json').version);
} else {
  const { main } = require('../dist/bundle/cli/main.cjs');
  main(args).then((exitCode) => {
    process.exitCode = exitCode;
    // What nobody can cancel, such as a host name being looked up, does not hold a command that is done.
    setTimeout(() => process.exit(), 500).unref();
  });
}
