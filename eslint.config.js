import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The house's rooms, lowest first: each may import from itself, from the rooms named behind it, and from the outside
 * packages named last. Dependencies point one way, and each outside package has one room.
 */
const GROUND = ['core', 'errors', 'contract'];
const ROOMS = {
  core: { from: ['errors'], packages: ['@noble/hashes', '@noble/ed25519'] },
  config: { from: GROUND },
  client: { from: GROUND },
  transport: { from: [...GROUND, 'config'] },
  store: { from: GROUND, packages: ['better-sqlite3'] },
  dirhash: { from: GROUND },
  verify: { from: [...GROUND, 'client'] },
  modcache: { from: [...GROUND, 'client', 'dirhash', 'verify'] },
  whole: { from: [...GROUND, 'client'] },
  log: { from: [...GROUND, 'client', 'whole'] },
  mirror: { from: [...GROUND, 'client', 'whole'], packages: ['lru-cache', 'cockatiel'] },
  server: { from: GROUND, packages: ['prom-client', 'pino'] },
  report: { from: [...GROUND, 'verify'] },
  testing: { from: [...GROUND, 'client', 'store', 'transport', 'verify'] },
  cli: {
    from: [...GROUND, 'config', 'client', 'transport', 'store', 'dirhash', 'modcache', 'whole', 'log', 'mirror', 'server', 'verify', 'report'],
    packages: ['commander'],
  },
};
/** The package's entries, which nothing inside imports. */
const ENTRIES = ['index', 'note', 'tlog', 'gosum', 'dirhash'];
const ALL_ROOMS = Object.keys(ROOMS);
const ALL_PACKAGES = Object.values(ROOMS).flatMap((room) => room.packages ?? []);

function fence(room) {
  const { from, packages = [] } = ROOMS[room];
  const closedRooms = [...ALL_ROOMS, ...ENTRIES].filter((other) => other !== room && !from.includes(other));
  const closedPackages = ALL_PACKAGES.filter((name) => !packages.includes(name));
  const patterns = [
    { regex: `^(\\.\\./)+(${closedRooms.join('|')})(/|\\.js$)`, message: `${room} may import from ${from.join(', ')} alone` },
    { group: closedPackages.flatMap((name) => [name, `${name}/*`]), message: 'each outside package is imported in one room' },
  ];
  if (room === 'core') patterns.push({ group: ['node:*'], message: 'the core is pure; node: stands behind #crypto' });
  return { files: [`src/${room}/**/*.ts`], rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

const PROVED_CAST = {
  selector: 'TSAsExpression TSTypeReference[typeName.name="Proved"]',
  message: 'only the core’s own checks make a Proved value',
};

export default defineConfig(
  { ignores: ['dist/**', '.tap/**', 'node_modules/**', 'coverage/**', 'test/go/**'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js', 'bin/*.js'] } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      curly: ['error', 'multi-line'],
      'no-default-export': 'off',
      'object-shorthand': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  ...ALL_ROOMS.map(fence),
  {
    files: ['src/core/crypto/node.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  { files: ['src/core/**/*.ts'], rules: { 'no-bitwise': 'error' } },
  { files: ['src/**/*.ts'], ignores: ['src/core/**'], rules: { 'no-restricted-syntax': ['error', PROVED_CAST] } },
  {
    // tap's own types are looser than ours, and a test says what it expects by failing
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  { files: ['bin/*.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
