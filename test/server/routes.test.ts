import t from 'tap';
import { routeOf } from '../../src/server/routes.js';

const NAMES = ['sum.golang.org', 'sums.example/go/private'];
const P = '/sumdb/sums.example/go/private';

const FOUND: Record<string, unknown> = {
  '/latest': { name: NAMES[0], asked: { kind: 'latest' } },
  '/latest?x=1': { name: NAMES[0], asked: { kind: 'latest' } },
  '/sumdb/sum.golang.org/latest': { name: NAMES[0], asked: { kind: 'latest' } },
  '/sumdb/sum.golang.org/supported': { name: NAMES[0], asked: { kind: 'supported' } },
  [`${P}/supported`]: { name: NAMES[1], asked: { kind: 'supported' } },
  [`${P}/latest`]: { name: NAMES[1], asked: { kind: 'latest' } },
  '/lookup/github.com/!burnt!sushi/toml@v0.3.1': {
    name: NAMES[0],
    asked: { kind: 'lookup', module: 'github.com/BurntSushi/toml', version: 'v0.3.1' },
  },
  '/lookup/github.com/%21burnt%21sushi/toml%40v2.0.0%2Bincompatible': {
    asked: { module: 'github.com/BurntSushi/toml', version: 'v2.0.0+incompatible' },
  },
  '/tile/8/0/x281/x123/045': { name: NAMES[0], asked: { kind: 'tile', tile: { level: 0, n: 281_123_045, width: 256 } } },
  [`${P}/tile/8/2/000.p/7`]: { name: NAMES[1], asked: { kind: 'tile', tile: { level: 2, n: 0, width: 7 } } },
  '/feeds/github.com/BurntSushi/toml.atom': { name: NAMES[0], asked: { kind: 'feed', paths: { path: 'github.com/BurntSushi/toml', below: false } } },
  [`${P}/feeds/golang.org/x/....atom`]: { name: NAMES[1], asked: { kind: 'feed', paths: { path: 'golang.org/x', below: true } } },
  '/feeds/example.com/x.atom.atom?y': { asked: { kind: 'feed', paths: { path: 'example.com/x.atom', below: false } } },
  '/feeds/....atom': { asked: { kind: 'feed', paths: { path: '', below: true } } },
  '/tile/8/data/000': { asked: { kind: 'tile', tile: { level: -1 } } },
};

const REFUSED: Record<string, 400 | 404> = {
  '': 400,
  'latest': 400,
  '/supported': 404,
  '/latest/': 404,
  '//latest': 400,
  '/./latest': 400,
  '/sumdb/../latest': 400,
  '/sumdb/%2e%2e/latest': 400,
  '/lookup/..': 400,
  '/sumdb/other.example/latest': 404,
  '/sumdb/sum.golang.org': 404,
  '/sumdb/sum.golang.org/': 404,
  '/sumdb/sum.golang.org/sumdb/sum.golang.org/latest': 404,
  '/lookup/': 400,
  '/lookup/example.com/a': 400,
  '/lookup/example.com/a@': 400,
  '/lookup/example.com/a@v1': 400,
  '/lookup/example.com/a@v1.0.0/go.mod': 400,
  '/lookup/example.com/a@v1.0.0@v1.0.0': 400,
  '/lookup/example.com/A@v1.0.0': 400,
  '/lookup/example.com/a@v1.0.0%00': 400,
  '/lookup/example.com/a@v1.0.0%2fx': 400,
  '/lookup/example.com%2fa@v1.0.0': 400,
  '/lookup/example.com\\a@v1.0.0': 400,
  [`/lookup/example.com/${'a'.repeat(3000)}@v1.0.0`]: 400,
  '/tile/8/0/0': 400,
  '/tile/8/0/000.p/256': 400,
  '/tile/8/0/000.p/0': 400,
  '/tile/8/0/x000/000': 400,
  '/tile/7/0/000': 400,
  '/tile/8/7/000': 400,
  '/tile/8/-1/000': 400,
  '/feeds': 404,
  '/feeds/': 400,
  '/feeds/.atom': 400,
  '/feeds/example.com/a': 400,
  '/feeds/example.com/a.atom/': 400,
  '/feeds/example.com/a/.atom': 400,
  '/feeds/example.com/!a.atom': 400,
  '/feeds/example.com/%21a.atom': 400,
  '/feeds/example.com//a.atom': 400,
  '/feeds/example.com/../a.atom': 400,
  '/feeds/example.com/a b.atom': 400,
  '/feeds/nodot.atom': 400,
  '/feeds/nodot/....atom': 400,
  '/feeds/example.com/a@v1.0.0.atom': 400,
  '/example.com/m/@v/list': 404,
  '/example.com/m/@latest': 404,
  '/favicon.ico': 404,
};

t.test('what a path asks for', (t) => {
  for (const [url, want] of Object.entries(FOUND)) t.match(routeOf(url, NAMES), want, url);
  for (const page of ['home', 'healthz', 'readyz', 'metrics', 'version']) {
    t.strictSame(routeOf(page === 'home' ? '/' : `/${page}`, NAMES), { kind: 'page', page });
  }
  t.end();
});

t.test('what is refused', (t) => {
  for (const [url, status] of Object.entries(REFUSED)) t.match(routeOf(url, NAMES), { kind: 'refused', status }, url.slice(0, 80));
  t.end();
});
