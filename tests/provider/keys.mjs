// Which key signs the tokens of this run?
import { createPublicKey, generateKeyPairSync } from 'node:crypto';

import { ConfigurationError } from '../contract.mjs';

const KINDS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

/** A fresh signing key: private and public as JWK, and the public one in PEM. */
export function signingKey(algorithm, kid = 'test-key-1') {
  if (!(algorithm in KINDS)) {
    throw new ConfigurationError(
      `\`algorithm\` is \`${algorithm}\`; it must be one of ${Object.keys(KINDS).join(', ')}`,
    );
  }
  const { privateKey } = KINDS[algorithm]();
  const publicKey = createPublicKey(privateKey);
  const named = { kid, use: 'sig', alg: algorithm };
  return {
    private_key: privateKey,
    private_jwk: { ...privateKey.export({ format: 'jwk' }), ...named },
    public_jwk: { ...publicKey.export({ format: 'jwk' }), ...named },
    public_key_pem: publicKey.export({ format: 'pem', type: 'spki' }),
  };
}
