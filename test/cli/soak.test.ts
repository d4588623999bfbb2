import t from 'tap';
import { soak } from './soak.js';

t.test('a mirror killed under load', { timeout: 300_000 }, async (t) => {
  const { served, failures } = await soak(t.testdir(), 4, (text) => {
    t.comment(text);
  });
  t.ok(served > 10, `${served} were served`);
  t.strictSame(failures, []);
});
