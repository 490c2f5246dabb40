// What a look at an admin found, in plain words, and the sign-in that it suggests.

import type { LookReport } from '../ipc/types';
import type { MethodName } from '../sign-in-methods/method';

export interface Proposal {
  method: MethodName;
  /** Settings of the method that the look found. */
  known: Record<string, string>;
  /** On the button. */
  words: string;
}

export function proposalOf(report: LookReport): Proposal | null {
  switch (report.found) {
    case 'open':
      return { method: 'none', known: {}, words: 'Use no sign-in' };
    case 'login_form':
      return {
        method: 'login_form',
        known: { user_field: report.user_field, password_field: report.password_field },
        words: 'Use the login form',
      };
    case 'token':
      return { method: 'pasted_token', known: {}, words: 'Paste a token' };
    case 'sent_elsewhere':
      return report.issuer === null
        ? null
        : { method: 'openid_connect', known: { issuer: report.issuer }, words: 'Use OpenID Connect' };
    default:
      return null;
  }
}

/** What was found, and what to do about it. */
export function sayingOf(report: LookReport, host: string): { what: string; then: string } {
  switch (report.found) {
    case 'open':
      return {
        what: 'The dashboard answers whoever asks.',
        then: 'No sign-in is needed to use it, by you or by anyone who reaches it.',
      };
    case 'login_form':
      return {
        what: 'The admin has a login form of its own.',
        then: 'The console asks for the user name and password itself.',
      };
    case 'token':
      return {
        what: 'The admin wants a token.',
        then: report.notice ? `It says: ${report.notice}` : 'It does not say which.',
      };
    case 'sent_elsewhere':
      return report.issuer === null
        ? {
            what: `Something in front sends to \`${report.host}\`.`,
            then: 'An access proxy, perhaps. Give its service token as extra headers under Network, or choose a sign-in below.',
          }
        : {
            what: `It sends to the identity provider at \`${report.host}\`.`,
            then: `Its issuer is \`${report.issuer}\`.`,
          };
    case 'refused':
      return {
        what: `It answers ${report.status} and does not say what it wants.`,
        then: 'An access proxy, perhaps. Choose a sign-in below, or give extra headers under Network.',
      };
    case 'not_found':
      return report.instead.length > 0
        ? { what: 'No admin is mounted there. It answers here:', then: '' }
        : {
            what: 'No admin is mounted there.',
            then: 'Add the path that the admin is mounted under, such as `/asyncmq`.',
          };
    case 'unreachable':
      return {
        what: report.problem.title || `\`${host}\` cannot be reached.`,
        then: [report.problem.detail, report.problem.advice].filter(Boolean).join(' '),
      };
    case 'invalid':
      return { what: 'This is no address that can be looked at.', then: report.message };
  }
}
