import t from 'tap';
import { parseSize } from '../../src/config/size.js';

t.test('sizes', (t) => {
  const sizes = { '0': 0, '1': 1, '512b': 512, '64KiB': 65_536, '64kb': 65_536, '64MiB': 2 ** 26, '1GB': 2 ** 30, '2gib': 2 ** 31 };
  for (const [text, bytes] of Object.entries(sizes)) t.equal(parseSize(text), bytes, text);
  for (const bad of ['', 'x', '-1', '1.5MB', '1 MB', '64M', '1TB', 'MB', '1e3', '999999999999999GB', '1MB\n']) {
    t.throws(() => parseSize(bad), { code: 'CONFIG_INVALID' }, bad);
  }
  t.end();
});
