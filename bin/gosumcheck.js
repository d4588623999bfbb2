#!/usr/bin/env node
// The command in a few files instead of eighty: a run from the cache is a third faster (package.json, "bundle").
import { main } from '../dist/bundle/cli/main.js';

process.exitCode = await main(process.argv.slice(2));
