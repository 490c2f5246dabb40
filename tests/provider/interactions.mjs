// How does somebody sign in and agree? The steps that oidc-provider leaves to its host.
import * as pages from './pages.mjs';

const PATH = /^\/interaction\/[^/?]+(?:\/(login|consent|abort))?$/;

/**
 * Answers a handler that serves `/interaction/…` and says `false` for everything else.
 *
 * @param {{ login: 'form' | 'auto', consent: 'ask' | 'auto' }} configuration
 */
export function interactions(provider, accounts, configuration) {
  return async function serve(request, response) {
    const path = request.url.split('?')[0];
    const found = PATH.exec(path);
    if (!found) return false;
    const details = await provider.interactionDetails(request, response);
    const finish = (result) =>
      provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
    const action = `/interaction/${details.uid}`;
    const { name } = details.prompt;
    const client = await provider.Client.find(details.params.client_id);

    if (request.method === 'GET') {
      if (name === 'consent') {
        if (configuration.consent === 'auto') return finish(await agreed(provider, details));
        return html(
          response,
          pages.consent(action, client.clientName ?? client.clientId, details.params.scope ?? ''),
        );
      }
      if (configuration.login === 'auto')
        return finish(signedIn(name, accounts.hinted(details.params.login_hint)));
      return html(response, pages.login(action, details.params.login_hint ?? '', false));
    }
    if (request.method !== 'POST') return html(response, pages.failure({ error: 'method_not_allowed' }), 405);
    switch (found[1]) {
      case 'login': {
        const form = await fields(request);
        const account = accounts.withPassword(form.get('username'), form.get('password'));
        if (!account) return html(response, pages.login(action, form.get('username') ?? '', true));
        return finish(signedIn(name, account));
      }
      case 'consent':
        return finish(await agreed(provider, details));
      default:
        return finish({ error: 'access_denied', error_description: 'The person said no' });
    }
  };
}

function signedIn(prompt, account) {
  const result = { login: { accountId: account.sub } };
  return prompt === 'select_account' ? { ...result, select_account: {} } : result;
}

/** Everything that was asked for is granted. */
async function agreed(provider, { grantId, params, prompt, session }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return { consent: { grantId: await grant.save() } };
}

async function fields(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

function html(response, text, status = 200) {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(text);
}
