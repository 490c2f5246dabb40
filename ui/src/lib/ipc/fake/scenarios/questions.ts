// Questions that stop everything else.

import type { ShellState, ThirdPartyView } from '../../types';
import { draft, environment, shellState } from '../views';
import { PROD, prompt, three } from '../world';
import { held } from './held';

const thirdParties = (allowed: boolean | null): ThirdPartyView[] => [
  {
    origin: 'https://cdn.jsdelivr.net',
    host: 'cdn.jsdelivr.net',
    allowed,
    kept_out: ['scripts'],
    lost: 'charts',
  },
  {
    origin: 'https://cdn.tailwindcss.com',
    host: 'cdn.tailwindcss.com',
    allowed,
    kept_out: ['scripts'],
    lost: 'layout and colours',
  },
];

const external = (host: string, url: string) =>
  prompt({ kind: 'open_external', id: 'link-1', environment: PROD, host, url });

export const questionScenarios: Record<string, () => ShellState> = {
  'sign-out': () => three({}, prompt({ kind: 'sign_out', environment: PROD })),
  external: () =>
    three(
      {},
      external('docs.partner.example', 'https://docs.partner.example/runbooks/emails?from=asyncmq#retry'),
    ),
  'external-odd': () =>
    three({}, external('', 'mailto:oncall@acme.example?subject=Queue%20emails\u202egpj.exe')),
  'copy-token': () => three({}, prompt({ kind: 'copy_token', environment: PROD })),
  'third-parties': () =>
    three({ third_parties: thirdParties(null) }, prompt({ kind: 'third_parties', environment: PROD })),
  'third-parties-many': () =>
    three(
      {
        third_parties: Array.from({ length: 6 }, (_, index) => ({
          origin: `https://assets${index}.example`,
          host: `assets${index}.example`,
          allowed: null,
          kept_out: ['images'],
          lost: 'images',
        })),
      },
      prompt({ kind: 'third_parties', environment: PROD }),
    ),
  'third-parties-review': () =>
    three({ third_parties: thirdParties(false) }, prompt({ kind: 'third_parties', environment: PROD })),
  'third-parties-lost': () => three({ third_parties: thirdParties(false) }),
  'sign-out-all': () => three({}, prompt({ kind: 'sign_out_all' })),
  'sign-out-all-many': () =>
    shellState({
      environments: Array.from({ length: 18 }, (_, index) =>
        environment(`c0ffee${String(index).padStart(10, '0')}`, {
          draft: draft({
            name:
              index === 0 ? 'A customer with a name much longer than anyone would like' : `Customer ${index}`,
            tag: `C${index}`,
          }),
        }),
      ),
      ...prompt({ kind: 'sign_out_all' }),
    }),
  'sign-out-all-stored': () => ({
    ...three(
      { page: null, session: { status: 'signed_out', problem: null } },
      prompt({ kind: 'sign_out_all' }),
    ),
    environments: three({ page: null, session: { status: 'signed_out', problem: null } }).environments.map(
      (one) => ({ ...one, page: null, session: { status: 'signed_out', problem: null } as const }),
    ),
  }),
  quit: () => {
    const now = three({ held: held.three() }, prompt({ kind: 'quit' }));
    return {
      ...now,
      environments: now.environments.map((one) =>
        one.draft.tag === 'STAGE' ? { ...one, held: held.one() } : one,
      ),
    };
  },
  'quit-one': () => three({ held: held.one() }, prompt({ kind: 'quit' })),
  'quit-on-their-way': () => three({ on_their_way: 2 }, prompt({ kind: 'quit' })),
  'quit-both': () => three({ held: held.one(), on_their_way: 1 }, prompt({ kind: 'quit' })),
  'quit-perhaps-done': () => three({ held: held.perhapsDone() }, prompt({ kind: 'quit' })),
  'quit-under-way': () => three({ held: held.underWay(), on_their_way: 1 }, prompt({ kind: 'quit' })),
  'quit-many': () => three({ held: held.many() }, prompt({ kind: 'quit' })),
};
