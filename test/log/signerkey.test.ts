import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { formatSignerKey } from '../../src/core/key.js';
import { isGosumError } from '../../src/errors.js';
import { createKeyFile, newLogKey, parseSignerKeys, readSignerKeys, replaceKeyFile } from '../../src/log/signerkey.js';

t.test('a key file', async (t) => {
  const file = path.join(t.testdir(), 'log.key');
  const [first, second] = [newLogKey('log.example'), newLogKey('log.example')];
  createKeyFile(file, first);
  t.same(readSignerKeys(file).map(formatSignerKey), [formatSignerKey(first)]);
  t.throws(() => createKeyFile(file, second), { code: 'FILE_FAILED' }, 'is not overwritten');
  t.same(readSignerKeys(file).map(formatSignerKey), [formatSignerKey(first)]);
  replaceKeyFile(file, [first, second]);
  t.same(readSignerKeys(file).map(formatSignerKey), [first, second].map(formatSignerKey));
  t.throws(() => readSignerKeys(`${file}.none`), { code: 'FILE_FAILED' });
  writeFileSync(file, `${readFileSync(file, 'utf8')}${' '.repeat(20_000)}`);
  t.throws(() => readSignerKeys(file), { code: 'CONFIG_INVALID' }, 'too large');
});

t.test('others than its owner', { skip: process.platform === 'win32' ? 'Windows has no such modes' : false }, async (t) => {
  const file = path.join(t.testdir(), 'log.key');
  createKeyFile(file, newLogKey('log.example'));
  t.equal(statSync(file).mode % 0o1000, 0o600);
  replaceKeyFile(file, [newLogKey('log.example')]);
  t.equal(statSync(file).mode % 0o1000, 0o600);
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644]) {
    chmodSync(file, mode);
    t.throws(() => readSignerKeys(file), { code: 'CONFIG_INVALID' }, mode.toString(8));
  }
  chmodSync(file, 0o400);
  t.equal(readSignerKeys(file).length, 1);
});

t.test('keys that are none', async (t) => {
  const key = formatSignerKey(newLogKey('log.example'));
  const cases: Record<string, [string, string]> = {
    nothing: ['\n', 'CONFIG_INVALID'],
    'one key twice': [`${key}\n${key}`, 'CONFIG_INVALID'],
    'two names': [`${key}\n${formatSignerKey(newLogKey('other.example'))}`, 'CONFIG_INVALID'],
    'three keys': [['a', 'b', 'c'].map(() => formatSignerKey(newLogKey('log.example'))).join('\n'), 'CONFIG_INVALID'],
    'a verifier key': [key.replace('PRIVATE+KEY+', ''), 'KEY_MALFORMED'],
    'half a key': [key.slice(0, -10), 'KEY_MALFORMED'],
  };
  for (const [what, [text, code]] of Object.entries(cases)) {
    try {
      parseSignerKeys(text, 'a test');
      t.fail(what);
    } catch (error) {
      t.ok(isGosumError(error) && error.code === code, what);
      t.notOk(String(error).includes(key.slice(-20)), 'its message has no part of the key');
    }
  }
  t.equal(parseSignerKeys(`\r\n  ${key}  \r\n`, 'a test').length, 1);
});
