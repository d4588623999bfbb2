import path from 'node:path';
import t from 'tap';
import { parseDuration } from '../../src/config/duration.js';
import { openEnvironment, type Variables } from '../../src/config/environment.js';
import type { GoEnv, GoVariable } from '../../src/config/goenv.js';
import { parseGoproxy } from '../../src/config/goproxy.js';
import { escapePath, joinUrl, parseGoUrl, redactUrl, splitHost } from '../../src/config/gourl.js';
import { httpProxies } from '../../src/config/httpproxy.js';
import { loginFor, parseGoauth, parseNetrc } from '../../src/config/netrc.js';
import { defaultCacheFile, flagFromEnv, flagVariable } from '../../src/config/options.js';
import { privateModules } from '../../src/config/private.js';
import { parseSumdb, SUM_GOLANG_ORG } from '../../src/config/sumdb.js';
import { formatVerifierKey, newVerifierKey } from '../../src/core/key.js';
import { isGosumError } from '../../src/errors.js';

/** The result of a parser, or the code of its error. */
function result<T>(parse: () => T): T | string {
  try {
    return parse();
  } catch (error) {
    if (isGosumError(error)) return error.code;
    throw error;
  }
}

t.test('URLs, as Go reads them', (t) => {
  const show = (text: string): string =>
    result(() => {
      const { scheme, opaque, user, host, path, escapedPath, query, fragment } = parseGoUrl(text);
      return [scheme, opaque, user && `${user.name}:${user.password}`, host, path, escapedPath, query, fragment].join('|');
    });
  // scheme|opaque|user|host|path|path as sent|query|fragment; checked against net/url of go1.26
  const cases: Record<string, string> = {
    'https://proxy.example': 'https|||proxy.example||||',
    'HTTPS://Proxy.example:8080/a/../b/': 'https|||Proxy.example:8080|/a/../b/|/a/../b/||',
    'https://u:p%40@proxy.example/x?y=1?z#f': 'https||u:p@|proxy.example|/x|/x|y=1?z|f',
    'https://u@v@proxy.example': 'https||u@v:|proxy.example||||',
    'https://proxy.example/a%2fb%41 é!': 'https|||proxy.example|/a/bA é!|/a/bA%20%C3%A9%21||',
    'https://proxy.example/a%2fb!': 'https|||proxy.example|/a/b!|/a%2fb!||',
    'file:///a/b': 'file||||/a/b|/a/b||',
    'file:a/b?c': 'file|a/b|||||c|',
    '//proxy.example/x': '|||proxy.example|/x|/x||',
    '///x': '||||///x|///x||',
    'https://[::1]:80/': 'https|||[::1]:80|/|/||',
    'https://h:': 'https|||h:||||',
    'proxy.example': '||||proxy.example|proxy.example||',
    '': '|||||||',
  };
  for (const [text, parts] of Object.entries(cases)) t.equal(show(text), parts, text);
  const bad = [
    ':x', '1a:b', 'https://h:p', 'https://h:1:2', 'https://[::1', 'https://[x]/', 'https://[1.2.3.4]/',
    'https://x[::1]', 'https://h h/', 'https://h\\x', 'https://h%41', 'https://h/%zz', 'https://h/%4', 'https://a b@h/', 'https://h/\n',
    'https://h/\x7f',
  ];
  for (const text of bad) t.equal(show(text), 'CONFIG_INVALID', JSON.stringify(text));
  t.end();
});

t.test('URLs: join, redact, hosts', (t) => {
  const join = (url: string, path: string): string => joinUrl(parseGoUrl(url), path).escapedPath;
  t.equal(join('https://h', '/lookup/example.com/!a@v1.0.0'), '/lookup/example.com/!a@v1.0.0');
  t.equal(join('https://h/a%2fb/', 'x'), '/a%2fb/x');
  t.equal(join('https://h/a', '/x y'), '/a/x%20y');
  t.equal(joinUrl(parseGoUrl('https://h/a?q'), 'x').query, 'q');
  t.equal(escapePath('/~a!b*é%'), '/~a%21b%2A%C3%A9%25');
  t.equal(redactUrl(parseGoUrl('https://user:secret@h:1/p?token#f')), 'https://h:1/p');
  t.equal(redactUrl(parseGoUrl('https://token@h')), 'https://h');
  t.equal(redactUrl(parseGoUrl('file:c:/x')), 'file:c:/x');
  t.same(splitHost('h:80'), { hostname: 'h', port: 80 });
  t.same(splitHost('h:'), { hostname: 'h', port: undefined });
  t.same(splitHost('[::1]'), { hostname: '::1', port: undefined });
  t.same(splitHost('[::1]:1'), { hostname: '::1', port: 1 });
  t.end();
});

t.test('GOSUMDB', (t) => {
  const sumdb = (value: string): unknown =>
    result(() => {
      const { key, name, direct, url, source } = parseSumdb({ value, from: 'here' });
      t.equal(key.name, name);
      t.equal(source, 'here');
      return [name, redactUrl(direct), url && redactUrl(url)].join(' ');
    });
  const keyOf = (name: string): string => formatVerifierKey(newVerifierKey(name, new Uint8Array(32).fill(7)));
  const cases: [string, string][] = [
    ['sum.golang.org', 'sum.golang.org https://sum.golang.org '],
    [SUM_GOLANG_ORG, 'sum.golang.org https://sum.golang.org '],
    ['sum.golang.google.cn', 'sum.golang.org https://sum.golang.org https://sum.golang.google.cn'],
    [' sum.golang.org\thttps://mirror.example/a?b ', 'sum.golang.org https://sum.golang.org https://mirror.example/a'],
    [`${keyOf('log.example:8443/a/b')} file:///x`, 'log.example:8443/a/b https://log.example:8443/a/b file:///x'],
    [`${keyOf('log.example')} //mirror.example`, 'log.example https://log.example //mirror.example'],
    ['off', 'SUMDB_OFF'],
  ];
  for (const [value, want] of cases) t.equal(sumdb(value), want, value);
  const bad = [
    '', ' ', 'off ', 'sum.golang.google.cn ', 'unknown.example', 'SUM.GOLANG.ORG', 'sum.golang.org a b', 'sum.golang.org https://',
    'sum.golang.org mirror.example', 'sum.golang.org ftp://mirror.example', 'sum.golang.org https://h:p', `${SUM_GOLANG_ORG}x`,
    'sum.golang.google.cn https://sum.golang.google.cn',
    ...['a/', 'a?b', 'a#b', 'a?', 'u@a', 'a%41', '/a', 'a:b', 'a/%41'].map(keyOf),
  ];
  for (const value of bad) t.equal(sumdb(value), 'CONFIG_INVALID', JSON.stringify(value));

  // a signer key in the wrong place must not end up in a message
  const secret = 'PRIVATE+KEY+log.example+12345678+c2VjcmV0';
  t.notMatch(t.throws(() => parseSumdb({ value: secret, from: 'here' })), /c2VjcmV0/);
  t.end();
});

t.test('GOPROXY', (t) => {
  const list = (value: string, platform: NodeJS.Platform = 'linux'): unknown =>
    result(() =>
      parseGoproxy({ value, from: 'here' }, openEnvironment({}, platform))
        .map((entry) => (entry.kind === 'url' ? redactUrl(entry.url) + (entry.fallBackOnError ? '|' : ',') : entry.kind))
        .join(' '),
    );
  const cases: Record<string, string> = {
    direct: 'direct',
    'off': 'off',
    'https://a.example,direct': 'https://a.example, direct',
    'https://a.example|https://b.example/x/': 'https://a.example| https://b.example/x/,',
    ' a.example , http://b.example\u0085|': 'https://a.example, http://b.example|',
    'localhost:8080': 'https://localhost:8080,',
    'a.example/x': 'https://a.example/x,',
    'file:///a/b%20c': 'file:///a/b%20c,',
    ',,|direct': 'direct',
    'off,not a url': 'off',
    'direct|:bad:': 'direct',
    'https://u:secret@a.example': 'https://a.example,',
    'https://a.example?x': 'https://a.example,',
  };
  for (const [value, want] of Object.entries(cases)) t.equal(list(value), want, value);
  const bad = [
    '', ' ', ',', '|,', 'word', 'ftp://a.example', '/a/b', 'file://localhost/a', 'file:/a', 'file:a', 'file:///a?b', 'file:///a#b',
    'file://u@/a', 'https://a b.example', '//a.example', 'https://a.example:x', 'none,direct',
  ];
  for (const value of bad) t.equal(list(value), 'CONFIG_INVALID', JSON.stringify(value));
  t.equal(list('C:\\x', 'win32'), 'CONFIG_INVALID');
  t.end();
});

t.test('private modules', (t) => {
  const go = (values: Partial<Record<GoVariable, string>>): GoEnv => ({
    warnings: [],
    get: (name) => ({ value: values[name] ?? '', from: 'here' }),
  });
  const skipped = (values: Partial<Record<GoVariable, string>>, path: string): string | undefined =>
    privateModules(go(values)).skippedBy(path);
  t.equal(skipped({ GOPRIVATE: 'rsc.io,*.corp.example' }, 'rsc.io/x'), 'rsc.io');
  t.equal(skipped({ GOPRIVATE: '*.corp.example' }, 'git.corp.example/x'), '*.corp.example');
  t.equal(skipped({ GOPRIVATE: 'a.example', GONOSUMDB: 'b.example' }, 'a.example/x'), undefined, 'GONOSUMDB replaces GOPRIVATE');
  t.equal(skipped({ GOPRIVATE: 'a.example', GONOSUMDB: 'none' }, 'a.example/x'), undefined);
  t.equal(skipped({}, 'a.example'), undefined);

  const all = { GOPRIVATE: '*' };
  t.equal(skipped({ ...all, GOPROXY: 'https://proxy.example' }, 'golang.org/toolchain'), undefined);
  t.equal(skipped({ ...all, GOPROXY: 'file:///x' }, 'golang.org/toolchain'), '*');
  t.equal(skipped({ ...all, GOPROXY: 'file:///x,direct' }, 'golang.org/toolchain'), undefined);
  t.equal(skipped({ ...all, GOPROXY: 'file:///x' }, 'golang.org/x/text'), '*');

  const { variable, source, warnings } = privateModules(go({ GONOSUMDB: 'a.example, b.example' }));
  t.same([variable, source, warnings.length], ['GONOSUMDB', 'here', 1]);
  t.equal(privateModules(go(all)).variable, 'GOPRIVATE');
  t.end();
});

t.test('durations', (t) => {
  const cases: Record<string, number> = {
    '0': 0, '-0': 0, '+0': 0, '0s': 0, '1m30s': 90_000, '300ms': 300, '1.5h': 5_400_000, '-1.5h': -5_400_000, '2h45m': 9_900_000,
    '.5s': 500, '1.s': 1000, '1us': 0.001, '1µs': 0.001, '1μs': 0.001, '1ns': 0.000001, '0.1ns': 0, '1h1h': 7_200_000, '1s1h': 3_601_000,
    '0.100000000000000000000h': 360_000, '9223372036854775807ns': 9223372036854.775807, '-9223372036854775808ns': -9223372036854.775808,
  };
  for (const [text, want] of Object.entries(cases)) t.equal(parseDuration(text), want, text);
  const bad = ['', '-', '+', '1', '10', 's', '.', '.s', '-.s', '1d', '1S', '1 s', ' 1s', '1s ', '1ms2', '--1s', '1e3s', '1,5s', '9223372036854775808ns', '2562048h', '1m 30s'];
  for (const text of bad) t.equal(result(() => parseDuration(text)), 'CONFIG_INVALID', JSON.stringify(text));
  t.end();
});

t.test('gosumcheck’s own variables and cache', (t) => {
  t.equal(flagVariable('--foo-bar'), 'GOSUMCHECK_FOO_BAR');
  t.equal(flagVariable('cache'), 'GOSUMCHECK_CACHE');
  const env = openEnvironment({ GOSUMCHECK_NO_PROGRESS: '1', GOSUMCHECK_CACHE: '' }, 'linux');
  t.equal(flagFromEnv(env, '--no-progress'), '1');
  t.equal(flagFromEnv(env, '--cache'), undefined);
  const cache = (variables: Variables, platform: NodeJS.Platform): string | undefined =>
    defaultCacheFile(openEnvironment(variables, platform));
  t.equal(cache({ HOME: '/h' }, 'linux'), path.posix.join('/h', '.cache', 'gosumcheck', 'cache.db'));
  t.equal(cache({ HOME: '/h' }, 'darwin'), '/h/Library/Caches/gosumcheck/cache.db');
  t.equal(cache({ LocalAppData: 'C:\\l' }, 'win32'), 'C:\\l\\gosumcheck\\cache.db');
  t.equal(cache({}, 'linux'), undefined);
  t.end();
});

t.test('netrc', (t) => {
  const text = [
    'machine a.example login u1 password p1 machine b.example', ' login u2', ' account x', ' password p2', '',
    'machine half.example login u', 'machine c.example/x password p3 login u3',
    'machine macro.example macdef m login u4 password p4', 'machine inside.example login no password no', '',
    'login stray password stray', 'default', 'machine late.example login no password no',
  ].join('\n');
  t.same(
    parseNetrc(text).map(({ machine, user, password }) => `${machine} ${user} ${password}`),
    ['a.example u1 p1', 'b.example u2 p2', 'c.example/x u3 p3', 'macro.example u4 p4'],
  );
  t.same(parseNetrc('machine a login b password'), []);
  t.same(parseNetrc(''), []);

  const logins = parseNetrc('machine a.example login 1 password p\nmachine a.example/x/ login 2 password p\nmachine a.example login 3 password p\nmachine https://b.example:1 login 4 password p');
  const user = (hostAndPath: string): string | undefined => loginFor(logins, hostAndPath)?.user;
  t.equal(user('a.example/y'), '1', 'of equal machines the first');
  t.equal(user('a.example/x/y/z'), '2', 'the longest prefix');
  t.equal(user('a.example/xy'), '1', 'of whole elements');
  t.equal(user('a.example/'), '1');
  t.equal(user('b.example:1/x'), '4');
  t.equal(user('b.example/x'), undefined);
  t.equal(user('x.a.example/'), undefined);
  t.equal(loginFor([], 'a.example'), undefined);
  t.end();
});

t.test('GOAUTH', (t) => {
  const folder = t.testdir({ '.netrc': 'machine a login b password c', other: 'machine d login e password f', _netrc: 'machine g login h password i' });
  const auth = (value: string, variables: Variables = { HOME: folder }, platform: NodeJS.Platform = 'linux'): unknown =>
    result(() => {
      const { logins, warnings } = parseGoauth({ value, from: 'here' }, openEnvironment(variables, platform));
      return `${logins.map(({ machine }) => machine).join()} ${warnings.length}`;
    });
  t.equal(auth(''), 'a 0');
  t.equal(auth('netrc'), 'a 0');
  t.equal(auth('off'), ' 0');
  t.equal(auth('git /x; netrc'), 'a 1');
  t.equal(auth('/bin/helper --flag;git /x'), ' 2');
  for (const bad of [';', 'netrc;', 'off;netrc']) t.equal(auth(bad), 'CONFIG_INVALID', bad);
  t.equal(auth('', { HOME: folder, NETRC: path.join(folder, 'other') }), 'd 0');
  t.equal(auth('', { HOME: path.join(folder, 'missing') }), ' 0');
  t.equal(auth('', {}), ' 0');
  t.equal(auth('', { HOME: folder, NETRC: folder }), ' 1', 'an unreadable file is said');
  if (process.platform === 'win32') t.equal(auth('', { USERPROFILE: folder }, 'win32'), 'g 0');
  t.end();
});

t.test('HTTP proxies, as Go chooses them', (t) => {
  const choose = (variables: Variables, url: string): unknown =>
    result(() => {
      const { protocol, hostname, port } = new URL(url);
      const secure = protocol === 'https:';
      const target = { secure, hostname: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80)) };
      const proxy = httpProxies(openEnvironment(variables, 'linux'))(target);
      return proxy === undefined ? 'none' : `${proxy.scheme} ${proxy.host}`;
    });
  const both = { HTTP_PROXY: 'http://p1:1', HTTPS_PROXY: 'p2:2' };
  t.equal(choose(both, 'http://a.example'), 'http p1:1');
  t.equal(choose(both, 'https://a.example'), 'http p2:2');
  t.equal(choose({ https_proxy: 'https://low' }, 'https://a.example'), 'https low');
  t.equal(choose({ HTTPS_PROXY: 'http://high', https_proxy: 'http://low' }, 'https://a.example'), 'http high');
  t.equal(choose({ HTTP_PROXY: 'http://p1' }, 'https://a.example'), 'none', 'HTTPS_PROXY does not default to HTTP_PROXY');
  t.equal(choose({ ALL_PROXY: 'http://p' }, 'https://a.example'), 'none');
  t.equal(choose({ HTTPS_PROXY: 'http://%zz' }, 'https://a.example'), 'none', 'what is no URL is passed over');
  t.equal(choose({ HTTPS_PROXY: 'socks5://p' }, 'https://a.example'), 'CONFIG_INVALID');
  t.equal(choose({ HTTPS_PROXY: 'socks5://p', NO_PROXY: 'a.example' }, 'https://a.example'), 'none');
  t.equal(choose({ ...both, REQUEST_METHOD: 'GET' }, 'http://a.example'), 'CONFIG_INVALID');
  t.equal(choose({ ...both, REQUEST_METHOD: 'GET' }, 'https://a.example'), 'http p2:2');
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', '[::ffff:127.0.0.1]']) {
    t.equal(choose(both, `https://${host}:8443`), 'none', `${host} is never asked through a proxy`);
  }

  const spared: Record<string, readonly [spared: readonly string[], not: readonly string[]]> = {
    '*': [['https://a.example', 'http://10.0.0.1'], []],
    'a.example': [['https://a.example', 'https://x.a.example', 'https://A.EXAMPLE'], ['https://xa.example', 'https://a.example.org']],
    '.a.example': [['https://x.a.example'], ['https://a.example']],
    '*.a.example': [['https://x.a.example'], ['https://a.example']],
    ' A.Example , b.example': [['https://a.example', 'https://b.example'], ['https://c.example']],
    'a.example b.example': [[], ['https://a.example', 'https://b.example']],
    'a.example:8443': [['https://a.example:8443'], ['https://a.example']],
    '10.0.0.0/8': [['https://10.1.2.3', 'https://[::ffff:10.1.2.3]'], ['https://11.1.2.3', 'https://a.example']],
    '10.0.0.0/33, 10.1/8': [[], ['https://10.1.2.3']],
    '10.1.2.3': [['https://10.1.2.3'], ['https://10.1.2.4']],
    '10.1.2.3:443': [['https://10.1.2.3'], ['http://10.1.2.3']],
    'fd00::/8': [['https://[fd12::1]'], ['https://[fe80::1]']],
    'fd00::1': [['https://[fd00::1]'], ['https://[fd00::2]']],
    '[fd00::1]:443': [['https://[fd00::1]'], ['http://[fd00::1]']],
    '[fd00::1]': [[], ['https://[fd00::1]']],
    ',:80,': [[], ['http://a.example']],
  };
  for (const [NO_PROXY, [yes, no]] of Object.entries(spared)) {
    for (const url of yes) t.equal(choose({ ...both, NO_PROXY }, url), 'none', `${NO_PROXY} spares ${url}`);
    for (const url of no) t.not(choose({ ...both, NO_PROXY }, url), 'none', `${NO_PROXY} does not spare ${url}`);
  }
  t.equal(choose({ ...both, no_proxy: 'a.example' }, 'https://a.example'), 'none');
  t.end();
});
