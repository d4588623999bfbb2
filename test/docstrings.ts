/** Checks that every name which the package exports has a docstring: part of `npm run check`. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The package's folder; this file runs as dist/test/docstrings.js. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { exports: Record<string, string> };
const entries = Object.entries(manifest.exports).filter(([, file]) => file.endsWith('.js'));
const files = entries.map(([, file]) => path.join(root, file.replace(/\.js$/, '.d.ts')));

const program = ts.createProgram(files, { module: ts.ModuleKind.Node20, target: ts.ScriptTarget.ES2023, types: ['node'] });
const checker = program.getTypeChecker();

function isDocumented(symbol: ts.Symbol): boolean {
  const documented = (one: ts.Symbol): boolean =>
    one.getDocumentationComment(checker).length > 0 || one.getJsDocTags(checker).length > 0;
  if (documented(symbol)) return true;
  return (symbol.flags & ts.SymbolFlags.Alias) !== 0 && documented(checker.getAliasedSymbol(symbol));
}

/** The names below an entry that have no docstring; `undefined` where the entry is no module. */
function bare(file: string): { count: number; bare: string[] } | undefined {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) return undefined;
  const exported = checker.getExportsOfModule(module);
  return { count: exported.length, bare: exported.filter((symbol) => !isDocumented(symbol)).map(({ name }) => name) };
}

let failed = false;
for (const [i, [entry]] of entries.entries()) {
  const found = bare(files[i] ?? '');
  if (found === undefined || found.count === 0 || found.bare.length > 0) failed = true;
  const flaw = found === undefined ? 'is no module' : found.bare.length > 0 ? `without a docstring: ${found.bare.join(', ')}` : '';
  console.log(`gosumcheck${entry.slice(1)}: ${found?.count ?? 0} exports ${flaw}`);
}
process.exitCode = failed ? 1 : 0;
