// Runs a scripted OpenID provider that does wrong what it is told to do wrong. See README.md.
import { ConfigurationError, checked, run, say } from '../contract.mjs';
import { FAULTS, PATHS, concern, endpoints, known, misbehave } from './hostile/endpoints.mjs';
import { signingKey } from './keys.mjs';
import { listen } from './listener.mjs';

const DEFAULTS = {
  algorithm: 'RS256',
  client_id: 'console',
  clock: 0,
  faults: {},
  interval: 1,
  lifetime: 300,
  polls: 2,
  port: 0,
  resource: 'https://asyncmq-admin.example',
  sub: 'alice',
  tls: null,
};

await run('hostile.mjs', DEFAULTS, async (configuration) => {
  let faults = checkedFaults(configuration.faults);
  const fault = (endpoint) => faults[endpoint] ?? 'well';
  const key = signingKey(configuration.algorithm);
  const listener = await listen(configuration.tls, configuration.port);
  const serve = endpoints(listener.origin, configuration, key, fault);

  listener.serve(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, listener.origin);
    const endpoint = PATHS[pathname];
    const form = new URLSearchParams(await text(request));
    const asked = endpoint && concern(endpoint, form);
    say({
      event: 'asked',
      endpoint: asked ?? pathname,
      grant_type: form.get('grant_type'),
      client_authentication: authentication(request, form),
      at_milliseconds: Date.now(),
    });
    if (configuration.clock !== 0) {
      response.setHeader('Date', new Date(Date.now() + configuration.clock * 1000).toUTCString());
    }
    if (!endpoint) return response.writeHead(404).end();
    if (misbehave(fault(asked), response)) return undefined;
    const { status, headers, body } = await serve[endpoint](request.method === 'POST' ? form : searchParams);
    return response.writeHead(status, { 'Cache-Control': 'no-store', ...headers }).end(body);
  });

  return {
    ready: {
      issuer: listener.origin,
      discovery_url: `${listener.origin}/.well-known/openid-configuration`,
      ...(listener.ca_file && { ca_file: listener.ca_file }),
      algorithm: configuration.algorithm,
      public_key_pem: key.public_key_pem,
      jwks: { keys: [key.public_jwk] },
      resource: configuration.resource,
      client_id: configuration.client_id,
    },
    // Replaces all faults: what is not named behaves well again.
    command: async (line) => {
      faults = checkedFaults(checked(line, { faults: 0 }).faults);
      return { event: 'faults_changed', faults };
    },
    end: listener.end,
  };
});

function checkedFaults(given) {
  for (const [endpoint, name] of Object.entries(checked(given ?? {}, FAULTS))) {
    if (!known(endpoint).includes(name)) {
      throw new ConfigurationError(
        `\`${endpoint}\` knows no fault \`${name}\`; known: ${known(endpoint).join(', ')}`,
      );
    }
  }
  return given ?? {};
}

function authentication(request, form) {
  if (request.headers.authorization?.startsWith('Basic ')) return 'basic';
  if (form.has('client_assertion')) return 'private_key_jwt';
  return form.has('client_secret') ? 'post' : 'none';
}

async function text(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}
