// Which wrong tokens are there? Each entry takes a right one's parts and spoils one of them.
import { SignJWT, UnsecuredJWT } from 'jose';

import { signingKey } from '../keys.mjs';

const sign = ({ claims, header, key }) => new SignJWT(claims).setProtectedHeader(header).sign(key);

const with_claims = (change) => (parts) =>
  sign({ ...parts, claims: { ...parts.claims, ...change(parts.claims) } });

/** By name: parts `{ claims, header, key, public_key_pem, algorithm }` to a token. A claim of undefined is left out. */
export const ID_TOKENS = {
  well: sign,
  wrong_aud: with_claims(() => ({ aud: 'another-client' })),
  // Two audiences, and the party it was made for is another (OpenID Connect Core §3.1.3.7).
  wrong_azp: with_claims(({ aud }) => ({ aud: [aud, 'another-client'], azp: 'another-client' })),
  wrong_nonce: with_claims(() => ({ nonce: 'the nonce of another session' })),
  no_nonce: with_claims(() => ({ nonce: undefined })),
  wrong_iss: with_claims(() => ({ iss: 'https://honest.example' })),
  no_sub: with_claims(() => ({ sub: undefined })),
  wrong_at_hash: with_claims(() => ({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })),
  expired: with_claims(({ iat }) => ({ iat: iat - 7200, exp: iat - 3600 })),
  future: with_claims(({ iat }) => ({ iat: iat + 3600, nbf: iat + 3600, exp: iat + 7200 })),
  other_sub: with_claims(() => ({ sub: 'mallory', name: 'Mallory' })),
  unknown_kid: (parts) => sign({ ...parts, header: { ...parts.header, kid: 'nobody-knows' } }),
  bad_signature: (parts) => sign({ ...parts, key: signingKey(parts.algorithm).private_key }),
  alg_none: ({ claims }) => new UnsecuredJWT(claims).encode(),
  // The public key, which everybody has, taken for a shared secret.
  hs256_public_key: ({ claims, header, public_key_pem }) =>
    sign({ claims, header: { ...header, alg: 'HS256' }, key: Buffer.from(public_key_pem) }),
  garbage: async () => 'not.a.token',
};
