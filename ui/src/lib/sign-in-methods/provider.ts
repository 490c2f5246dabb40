// What the settings of the OAuth methods have in common.

export const clientAuthentications = [
  { value: 'none', words: 'Not at all: a public client' },
  { value: 'basic', words: 'Secret, by Basic' },
  { value: 'post', words: 'Secret, in the form' },
  { value: 'private_key_jwt', words: 'Private key' },
] as const;

export const sends = [
  { value: 'access_token', words: 'Access token' },
  { value: 'id_token', words: 'ID token' },
] as const;
