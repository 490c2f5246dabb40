// Who can sign in at this provider?
import { ConfigurationError, checked } from '../contract.mjs';

const KNOWN = { sub: '', username: '', password: '', name: '', email: '', roles: [], is_admin: false };

export const ACCOUNTS = [
  { username: 'alice', password: 'correct horse', name: 'Alice Archer', roles: ['admin'], is_admin: true },
  { username: 'bob', password: 'battery staple', name: 'Bob Baker', roles: ['reader'], is_admin: false },
];

/** The accounts by user name. They can change while the provider runs. */
export class Accounts {
  #byUsername = new Map();

  constructor(given) {
    for (const account of given) this.change(account);
  }

  /** Adds an account, or lays the given keys over one that is there. */
  change(given) {
    const { username } = checked(given, KNOWN);
    if (!username) throw new ConfigurationError('an account needs a `username`');
    const known = this.#byUsername.get(username) ?? { ...KNOWN, sub: username };
    this.#byUsername.set(username, { ...known, ...given });
    return username;
  }

  withPassword(username, password) {
    const account = this.#byUsername.get(username);
    return account?.password && account.password === password ? account : undefined;
  }

  /** The account that a login hint names, else the first. */
  hinted(hint) {
    return this.#byUsername.get(hint) ?? this.#byUsername.values().next().value;
  }

  withSubject(sub) {
    return [...this.#byUsername.values()].find((account) => account.sub === sub);
  }
}

/** What ID tokens and access tokens say about an account. */
export function claims(account) {
  const { name, email, roles, is_admin } = account;
  return { name, roles, is_admin, email, email_verified: true };
}
