// The ways to sign in, as the core's registry (crates/console-core/src/sign_in) has them, one folder each.

import { clientCredentials } from './client_credentials';
import { deviceCode } from './device_code';
import { externalCommand } from './external_command';
import { fixedHeaders } from './fixed_headers';
import { localSigning } from './local_signing';
import { loginForm } from './login_form';
import type { Method, MethodName } from './method';
import { none } from './none';
import { openIdConnect } from './openid_connect';
import { pastedToken } from './pasted_token';
import { tokenEndpoint } from './token_endpoint';

const registry: Record<MethodName, Method> = {
  pasted_token: pastedToken,
  login_form: loginForm,
  openid_connect: openIdConnect,
  device_code: deviceCode,
  token_endpoint: tokenEndpoint,
  client_credentials: clientCredentials,
  local_signing: localSigning,
  fixed_headers: fixedHeaders,
  external_command: externalCommand,
  none,
};

/** In the order of the chooser: what is met most often first. */
export const methods: readonly Method[] = Object.values(registry);

export function methodOf(name: MethodName): Method {
  return registry[name];
}
