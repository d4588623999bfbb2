import t from 'tap';
import { formatModulePaths, isAmong, parseModulePaths } from '../../src/core/modulepaths.js';

t.test('paths that are one module, or all below', (t) => {
  const cases: [text: string, path: string, below: boolean][] = [
    ['golang.org/x/text', 'golang.org/x/text', false],
    ['github.com/BurntSushi/toml', 'github.com/BurntSushi/toml', false],
    ['golang.org/x/...', 'golang.org/x', true],
    ['golang.org/...', 'golang.org', true],
    ['gopkg.in/...', 'gopkg.in', true],
    ['gopkg.in/yaml/...', 'gopkg.in/yaml', true],
    ['example.com/v1/...', 'example.com/v1', true],
    ['...', '', true],
  ];
  for (const [text, path, below] of cases) {
    t.strictSame(parseModulePaths(text), { path, below }, text);
    t.equal(formatModulePaths({ path, below }), text);
  }
  for (const text of ['', '/...', 'nodot', 'nodot/...', 'example.com/', 'example.com//...', 'example.com/.../...', 'example.com/a...', '.../a', 'example.com/!a', 'example.com/a b', 'example.com/../...', './...', 'example.com/a@v1.0.0', 'example.com/v1', 'Example.com/...']) {
    t.throws(() => parseModulePaths(text), { code: 'MODULE_PATH_MALFORMED' }, text);
  }
  t.end();
});

t.test('what is among them', (t) => {
  const below = parseModulePaths('example.com/a/...');
  const one = parseModulePaths('example.com/a');
  const cases: [module: string, one: boolean, below: boolean][] = [
    ['example.com/a', true, true],
    ['example.com/a/b', false, true],
    ['example.com/a/b/c', false, true],
    ['example.com/ab', false, false],
    ['example.com/a-b', false, false],
    ['example.com', false, false],
  ];
  for (const [module, isOne, isBelow] of cases) t.strictSame([isAmong(module, one), isAmong(module, below)], [isOne, isBelow], module);
  t.ok(isAmong('any.example/x', parseModulePaths('...')));
  t.end();
});
