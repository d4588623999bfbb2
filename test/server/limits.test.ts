import t from 'tap';
import { isGosumError } from '../../src/errors.js';
import { ClientLimiter, clientOf, LimitError } from '../../src/server/limits.js';

/** Milliseconds to wait, or the seconds of a refusal. */
function taker(limits: ConstructorParameters<typeof ClientLimiter>[0]): { take: (address?: string) => number | string; later: (ms: number) => void; limiter: ClientLimiter } {
  let now = 0;
  const limiter = new ClientLimiter(limits, () => now);
  const take = (address = '192.0.2.1'): number | string => {
    try {
      return Math.round(limiter.take(address));
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      return `refused for ${error.retryAfter} s`;
    }
  };
  return { take, later: (ms) => (now += ms), limiter };
}

t.test('a burst goes at once, what follows waits its turn, what would wait too long is refused', (t) => {
  const { take, later } = taker({ rate: 2, burst: 3, queue: 4 });
  t.strictSame(Array.from({ length: 9 }, () => take()), [0, 0, 0, 500, 1000, 1500, 2000, 'refused for 1 s', 'refused for 1 s']);
  t.equal(take('192.0.2.2'), 0, 'another client has its own');
  later(500);
  t.strictSame([take(), take()], [2000, 'refused for 1 s'], 'one turn has passed');
  later(60_000);
  t.strictSame(Array.from({ length: 4 }, () => take()), [0, 0, 0, 500], 'no more than a burst is saved up');
  t.end();
});

t.test('nobody waits longer than ten seconds, however long the queue', (t) => {
  const { take } = taker({ rate: 1, burst: 1, queue: 1000 });
  t.strictSame(Array.from({ length: 12 }, () => take()), [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 'refused for 1 s']);
  const none = taker({ rate: 10, burst: 1, queue: 0 });
  t.strictSame([none.take(), none.take()], [0, 'refused for 1 s'], 'no queue');
  t.end();
});

t.test('clients are forgotten, those not heard of for the longest time first', (t) => {
  const { take, limiter } = taker({ rate: 1, burst: 1, queue: 0 });
  t.equal(take('first'), 0);
  for (let i = 0; i < 9_999; i++) take(`192.0.2.${i}`);
  t.match(take('first'), /refused/, 'still known');
  for (let i = 0; i < 30_000; i++) {
    take(`other ${i}`);
    if (i === 5000) t.match(take('first'), /refused/, 'it was heard of');
  }
  t.equal(limiter.clients, 10_000);
  t.equal(take('first'), 0);
  t.end();
});

t.test('who is a client', (t) => {
  for (const [address, client] of Object.entries({
    '192.0.2.7': '192.0.2.7',
    '::ffff:192.0.2.7': '192.0.2.7',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2::9': '2001:db8:1:2::/64',
    '2001:db8::9': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '': '',
  })) {
    t.equal(clientOf(address), client, address);
  }
  t.end();
});

t.test('who waits is let in at its turn', async (t) => {
  const limiter = new ClientLimiter({ rate: 5, burst: 1, queue: 2 });
  const since = performance.now();
  const [first, ...both] = [limiter.admit('a'), limiter.admit('a'), limiter.admit('a')];
  const refused: unknown = await limiter.admit('a').catch((error: unknown) => error);
  t.ok(isGosumError(refused, 'UNREACHABLE'));
  await first;
  await Promise.all(both);
  t.ok(performance.now() - since >= 395, 'two turns of 200 ms');
});
