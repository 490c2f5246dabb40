// Runs a certified OpenID provider on loopback, as one JSON line on standard input describes it. See README.md.
import { randomBytes } from 'node:crypto';

import { ACCOUNTS, Accounts } from './accounts.mjs';
import { ConfigurationError, checked, run, say } from '../contract.mjs';
import { interactions } from './interactions.mjs';
import { signingKey } from './keys.mjs';
import { listen } from './listener.mjs';
import { RESOURCE_SCOPE, provider as makeProvider } from './options.mjs';

const LIFETIMES = {
  access_token: 300,
  authorization_code: 60,
  device_code: 600,
  id_token: 300,
  refresh_token: 3600,
  session: 3600,
};
const OUTAGES = ['none', 'unavailable', 'hang'];

const DEFAULTS = {
  accounts: ACCOUNTS,
  algorithm: 'RS256',
  client_jwks: null,
  client_secret: null,
  clients: [],
  consent: 'ask',
  default_resource: true,
  fixed_redirect_uris: [],
  lifetimes: {},
  login: 'form',
  machine_claims: { name: 'A machine', roles: ['admin'], is_admin: true },
  port: 0,
  refresh_tokens: 'offline_access',
  resource: 'https://asyncmq-admin.example',
  rotate: true,
  tls: null,
};

const CHOICES = {
  consent: ['ask', 'auto'],
  login: ['form', 'auto'],
  refresh_tokens: ['offline_access', 'always'],
};

await run('serve.mjs', DEFAULTS, async (given) => {
  for (const [key, choices] of Object.entries(CHOICES)) {
    if (!choices.includes(given[key]))
      throw new ConfigurationError(`\`${key}\` is one of ${choices.join(', ')}`);
  }
  const configuration = {
    ...given,
    client_secret: given.client_secret ?? randomBytes(32).toString('base64url'),
    lifetimes: { ...LIFETIMES, ...checked(given.lifetimes, LIFETIMES) },
  };
  const key = signingKey(configuration.algorithm);
  const accounts = new Accounts(configuration.accounts);
  const listener = await listen(configuration.tls, configuration.port);
  const provider = makeProvider(listener.origin, configuration, key, accounts);
  const grants = report(provider);

  let outage = 'none';
  const interact = interactions(provider, accounts, configuration);
  const callback = provider.callback();
  listener.serve(async (request, response) => {
    if (outage === 'hang') return;
    if (outage === 'unavailable') {
      response.writeHead(503, { 'Content-Type': 'text/plain' }).end('Down for maintenance\n');
      return;
    }
    try {
      if ((await interact(request, response)) === false) callback(request, response);
    } catch (error) {
      // An interaction that is over, or that belongs to another browser.
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end(`${error.error ?? error.message}\n`);
    }
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
      scope: RESOURCE_SCOPE,
      client_secret: configuration.client_secret,
    },
    command: async (line) => {
      const { account, end_grants, outage: asked } = checked(line, { account: 0, end_grants: 0, outage: 0 });
      if (account) return { event: 'account_changed', username: accounts.change(account) };
      if (end_grants) return { event: 'grants_ended', count: await end(provider, grants) };
      if (!OUTAGES.includes(asked))
        throw new ConfigurationError(`\`outage\` is one of ${OUTAGES.join(', ')}`);
      outage = asked;
      return { event: 'outage_changed', outage };
    },
    end: listener.end,
  };
});

/** Says what the provider does; answers the ids of the grants that it gave. */
function report(provider) {
  const grants = new Set();
  provider.on('authorization.success', (ctx) =>
    say({ event: 'authorized', client_id: ctx.oidc.client.clientId }),
  );
  provider.on('device_authorization.success', (ctx, body) =>
    say({ event: 'device_authorized', client_id: ctx.oidc.client.clientId, user_code: body.user_code }),
  );
  provider.on('grant.success', (ctx) => {
    const { Grant, Account } = ctx.oidc.entities;
    if (Grant) grants.add(Grant.jti);
    say({
      event: 'token_issued',
      grant_type: ctx.oidc.params.grant_type,
      client_id: ctx.oidc.client.clientId,
      sub: Account?.accountId ?? null,
    });
  });
  provider.on('grant.error', (ctx, error) =>
    say({
      event: 'token_refused',
      grant_type: ctx.oidc?.params?.grant_type ?? null,
      error: error.error,
      why: error.error_detail ?? error.error_description ?? null,
    }),
  );
  provider.on('grant.revoked', (_ctx, id) => {
    grants.delete(id);
    say({ event: 'grant_revoked' });
  });
  provider.on('refresh_token.destroyed', () => say({ event: 'refresh_token_revoked' }));
  provider.on('end_session.success', () => say({ event: 'signed_out' }));
  provider.on('server_error', (_ctx, error) => process.stderr.write(`${error.stack}\n`));
  return grants;
}

/** An administrator takes every grant back: refresh tokens of theirs stop working. */
async function end(provider, grants) {
  const ended = [...grants];
  grants.clear();
  for (const id of ended) await (await provider.Grant.find(id))?.destroy();
  return ended.length;
}
