#!/usr/bin/env node
// The command in a few files instead of eighty: a run from the cache is a third faster (package.json, "bundle").
import { main } from '../dist/bundle/cli/main.js';

process.exitCode = await main(process.argv.slice(2));
// What nobody can cancel, such as a host name being looked up, does not hold a command that is done.
setTimeout(() => process.exit(), 500).unref();
