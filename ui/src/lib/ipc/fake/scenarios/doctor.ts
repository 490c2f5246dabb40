// What the doctor finds.

import type { DoctorStepView, DoctorView, ShellState, VerdictView } from '../../types';
import { identity, MINUTE, problem } from '../views';
import { closed, three } from '../world';

const step = (
  id: string,
  title: string,
  verdict: VerdictView,
  finding: string,
  advice = '',
): DoctorStepView => ({ id, title, verdict, finding, advice });

const steps: DoctorStepView[] = [
  step('dns', 'Name', 'well', '`admin.acme.example` is 203.0.113.24 and 2001:db8::24.'),
  step('tcp', 'Connection', 'well', '203.0.113.24 port 443 answered after 38 ms.'),
  step(
    'tls',
    'Certificate',
    'well',
    'Issued by Acme Operations Root for `admin.acme.example`; it ends in 71 days.',
  ),
  step('proxy', 'Proxy', 'skipped', 'None is used for this address.'),
  step('http', 'HTTP', 'well', 'HTTP/2.'),
  step('prefix', 'Mount prefix', 'well', '`/asyncmq` is an AsyncMQ admin.'),
  step('health', 'Health', 'well', '`/asyncmq/health` answered 200.'),
  step(
    'ready',
    'Ready',
    'warning',
    '`/asyncmq/ready` answered 503: the backend does not answer.',
    'The admin works, its queues may not: show this to whoever runs the backend.',
  ),
  step('login', 'Login path', 'well', 'The gate redirects to `/asyncmq/login`.'),
  step('header', 'Header', 'well', '`Authorization: Bearer` is what the gate reads.'),
  step('shape', 'Token', 'well', 'A JWT with three parts.'),
  step('algorithm', 'Algorithm', 'well', 'RS256.'),
  step('signature', 'Signature', 'unknown', 'It cannot be told from here: the admin’s key is not known.'),
  step(
    'aud',
    'Audience',
    'failed',
    'The token is for `asyncmq-staging`; this environment expects `asyncmq-admin`.',
    'Ask for a token for this admin, or correct the expected audience in the environment’s settings.',
  ),
  step('iss', 'Issuer', 'well', '`https://id.acme.example`, as expected.'),
  step('exp', 'Time', 'well', 'It ends in 42 min. The clocks of the two sides are 0.4 s apart.'),
  step('sub', 'Subject', 'well', '`alice`'),
  step(
    'admin',
    'Admin claim',
    'unknown',
    'It cannot be told from here which claim and roles this admin requires.',
  ),
  step(
    'origin',
    'Same origin',
    'failed',
    'A `POST` to `/asyncmq/health` was answered 403: the admin takes it for one of another site.',
    'Have the proxy in front named in `trusted_proxies`, and let it send `X-Forwarded-Proto` and `X-Forwarded-Host`.',
  ),
  step('sse', 'Live updates', 'well', 'The first event came after 210 ms, unbuffered.'),
];

const text = (these: DoctorStepView[]) =>
  [
    'AsyncMQ Console, doctor: PROD, https://admin.acme.example/asyncmq',
    ...these.map(({ title, verdict, finding, advice }) =>
      [`${title}: ${verdict}. ${finding}`, advice].filter(Boolean).join(' '),
    ),
  ].join('\n');

const view = (these: DoctorStepView[], running = false): DoctorView => ({
  running,
  began_at: Date.now() - MINUTE,
  steps: these,
  text: text(these),
});

const looking = (): DoctorStepView[] => [
  ...steps.slice(0, 6),
  step('health', 'Health', 'running', 'Asking for `/asyncmq/health`.'),
];

const healed = (verdict: VerdictView): DoctorStepView[] =>
  steps.map((one) =>
    one.verdict === 'failed' || one.verdict === 'warning' || (one.verdict === 'unknown' && verdict === 'well')
      ? { ...one, verdict: 'well', finding: 'As it should be.', advice: '' }
      : one,
  );

/** What an examination finds in the scripted core. */
export const examinations = {
  begun: () => view(looking(), true),
  well: () => view(healed('well')),
};

const refused = {
  status: 'refused',
  problem: problem('refused', 'PROD did not accept your token', 'The admin does not say why.', ''),
  identity: identity({ audience: ['asyncmq-staging'] }),
} as const;

export const doctorScenarios: Record<string, () => ShellState> = {
  'doctor-begins': () => three({ doctor: view([], true) }),
  'doctor-running': () => three({ ...closed, session: refused, doctor: examinations.begun() }),
  'doctor-failed': () => three({ ...closed, session: refused, doctor: view(steps) }),
  'doctor-well': () => three({ doctor: examinations.well() }),
  'doctor-partly': () => three({ doctor: view(healed('unknown')) }),
  'doctor-dns': () =>
    three({
      ...closed,
      session: { status: 'signed_out', problem: null },
      doctor: view([
        step(
          'dns',
          'Name',
          'failed',
          '`admin.operations.acme-industries-europe-west.example` does not resolve: no such name (NXDOMAIN).',
          'Check the address. If it is a name of the company’s network, connect the VPN and run this again.',
        ),
        ...steps
          .slice(1)
          .map(({ id, title }) => step(id, title, 'skipped', 'Not looked at: the step before it failed.')),
      ]),
    }),
};
