import { createServer } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import { readBody } from '../../src/server/body.js';

t.test('a body is read within its limits', async (t) => {
  const seen: (string | number)[] = [];
  const server = createServer((request, response) => {
    void readBody(request, 100, request.url === '/late' ? 300 : 60_000).then((body) => {
      seen.push(typeof body === 'number' ? body : new TextDecoder().decode(body));
      response.writeHead(typeof body === 'number' ? body : 200, typeof body === 'number' ? { connection: 'close' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  /** Sends these texts, ends its side where `end`, and gives the status line. */
  const send = (texts: readonly string[], end = false): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = net.connect(port, '127.0.0.1', () => {
        for (const text of texts) socket.write(text);
        if (end) socket.destroy();
      });
      socket.setEncoding('latin1').on('data', (text: string) => {
        answer += text;
        if (answer.includes('\r\n')) socket.destroy();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(answer.split('\r\n')[0] ?? ''));
    });
  const head = (header: string, path = '/'): string => `POST ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`;
  t.match(await send([head('Content-Length: 3'), 'abc']), '200');
  t.match(await send([head('Transfer-Encoding: chunked'), '3\r\nabc\r\n', '2\r\nde\r\n0\r\n\r\n']), '200');
  t.match(await send([head('Content-Length: 0')]), '200');
  t.match(await send([head('Content-Length: 101'), 'x']), '413', 'before it came');
  t.match(await send([head('Transfer-Encoding: chunked'), `65\r\n${'x'.repeat(101)}\r\n`]), '413', 'when it came');
  t.match(await send([head('Content-Length: 100', '/late'), 'x']), '408');
  t.strictSame(seen, ['abc', 'abcde', '', 413, 413, 408]);
  await send([head('Content-Length: 100'), 'x'], true);
  while (seen.length < 7) await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(seen[6], 400, 'cut short');
  await new Promise((resolve) => server.close(resolve));
});
