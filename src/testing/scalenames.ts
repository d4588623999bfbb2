/**
 * The names of a scale log: the path of module m, the spelling of its version k, and the way back from both.
 *
 * Eight modules, m with the same m >> 3, are of one owner: a repository, its `/v2`, a module in a folder of it, and others.
 * The owner's name spells a number of 24 bits, a permutation of m >> 3, in syllables; everything else is drawn by hashes of
 * numbers. So names are as long and as hard to compress as real ones, no two modules share a path, and a path leads back to its
 * module: the syllables give the owner, and one of the owner's eight paths is the one.
 *
 * Shares were chosen after real go.sum files (fixtures/, and the log itself, where untagged commits are more frequent).
 */

import { mix, put, putNumber, putTime, scramble, unscramble } from './scalebytes.js';
import { FIRST_MODULE } from './scaleorder.js';

/** The names of one log. */
export class ScaleNames {
  readonly #seed: number;

  /** @param seed 32 bits. */
  constructor(seed: number) {
    this.#seed = seed >>> 0;
  }

  /** Writes the path of module `m` at `at`, and gives where it ends. At most 110 bytes. */
  writePath(out: Uint8Array, at: number, m: number): number {
    const owner = m >>> 3;
    const hash = mix(this.#seed, owner);
    const host = pick(HOSTS, hash);
    at = put(out, at, host);
    const named = at;
    at = this.#writeOwner(out, at, owner, hash);
    if (host === GITHUB && hash % 9 === 0) out[named] = (out[named] ?? 0) - 32; // a capital
    out[at++] = SLASH;
    const place = m & 7;
    const [repository = 0, major = 0, folder = 0] = LAYOUTS[place] ?? [];
    at = this.#writeRepository(out, at, mix(hash, 1), repository);
    if (host === GOPKG) {
      // gopkg.in has its major version behind a dot, and no folders: the place makes it another one
      at = put(out, at, DOT_V);
      return putNumber(out, at, place);
    }
    if (folder > 0) {
      out[at++] = SLASH;
      at = put(out, at, WORDS[(mix(hash, 2) + 57 * folder) % WORDS.length] ?? NOTHING);
      if (hash % 8 === 0) {
        out[at++] = SLASH;
        at = put(out, at, WORDS[mix(hash, 3) % WORDS.length] ?? NOTHING);
      }
    }
    if (major > 0) {
      at = put(out, at, SLASH_V);
      at = putNumber(out, at, major);
    }
    return at;
  }

  /** The module of a path; `undefined` where it is none of this log's names. Whether the log is long enough is not asked. */
  moduleOf(path: string): number | undefined {
    const bytes = Buffer.from(path, 'latin1');
    const scratch = new Uint8Array(256);
    const name = /^[^/]*\/(?:x\/)?([^/]*)\//.exec(path)?.[1] ?? '';
    const number = parseSyllables(name.toLowerCase());
    if (number === undefined) return undefined;
    const owner = unscramble(number, this.#seed);
    for (let m = 8 * owner; m < 8 * owner + 8; m++) {
      if (m >= FIRST_MODULE && bytes.equals(scratch.subarray(0, this.writePath(scratch, 0, m)))) return m;
    }
    return undefined;
  }

  #writeOwner(out: Uint8Array, at: number, owner: number, hash: number): number {
    const number = scramble(owner, this.#seed);
    for (let shift = 18; shift >= 0; shift -= 6) {
      const syllable = (number >>> shift) & 63;
      out[at++] = ONSETS.charCodeAt(syllable >>> 2);
      out[at++] = VOWELS.charCodeAt(syllable & 3);
    }
    return put(out, at, ENDS[(hash >>> 8) % ENDS.length] ?? NOTHING);
  }

  /** The name of an owner's repository. Those of one owner differ in their first word. */
  #writeRepository(out: Uint8Array, at: number, hash: number, n: number): number {
    const own = mix(hash, n);
    if (own % 4 === 0) at = put(out, at, GO_DASH);
    at = put(out, at, WORDS[(hash + 57 * n) % WORDS.length] ?? NOTHING);
    if (own % 16 < 10) {
      if (own % 3 > 0) out[at++] = DASH;
      // a made-up word
      for (let bits = own >>> 4, left = 1 + ((own >>> 28) % 3); left > 0; left--, bits >>>= 7) {
        out[at++] = ONSETS.charCodeAt(bits & 15);
        out[at++] = ALL_VOWELS.charCodeAt((bits >>> 4) % 5);
        if ((bits & 0x60) === 0) out[at++] = 0x6e; // n
      }
    }
    return at;
  }

  /** Writes version `k` of module `m`, whose path stands in `out` from `from` to `to`, at `at`; gives where it ends. */
  writeVersion(out: Uint8Array, at: number, m: number, k: number, from: number, to: number): number {
    const style = mix(this.#seed ^ 0x5bd1e995, m);
    const own = mix(style, k);
    const suffix = majorAt(out, from, to);
    const tagged = style % 100 >= UNTAGGED_MODULES;
    const incompatible = tagged && suffix < 0 && style % 40 === 0;
    const ofOwn = incompatible ? 2 + (style % 3) : tagged ? (style >>> 7) & 1 : 0;
    out[at++] = V;
    at = putNumber(out, at, suffix >= 0 ? suffix : ofOwn);
    out[at++] = DOT;
    const pseudo = !tagged || own % 100 < UNTAGGED_VERSIONS;
    if (tagged) {
      const patches = 3 + ((style >>> 10) & 7);
      at = putNumber(out, at, Math.floor((k - 1) / patches));
      out[at++] = DOT;
      at = putNumber(out, at, ((k - 1) % patches) + (pseudo ? 1 : 0));
      if (!pseudo && own % 16 === 0) {
        at = put(out, at, pick(PRERELEASES, own >>> 8));
        at = putNumber(out, at, 1 + ((own >>> 16) % 9));
      }
    } else {
      at = put(out, at, ZERO_ZERO);
    }
    if (pseudo) {
      at = put(out, at, tagged ? DASH_ZERO_DOT : JUST_DASH);
      at = putTime(out, at, this.#seconds(m, k, style, own));
      out[at++] = DASH;
      const [high, low] = [mix(own, 1), mix(own, 2)];
      for (let i = 0; i < 12; i++) out[at++] = HEX.charCodeAt((i < 8 ? high >>> (4 * i) : low >>> (4 * (i - 8))) & 15);
    }
    return incompatible ? put(out, at, INCOMPATIBLE) : at;
  }

  /** The number of a module's version; `undefined` where it has none of this spelling, however long the log. */
  versionOf(m: number, version: string): number | undefined {
    const style = mix(this.#seed ^ 0x5bd1e995, m);
    const time = /-(?:0\.)?(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)-[0-9a-f]{12}/.exec(version);
    const numbers = /^v\d+\.(\d+)\.(\d+)/.exec(version);
    let k;
    if (time !== null) {
      const [year = 0, month = 0, ...rest] = time.slice(1).map(Number);
      const seconds = Date.UTC(year, month - 1, ...rest) / 1000;
      k = Math.floor((seconds - START + lagOf(style)) / (SECONDS * m));
    } else if (numbers !== null) {
      const patches = 3 + ((style >>> 10) & 7);
      k = Number(numbers[1]) * patches + Number(numbers[2]) + 1;
    }
    if (k === undefined || !(k >= 1) || k * m > Number.MAX_SAFE_INTEGER) return undefined;
    const scratch = new Uint8Array(512);
    const path = this.writePath(scratch, 0, m);
    const end = this.writeVersion(scratch, path, m, k, 0, path);
    return Buffer.from(version, 'latin1').equals(scratch.subarray(path, end)) ? k : undefined;
  }

  /** When version `k` was committed: the later the later, and spread over the time from one to the next. */
  #seconds(m: number, k: number, style: number, own: number): number {
    const step = SECONDS * m;
    return START - lagOf(style) + k * step + Math.floor((own / 2 ** 32) * step);
  }
}

/** Seconds from one time of scaleorder.ts to the next: so that a log of the real one's size spans ten years. */
const SECONDS = 45;
/** 2017-01-01, in seconds. */
const START = 1_483_228_800;
/** In percent: modules without any tag, and versions without one of the others. */
const UNTAGGED_MODULES = 22;
const UNTAGGED_VERSIONS = 8;

const SLASH = 0x2f;
const DOT = 0x2e;
const DASH = 0x2d;
const V = 0x76;
const ONSETS = 'bcdfghjklmnprstz';
const VOWELS = 'aeio';
const ALL_VOWELS = 'aeiou';
const HEX = '0123456789abcdef';

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const NOTHING = bytesOf('');
const GO_DASH = bytesOf('go-');
const DOT_V = bytesOf('.v');
const SLASH_V = bytesOf('/v');
const ZERO_ZERO = bytesOf('0.0');
const JUST_DASH = bytesOf('-');
const DASH_ZERO_DOT = bytesOf('-0.');
const INCOMPATIBLE = bytesOf('+incompatible');
const PRERELEASES = ['-rc.', '-alpha.', '-beta.', '-rc', '-dev.', '-pre'].map(bytesOf);
/** Behind the syllables of an owner's name; they begin so that no syllable goes on with them. */
const ENDS = ['', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '-io', '-dev', 'hq', 'labs', '-go', 's', 'n', 'x', '42', 'team'].map(bytesOf);

const GITHUB = bytesOf('github.com/');
const GOPKG = bytesOf('gopkg.in/');
const OTHER_HOSTS = [
  'gitlab.com/',
  'gitlab.com/',
  'gitlab.com/',
  'golang.org/x/',
  'k8s.io/',
  'sigs.k8s.io/',
  'go.opentelemetry.io/',
  'bitbucket.org/',
  'google.golang.org/',
  'git.example.com/',
].map(bytesOf);
/** Where modules live. */
const HOSTS: readonly Uint8Array[] = [...Array.from({ length: 52 }, () => GITHUB), GOPKG, GOPKG, ...OTHER_HOSTS];

/** The eight modules of an owner: number of the repository, major version of the path (0: none), number of the folder (0: none). */
const LAYOUTS = [
  [0, 0, 0],
  [0, 2, 0],
  [1, 0, 0],
  [0, 0, 1],
  [2, 0, 0],
  [3, 0, 0],
  [1, 0, 2],
  [4, 0, 0],
] as const;

const WORDS = (
  'api app auth aws backend base bench blob bot bridge buffer build cache chain charm chat check circuit cli client cloud ' +
  'cluster cmd codec collector color command common compiler compress config connect console consul container control ' +
  'controller core crawler crypt curl daemon dash database datadog deploy device diff discord dns docker driver echo elastic ' +
  'email engine envoy errors event exporter extra fabric feed fiber file filter flag flow forge form framework functions ' +
  'gateway generator git graph graphql grpc handler hash health helm helper hook host http image index influx ingress input ' +
  'instrument jwt kafka keeper kernel keyvault kit kube kubernetes lambda lang layer ldap lib limit link lint list load lock ' +
  'log logger logging logrus loop mail manager map market math message metric metrics micro middleware migrate mock model ' +
  'module mongo monitor mux mysql nats net network node notify oauth object operator oracle orm parser path payment pipeline ' +
  'plugin pool postgres probe process profile prometheus proto provider proxy pubsub query queue rabbit random rate reader ' +
  'redis registry render resource rest retry router rpc rule runner runtime scanner schedule schema script sdk search secret ' +
  'server service session set shell signal sign slack socket source spec sql ssh stack starter state static storage store ' +
  'stream struct sync system table task template terraform terraform-provider test testing text thrift time token tool tools ' +
  'trace tracer transport tree trigger types ui utils vault vector version view wallet watch web webhook websocket worker ' +
  'workflow writer xml yaml zap zip zone'
)
  .split(' ')
  .map(bytesOf);

function pick<T>(list: readonly T[], hash: number): T {
  const found = list[(hash >>> 16) % list.length];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

/** How long before its time a module's commits are: up to three years. */
function lagOf(style: number): number {
  return style % 94_608_000;
}

/** The major version that a path ends in, of `/v2` or `.v2`; -1 where it ends in none. */
function majorAt(out: Uint8Array, from: number, to: number): number {
  const digit = (out[to - 1] ?? 0) - 0x30;
  const marked = to - 3 > from && out[to - 2] === V && (out[to - 3] === SLASH || out[to - 3] === DOT);
  return marked && digit >= 0 && digit <= 9 ? digit : -1;
}

/** The number that the first four syllables of a name spell. */
function parseSyllables(name: string): number | undefined {
  let number = 0;
  for (let i = 0; i < 8; i += 2) {
    const onset = ONSETS.indexOf(name.charAt(i));
    const vowel = VOWELS.indexOf(name.charAt(i + 1));
    if (onset < 0 || vowel < 0 || i + 1 >= name.length) return undefined;
    number = (number << 6) | (onset << 2) | vowel;
  }
  return number;
}
