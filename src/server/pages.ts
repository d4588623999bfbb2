/** The server's own pages: home, health, readiness, version, metrics. Pure but for the clock, which is handed in. */

import { formatBase64 } from '../core/base64.js';
import { encodeUtf8 } from '../core/text.js';
import { textAnswer, type Answer } from './answers.js';
import { METRICS_TYPE } from './metrics.js';
import type { Page } from './routes.js';
import type { PageRequest } from './server.js';
import type { DatabaseStatus, StoreStatus } from './status.js';

/** What the pages show. */
export interface PagesOptions {
  readonly version: string;
  /** What `gosumcheck evidence --cache` takes. */
  readonly dataFile: string;
  /** Whether clients come by https. */
  readonly secure: boolean;
  /** Milliseconds after which a head that was not verified is an alarm. */
  readonly headAgeAlarm: number;
  /** When this process began, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly statuses: () => readonly DatabaseStatus[];
  readonly store: () => StoreStatus;
  /** Whether the server takes no new connections. */
  readonly draining: () => boolean;
  /** What the home page says that is served here; by default a mirror. */
  readonly about?: { readonly title: string; readonly text: string } | undefined;
  /** `undefined` where metrics are served elsewhere. */
  readonly metrics?: (() => Promise<string>) | undefined;
  /** Whether a database has feeds. */
  readonly feeds?: (database: string) => Promise<boolean>;
  readonly now?: () => number;
}

/** Makes the pages. */
export function makePages(options: PagesOptions): (page: Page, request: PageRequest) => Answer | Promise<Answer> {
  const { version, metrics } = options;
  return (page, request) => {
    switch (page) {
      case 'home':
        return homePage(options, request);
      case 'healthz':
        return textAnswer(200, 'alive\n');
      case 'readyz':
        return readyPage(options);
      case 'version':
        return request.accept?.includes('application/json') === true
          ? { ...textAnswer(200, `${JSON.stringify({ name: 'gosumcheck', version })}\n`), headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } }
          : textAnswer(200, `gosumcheck ${version}\n`);
      case 'metrics':
        return metrics === undefined ? textAnswer(404, 'not found\n') : metricsPage(metrics);
    }
  };
}

/** Milliseconds since a head was last verified; of a process that has seen none, since it began. */
export function headAge({ verifiedAt }: DatabaseStatus, startedAt: number, now: number): number {
  return now - (verifiedAt ?? startedAt);
}

/** 503 before each database had a verified head, and while draining. What else is wrong is said, and served through. */
function readyPage({ statuses, store, draining, dataFile, headAgeAlarm, startedAt, now = Date.now }: PagesOptions): Answer {
  const all = statuses();
  const lines = all.flatMap((status) => {
    const { name, head, verifiedAt, failure, forked, ways } = status;
    const tree = head === undefined ? 'no tree head yet' : `tree ${head.size}`;
    const verified = verifiedAt === undefined ? 'not verified since the start' : `last verified ${new Date(verifiedAt).toISOString()}`;
    const age = headAge(status, startedAt, now());
    return [
      `${name}: ${tree}, ${verified}`,
      ...(forked ? [`${name}: FORK: the log was seen to misbehave; see gosumcheck evidence --cache ${dataFile}`] : []),
      ...(failure === undefined ? [] : [`${name}: upstream: ${failure.message}`]),
      ...ways.filter(({ inService }) => !inService).map((way) => `${name}: out of service: ${way.label}: ${way.failure ?? ''}`),
      ...(age > headAgeAlarm ? [`${name}: ALARM: no tree head was verified for ${Math.floor(age / 1000)} s`] : []),
    ];
  });
  const unkept = store().failure;
  if (unkept !== undefined) lines.push(`what is proved cannot be kept for now, and is served from memory: ${unkept.message}`);
  const ready = !draining() && all.every(({ head }) => head !== undefined);
  const word = ready ? 'ready' : draining() ? 'draining' : 'not ready';
  return textAnswer(ready ? 200 : 503, `${[word, ...lines].join('\n')}\n`);
}

async function metricsPage(metrics: () => Promise<string>): Promise<Answer> {
  const answer = textAnswer(200, await metrics());
  return { ...answer, headers: { ...answer.headers, 'content-type': METRICS_TYPE } };
}

const STYLE = 'body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}pre{overflow-x:auto;padding:.7rem;border:1px solid}';

const MIRROR = {
  title: 'A verifying mirror',
  text: 'Nothing is passed on here before it was proved under a signed tree head. The key stays the one that your go command has.',
};

async function homePage({ statuses, secure, version, about = MIRROR, feeds }: PagesOptions, request: PageRequest): Promise<Answer> {
  const url = `${secure ? 'https' : 'http'}://${hostOf(request)}`;
  const all = statuses();
  const withFeeds = await Promise.all(all.map(async ({ name }) => (await feeds?.(name).catch(() => false)) === true));
  const sections = all.map(({ name, gosumdb, head }, i) => {
    const base = i === 0 ? url : `${url}/sumdb/${name}`;
    const own = gosumdb === name ? '' : `go env -w GOSUMDB="${gosumdb}"\n`;
    const tree = head === undefined ? 'No tree head yet.' : `Tree of ${head.size} records, hash <code>${escapeHtml(formatBase64(head.hash))}</code>.`;
    return `<h2>${escapeHtml(name)}</h2>
<p>${tree}</p>
<p>As the checksum database alone:</p>
<pre>go env -w GOSUMDB="${escapeHtml(`${gosumdb} ${base}`)}"</pre>
<p>Or as a proxy before the others:</p>
<pre>${escapeHtml(`${own}go env -w GOPROXY="${url},$(go env GOPROXY)"`)}</pre>${withFeeds[i] === true ? feedLines(base) : ''}`;
  });
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>gosumcheck</title>
<style>${STYLE}</style>
<h1>${escapeHtml(about.title)}</h1>
<p>${escapeHtml(about.text)}</p>
${sections.join('\n')}
<p><a href="/readyz">State</a>, <a href="/version">gosumcheck ${escapeHtml(version)}</a></p>
</html>
`;
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
    body: encodeUtf8(html),
  };
}

function feedLines(base: string): string {
  const feeds = [`${base}/feeds/golang.org/x/text.atom`, `${base}/feeds/golang.org/x/....atom`];
  return `
<p>New records as Atom feeds, of a module, or of all below a prefix:</p>
<pre>${escapeHtml(feeds.join('\n'))}</pre>`;
}

/** The host that the client asked, where it is one. */
function hostOf({ host }: PageRequest): string {
  return host !== undefined && /^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/.test(host) ? host : 'HOST:PORT';
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
