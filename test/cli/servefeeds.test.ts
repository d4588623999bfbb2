import path from 'node:path';
import t from 'tap';
import { keepWhole } from '../mirror/wholefile.js';
import { readFeed } from '../server/atom.js';
import { newLog, newPlace } from './place.js';
import { serve, text } from './served.js';

t.test('feeds of a mirror whose file gets the whole log while it runs', { buffered: true }, async (t) => {
  const place = await newPlace(t, {}, { log: newLog(600) });
  const { log } = place;
  const mirror = await serve(t, place, ['--access-log'], { GONOSUMDB: 'example.com/beta' });
  const url = `${mirror.url}/sumdb/log.example/feeds/example.com/Alpha.atom`;
  t.match(await text(url), { status: 404, body: /not kept whole/ });
  t.notMatch((await text(`${mirror.url}/`)).body, '.atom');

  await keepWhole(path.join(place.folder, 'mirror.db'), log, { at: Date.UTC(2026, 0, 2) });
  t.match((await text(`${mirror.url}/`)).body, `${mirror.url}/feeds/golang.org/x/text.atom`);
  const first = await text(url);
  t.match(first, { status: 200, headers: { 'content-type': 'application/atom+xml; charset=utf-8' } });
  const feed = readFeed(first.body, url);
  t.match(feed, { self: url, entries: [{ title: 'example.com/Alpha v1.0.0', updated: '2026-01-02T00:00:00.000Z' }] });
  t.match((await text(feed.entries[0]!.link!)).body, /^120\nexample\.com\/Alpha v1\.0\.0 h1:/, 'its link leads to the record');

  const { etag = '' } = first.headers;
  log.fill(700);
  await keepWhole(path.join(place.folder, 'mirror.db'), log, { at: Date.UTC(2026, 0, 2, 12) });
  t.equal((await text(url, { headers: { 'if-none-match': etag } })).status, 304, 'what others add changes nothing');
  log.add('example.com/Alpha', 'v1.1.0');
  await keepWhole(path.join(place.folder, 'mirror.db'), log, { at: Date.UTC(2026, 0, 3) });
  const next = readFeed((await text(url, { headers: { 'if-none-match': etag } })).body, url);
  t.match(next.entries, [{ title: 'example.com/Alpha v1.1.0', updated: '2026-01-03T00:00:00.000Z' }, feed.entries[0]!]);
  t.equal(next.id, feed.id);

  t.match(await text(`${mirror.url}/feeds/example.com/beta.atom`), { status: 404, body: /private/ });
  const below = `${mirror.url}/feeds/example.com/....atom`;
  t.notMatch((await text(below)).body, 'example.com/beta ');
  t.equal(readFeed((await text(below)).body, below).entries.length, 50);

  t.equal((await mirror.end('SIGTERM')).code, 0);
  const feeds = mirror.logged().filter(({ route }) => route === 'feed');
  t.match(feeds[0], { feed: 'example.com/Alpha', status: 404 });
  t.notOk(feeds.some((line) => JSON.stringify(line).includes('beta')), 'the log names nothing private');
});
