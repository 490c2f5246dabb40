// How can any endpoint misbehave, whatever it is for?

const HUGE_BYTES = 10 * 1024 * 1024;

const send = (response, status, type, body) => response.writeHead(status, { 'Content-Type': type }).end(body);

export const TRANSPORT = {
  html: (response) =>
    send(response, 200, 'text/html', '<!doctype html><h1>Welcome to the wrong address</h1>'),
  huge: (response) => {
    // One valid JSON text, in pieces, as far as the client takes it.
    let left = HUGE_BYTES;
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"issuer": "');
    const more = () => {
      while (left > 0) {
        left -= 65_536;
        if (!response.write('x'.repeat(65_536))) return response.once('drain', more);
      }
      return response.end('"}');
    };
    more();
  },
  garbage: (response) =>
    send(response, 200, 'application/json', Buffer.from('{"access_token": "ey\0\xff', 'latin1')),
  empty: (response) => send(response, 200, 'application/json', '{}'),
  error: (response) => send(response, 500, 'text/plain', 'Internal Server Error\n'),
  // 307 keeps method and body: a client that followed would hand the code or the secret to another host.
  redirect: (response) => response.writeHead(307, { Location: 'https://127.0.0.2:9/elsewhere' }).end(),
  reset: (response) => response.socket.destroy(),
  cut: (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 4096 });
    response.write('{"access_token": "', () => response.socket.destroy());
  },
  hang: () => {},
};
