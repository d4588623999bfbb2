import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { cacheFolder, configFolder, homeFolder, openEnvironment, type Variables } from '../../src/config/environment.js';
import { goFolders, readGoEnv, type GoVariable } from '../../src/config/goenv.js';
import { readSettings } from '../../src/config/settings.js';
import { isGosumError } from '../../src/errors.js';

const NAMES: GoVariable[] = ['GOSUMDB', 'GOPROXY', 'GONOSUMDB', 'GOPRIVATE', 'GOAUTH', 'GOPATH', 'GOMODCACHE'];
const EXE = process.platform === 'win32' ? 'go.exe' : 'go';
const posix = process.platform !== 'win32';

/** A folder with a home, a GOROOT and an environment that knows both. */
function machine(test: Test, files: Record<string, string>): { folder: string; home: Variables } {
  const folder = realpathSync(test.testdir({}));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll('FOLDER', folder));
    if (path.basename(file) === EXE) chmodSync(file, 0o755);
  }
  const home = path.join(folder, 'home');
  return { folder, home: { HOME: home, USERPROFILE: home, AppData: path.join(home, '.config'), XDG_CONFIG_HOME: path.join(home, '.config') } };
}

const USER_FILE = 'home/.config/go/env';

t.test('environment, then the user file, then GOROOT/go.env', async (t) => {
  const { folder, home } = machine(t, {
    [USER_FILE]: 'GOPROXY=https://user.example\nGOPRIVATE=\n#GOAUTH=off\n gosumdb=off\nNONSENSE\nGOMODCACHE= spaced \nGOPATH=/a=b\r\n',
    'go/go.env': '# defaults\nGOPROXY=https://root.example\nGOSUMDB=root.example\nGOPRIVATE=root.example\nGOAUTH=off\n',
    [`go/bin/${EXE}`]: '',
    'go/pkg/tool/x': '',
  });
  const go = await readGoEnv(openEnvironment({ ...home, PATH: path.join(folder, 'go/bin'), GOAUTH: 'netrc', GOSUMDB: '' }));
  const userFile = path.join(folder, ...USER_FILE.split('/'));
  const rootFile = path.join(folder, 'go', 'go.env');
  const found = Object.fromEntries(NAMES.map((name) => [name, go.get(name)]));
  t.same(found, {
    GOSUMDB: { value: 'root.example', from: rootFile }, // empty in the environment is unset
    GOPROXY: { value: 'https://user.example', from: userFile },
    GONOSUMDB: { value: '', from: 'default' },
    GOPRIVATE: { value: '', from: userFile }, // empty in the user's file is set
    GOAUTH: { value: 'netrc', from: 'environment' },
    GOPATH: { value: '/a=b\r', from: userFile },
    GOMODCACHE: { value: ' spaced ', from: userFile },
  });
  t.same(go.warnings, []);
});

t.test('GOENV names another file, or none', async (t) => {
  const { folder, home } = machine(t, { [USER_FILE]: 'GOSUMDB=user\n', other: 'GOSUMDB=other\n' });
  const read = async (GOENV: string): Promise<string> =>
    (await readGoEnv(openEnvironment({ ...home, GOENV }))).get('GOSUMDB').value;
  t.equal(await read(''), 'user');
  t.equal(await read(path.join(folder, 'other')), 'other');
  t.equal(await read('off'), 'sum.golang.org');
  t.equal(await read(path.join(folder, 'missing')), 'sum.golang.org');
});

t.test('no go command: the log itself is asked', async (t) => {
  const go = await readGoEnv(openEnvironment({ HOME: t.testdir({}), PATH: t.testdir({}) }));
  t.same(go.get('GOSUMDB'), { value: 'sum.golang.org', from: 'default' });
  t.same(go.get('GOPROXY'), { value: 'direct', from: 'default' });
  t.same(go.get('GOPRIVATE'), { value: '', from: 'default' });
});

t.test('GOROOT is found as the go command finds it', async (t) => {
  const { folder, home } = machine(t, {
    'real/go.env': 'GOSUMDB=real',
    [`real/bin/${EXE}`]: '',
    'real/pkg/tool/x': '',
    'cross/go.env': 'GOSUMDB=cross',
    [`cross/bin/linux_arm/${EXE}`]: '',
    'cross/pkg/tool/x': '',
    'set/go.env': 'GOSUMDB=set',
    'userset/go.env': 'GOSUMDB=userset',
    'userenv': 'GOROOT=FOLDER/userset',
    'none/go': '',
  });
  const at = (name: string): string => path.join(folder, name);
  if (posix) {
    mkdirSync(at('links'));
    symlinkSync(at('real/bin/go'), at('links/go'));
    writeFileSync(at('none/go'), '', { mode: 0o644 });
    chmodSync(at('none/go'), 0o644);
  }
  const read = async (variables: Variables): Promise<string> =>
    (await readGoEnv(openEnvironment({ ...home, ...variables }))).get('GOSUMDB').value;
  t.equal(await read({ PATH: at('real/bin') }), 'real');
  t.equal(await read({ PATH: at('cross/bin/linux_arm') }), 'cross');
  const relative = path.relative('', at('cross/bin/linux_arm'));
  t.equal(await read({ PATH: [relative, '', at('missing'), at('real/bin')].join(path.delimiter) }), 'real', 'as Go, not by a relative path');
  t.equal(await read({ PATH: at('real/bin'), GOROOT: at('set') }), 'set');
  t.equal(await read({ PATH: at('real/bin'), GOROOT: at('set'), GOENV: at('userenv') }), 'userset');
  if (posix) {
    t.equal(await read({ PATH: at('links') }), 'real', 'through a link');
    t.equal(await read({ PATH: [at('none'), at('cross/bin/linux_arm')].join(':') }), 'cross', 'what cannot be executed is no go command');
  }
});

t.test('a wrapper script is asked, once, and its failure is said', { skip: posix ? false : 'needs a shell script' }, async (t) => {
  const { folder, home } = machine(t, {
    'wrap/go': `#!/bin/sh\necho "$@ $GOTOOLCHAIN $GOFLAGS" >> FOLDER/calls\necho '{"GOSUMDB":"wrapped.example","GOPROXY":""}'\n`,
    'fails/go': '#!/bin/sh\nexit 1\n',
    'babbles/go': '#!/bin/sh\necho go\n',
    [USER_FILE]: 'GOPROXY=https://user.example\n',
  });
  const read = (name: string): ReturnType<typeof readGoEnv> =>
    readGoEnv(openEnvironment({ ...home, PATH: `${path.join(folder, name)}:/usr/bin:/bin`, GOFLAGS: '-mod=mod' }));
  const wrapped = await read('wrap');
  t.same(wrapped.get('GOSUMDB'), { value: 'wrapped.example', from: 'go env' });
  t.equal(wrapped.get('GOPROXY').value, 'https://user.example');
  t.equal(
    execFileSync('cat', [path.join(folder, 'calls')], { encoding: 'utf8' }),
    'env -json GOSUMDB GOPROXY GONOSUMDB GONOPROXY GOPRIVATE GOAUTH GOPATH GOMODCACHE local \n',
  );
  for (const name of ['fails', 'babbles']) {
    const go = await read(name);
    t.equal(go.get('GOSUMDB').value, 'sum.golang.org');
    t.equal(go.warnings.length, 1, name);
  }
});

t.test('the same as the go command', async (t) => {
  const goroot = goCommand(['env', 'GOROOT']);
  if (goroot === undefined) {
    t.comment('no go command here: not compared');
    t.pass();
    return;
  }
  const files = [
    '',
    'GOSUMDB=off\nGOPRIVATE=a.example,b.example\nGOPATH=/tmp/one:/tmp/two\n',
    'GOPROXY=\nGOSUMDB=\n',
    'GOAUTH=\nGOMODCACHE=/tmp/cache\nGOSUMDB=x y \r\nGOSUMDB=last\n=\nGOPROXY\n',
  ];
  // without it, the go command would still be writing its telemetry when the folder is removed
  const quiet = { 'home/.config/go/telemetry/mode': 'off', 'home/Library/Application Support/go/telemetry/mode': 'off' };
  for (const [i, file] of files.entries()) {
    const { home } = machine(t, { ...quiet, [USER_FILE]: file });
    const variables = { ...home, PATH: process.env.PATH, ...(i % 2 === 1 ? { GONOSUMDB: 'c.example' } : {}) };
    const env = openEnvironment(variables);
    const go = await readGoEnv(env);
    const folders = goFolders(go, env);
    const theirs = JSON.parse(goCommand(['env', '-json', ...NAMES], variables) ?? '') as Record<GoVariable, string>;
    t.equal(go.get('GOSUMDB').value, theirs.GOSUMDB);
    t.equal(go.get('GOPROXY').value, theirs.GOPROXY);
    t.equal(go.get('GOPRIVATE').value, theirs.GOPRIVATE);
    t.equal(go.get('GONOSUMDB').value || go.get('GOPRIVATE').value, theirs.GONOSUMDB);
    t.equal(go.get('GOAUTH').value || 'netrc', theirs.GOAUTH);
    t.equal(folders.gopath, theirs.GOPATH.split(path.delimiter)[0]);
    t.equal(folders.gomodcache, theirs.GOMODCACHE);
  }
});

t.test('folders of the go command', async (t) => {
  const folders = async (variables: Variables): Promise<unknown> => {
    const env = openEnvironment({ GOENV: 'off', ...variables }, 'linux');
    return goFolders(await readGoEnv(env), env);
  };
  t.same(await folders({ HOME: '/home/gopher' }), { gopath: '/home/gopher/go', gomodcache: '/home/gopher/go/pkg/mod' });
  t.same(await folders({ GOPATH: '/a:/b' }), { gopath: '/a', gomodcache: '/a/pkg/mod' });
  t.same(await folders({ GOPATH: ':/b' }), { gopath: undefined, gomodcache: undefined });
  t.same(await folders({ GOPATH: 'relative', GOMODCACHE: '/cache' }), { gopath: undefined, gomodcache: '/cache' });
  t.same(await folders({ GOMODCACHE: 'relative' }), { gopath: undefined, gomodcache: undefined });
});

t.test('the system’s own folders', (t) => {
  const all = (variables: Variables, platform: NodeJS.Platform): unknown[] => {
    const env = openEnvironment(variables, platform);
    return [homeFolder(env), configFolder(env), cacheFolder(env)];
  };
  t.same(all({ HOME: '/h' }, 'linux'), ['/h', '/h/.config', '/h/.cache']);
  t.same(all({ HOME: '/h', XDG_CONFIG_HOME: '/c', XDG_CACHE_HOME: '/k' }, 'linux'), ['/h', '/c', '/k']);
  t.same(all({ HOME: '/h', XDG_CONFIG_HOME: 'c', XDG_CACHE_HOME: 'k' }, 'linux'), ['/h', undefined, undefined]);
  t.same(all({ HOME: '/h', XDG_CACHE_HOME: '/k' }, 'darwin'), ['/h', '/h/Library/Application Support', '/h/Library/Caches']);
  t.same(all({ HOME: '/h' }, 'win32'), [undefined, undefined, undefined]);
  t.same(all({ userprofile: 'C:\\u', APPDATA: 'C:\\r', localappdata: 'C:\\l' }, 'win32'), ['C:\\u', 'C:\\r', 'C:\\l']);
  t.same(all({ home: '/h', HOME: '' }, 'linux'), [undefined, undefined, undefined]);
  t.end();
});

t.test('settings, together', async (t) => {
  const settings = await readSettings({
    env: openEnvironment({
      GOENV: 'off',
      HOME: t.testdir({ '.netrc': 'machine proxy.example login u password p' }),
      GOPROXY: 'https://proxy.example,direct',
      GOPRIVATE: 'a.example, b.example',
      GOAUTH: 'git /x; netrc',
    }),
  });
  t.equal(settings.sumdb.name, 'sum.golang.org');
  t.same(settings.proxies.map(({ kind }) => kind), ['url', 'direct']);
  t.equal(settings.privateModules.skippedBy('a.example/x'), 'a.example');
  t.same(settings.auth.logins, [{ machine: 'proxy.example', user: 'u', password: 'p' }]);
  t.equal(settings.warnings.length, 2, 'the untrimmed pattern, and GOAUTH=git');

  const read = (variables: Variables, sumdb?: string): Promise<string> =>
    readSettings({
      env: openEnvironment({ GOENV: 'off', ...variables }),
      ...(sumdb === undefined ? {} : { sumdb: { value: sumdb, from: '--sumdb' } }),
    }).then(
      (found) => found.sumdb.source,
      (error: unknown) => (isGosumError(error) ? error.code : String(error)),
    );
  t.equal(await read({ GOSUMDB: 'off' }), 'SUMDB_OFF');
  t.equal(await read({ GOSUMDB: 'off' }, 'sum.golang.org'), '--sumdb');
  t.equal(await read({ GOPROXY: ',' }), 'CONFIG_INVALID');
  t.equal(await read({ GOPROXY: ',', GOSUMDB: 'sum.golang.org https://sum.example' }), 'environment', 'GOPROXY is not looked at');
  t.equal(await read({ GOAUTH: 'off;netrc' }), 'CONFIG_INVALID');
});

function goCommand(args: string[], variables?: Variables): string | undefined {
  try {
    return execFileSync('go', args, { encoding: 'utf8', env: { ...(variables ?? process.env), GOTOOLCHAIN: 'local' } }).trim();
  } catch {
    return undefined;
  }
}
