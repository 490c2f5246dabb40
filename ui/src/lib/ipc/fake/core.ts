// A scripted core: answers every command as the real one would, well enough to develop, test and photograph the shell.
// It is never part of the production bundle.

import type { Transport } from '../transport';
import type {
  CommandError,
  Cover,
  DraftReport,
  EnvironmentDraft,
  EnvironmentView,
  FieldError,
  Problem,
  ProtectionView,
  SaveOutcome,
  ShellState,
  SignInOutcome,
} from '../types';
import { active, identity, problem, shellState } from './scenarios';

type Args = Record<string, unknown>;
type Handler = (args: never) => unknown;

/** Tokens with a meaning of their own here. Anything else is accepted. */
export const tokens = {
  rejected: 'rejected',
  notAdmin: 'not-admin',
  needsConfirmation: 'opaque',
  crash: 'crash',
  never: 'never',
};

export class FakeCore implements Transport {
  state: ShellState;
  cover: Cover | null = null;
  /** Every command in order. A token is recorded as its length, never as itself. */
  calls: { command: string; args: Args }[] = [];
  /** Commands that are to fail, and with what. */
  failing: Record<string, Problem> = {};
  /** Milliseconds until a command answers. */
  delay = 0;
  /** What is still to be heard: in the real core a command may answer before the state comes. */
  #held: (() => void)[] | null = null;
  onCover: (cover: Cover) => void = () => undefined;

  #listeners = new Set<(state: ShellState) => void>();
  #attempt = 0;
  #pendingSignIns = new Map<string, (outcome: SignInOutcome) => void>();

  constructor(state: ShellState = shellState()) {
    this.state = state;
  }

  called(command: string): Args[] {
    return this.calls.filter((one) => one.command === command).map((one) => one.args);
  }

  set(over: Partial<ShellState>): void {
    this.state = { ...this.state, ...over };
    const heard = this.state;
    const tell = () => this.#listeners.forEach((listener) => listener(heard));
    if (this.#held) this.#held.push(tell);
    else tell();
  }

  /** From now on states come late: when `letStatesIn` is called. */
  holdStates(): void {
    this.#held ??= [];
  }

  letStatesIn(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const tell of held) tell();
  }

  patch(id: string, over: Partial<EnvironmentView>): void {
    this.set({
      environments: this.state.environments.map((one) => (one.id === id ? { ...one, ...over } : one)),
    });
  }

  async onState(listener: (state: ShellState) => void): Promise<() => void> {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async call(command: string, args: Args): Promise<unknown> {
    const said = 'token' in args ? { ...args, token: `(${String(args.token).length} characters)` } : args;
    this.calls.push({ command, args: said });
    if (this.delay > 0) await new Promise((done) => setTimeout(done, this.delay));
    const failure = this.failing[command];
    if (failure) throw { problem: failure } satisfies CommandError;
    const handler = this.#handlers[command];
    if (!handler) throw `Command ${command} not found`;
    return (await handler(args as never)) ?? null;
  }

  #drop(kind: string, environment: string): void {
    this.set({
      prompts: this.state.prompts.filter((one) => !(one.kind === kind && one.environment === environment)),
    });
  }

  #check(draft: EnvironmentDraft, id: string | null): DraftReport {
    const errors: FieldError[] = [];
    const say = (field: string, message: string) => errors.push({ field, message });
    if (draft.name.trim() === '') say('name', 'Give it a name.');
    if ([...draft.tag].length > 8) say('tag', 'At most eight characters.');
    if (['host', 'cookie', 'connection', 'te'].includes(draft.header_name.toLowerCase())) {
      say('header_name', `\`${draft.header_name}\` cannot carry a token. Use another header.`);
    }
    if (!draft.login_path.startsWith('/')) say('login_path', 'Begin with a slash.');
    let base_url: string | null = null;
    try {
      const text = draft.base_url.trim();
      const url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
      const loopback = ['localhost', '127.0.0.1'].includes(url.hostname);
      if (url.search || url.hash || url.username) say('base_url', 'No user name, query or fragment.');
      else if (url.protocol === 'http:' && !loopback && !draft.allow_plain_http) {
        say(
          'base_url',
          'Plain http would show the token to everyone on the way. Use https, or allow plain http below.',
        );
      } else base_url = `${url.origin}${url.pathname.replace(/\/$/, '')}`;
    } catch {
      say('base_url', 'Type an address such as https://admin.acme.example/asyncmq.');
    }
    const before = this.state.environments.find((one) => one.id === id);
    const moves_credential =
      before !== undefined &&
      base_url !== null &&
      base_url !== before.draft.base_url &&
      before.stored_credential.status !== 'none';
    return { errors, base_url, moves_credential };
  }

  #signedIn(id: string): SignInOutcome {
    this.patch(id, { session: active(), stored_credential: { status: 'ready' } });
    this.#drop('sign_in', id);
    const one = this.state.environments.find((each) => each.id === id);
    if (one) this.patch(id, { page: { url: one.draft.base_url, loading: false } });
    return { status: 'signed_in' };
  }

  #signIn({ id, token }: { id: string; token: string }): SignInOutcome | Promise<SignInOutcome> {
    const words = token.trim();
    if (words === tokens.crash) {
      throw {
        problem: problem('internal', 'The sign-in could not be tried', 'The keychain is busy.', 'Try again.'),
      };
    }
    if (words === tokens.never) {
      const before = this.state.environments.find((one) => one.id === id)?.session;
      this.patch(id, { session: { status: 'signing_in' } });
      return new Promise((answer) =>
        this.#pendingSignIns.set(id, (outcome) => {
          if (before) this.patch(id, { session: before });
          answer(outcome);
        }),
      );
    }
    if (words === tokens.rejected) {
      return {
        status: 'rejected',
        problem: problem(
          'refused',
          'PROD did not accept this token',
          'The admin does not say why. Wrong audience, wrong signature and wrong issuer look the same from here.',
          'Ask for a token for this admin. It was not stored.',
        ),
        identity: identity({ audience: ['asyncmq-staging'] }),
      };
    }
    if (words === tokens.notAdmin) {
      return {
        status: 'rejected',
        problem: problem(
          'not_admin',
          'Signed in, but not allowed',
          '`alice` has no admin claim here, or lacks a role that this admin requires.',
          'Show the claims to its administrator.',
        ),
        identity: identity({ admin: null, roles: ['viewer'] }),
      };
    }
    if (words === tokens.needsConfirmation) {
      return {
        status: 'needs_confirmation',
        attempt: `attempt-${++this.#attempt}`,
        findings: [
          problem(
            'opaque',
            'This is not a JWT',
            'It cannot be read from here: expiry unknown.',
            'Check that all of it was pasted.',
          ),
          problem(
            'no_subject',
            'The token names no subject',
            'There is no `sub` claim.',
            'The admin may use another claim.',
          ),
        ],
        identity: identity({
          display_name: 'operator',
          subject: null,
          issuer: null,
          audience: [],
          roles: [],
          admin: null,
          issued_at: null,
          expires_at: null,
          opaque: true,
        }),
      };
    }
    return this.#signedIn(id);
  }

  #save(draft: EnvironmentDraft, id: string | null): SaveOutcome {
    const report = this.#check(draft, id);
    if (report.errors.length > 0) return { status: 'invalid', report };
    const stored = { ...draft, base_url: report.base_url ?? draft.base_url };
    if (id !== null) {
      this.patch(id, { draft: stored });
      return { status: 'saved', id };
    }
    const fresh = `feed${String(this.state.environments.length).padStart(12, '0')}`;
    this.set({
      environments: [
        ...this.state.environments,
        {
          id: fresh,
          draft: stored,
          session: { status: 'signed_out', problem: null },
          connection: { status: 'fine' },
          stored_credential: { status: 'none' },
          page: null,
        },
      ],
      selected: fresh,
    });
    return { status: 'saved', id: fresh };
  }

  #handlers: Record<string, Handler> = {
    shell_state: () => this.state,
    environment_check: ({ draft, id }: { draft: EnvironmentDraft; id: string | null }) =>
      this.#check(draft, id),
    environment_add: ({ draft }: { draft: EnvironmentDraft }) => this.#save(draft, null),
    environment_update: ({ id, draft }: { id: string; draft: EnvironmentDraft }) => this.#save(draft, id),
    environment_remove: ({ id }: { id: string }) => {
      const environments = this.state.environments.filter((one) => one.id !== id);
      this.set({ environments, selected: environments[0]?.id ?? null });
    },
    environment_reorder: ({ ids }: { ids: string[] }) =>
      this.set({
        environments: ids.flatMap((id) => this.state.environments.find((one) => one.id === id) ?? []),
      }),
    environment_select: ({ id }: { id: string | null }) => this.set({ selected: id }),
    protection_set: ({ id, protection }: { id: string; protection: ProtectionView }) => {
      const one = this.state.environments.find((each) => each.id === id);
      if (one) this.patch(id, { draft: { ...one.draft, protection } });
    },
    sign_in_open: ({ id }: { id: string }) =>
      this.set({ prompts: [...this.state.prompts, { kind: 'sign_in', environment: id }] }),
    sign_in_with_token: (args: { id: string; token: string }) => this.#signIn(args),
    sign_in_confirm: ({ id }: { id: string }) => this.#signedIn(id),
    sign_in_cancel: ({ id }: { id: string }) => {
      this.#pendingSignIns.get(id)?.({ status: 'cancelled' });
      this.#pendingSignIns.delete(id);
      this.#drop('sign_in', id);
    },
    sign_in_with_stored: ({ id }: { id: string }) => this.#signedIn(id),
    stored_credential_confirm: ({ id }: { id: string }) =>
      this.patch(id, { stored_credential: { status: 'ready' } }),
    stored_credential_forget: ({ id }: { id: string }) =>
      this.patch(id, { stored_credential: { status: 'none' } }),
    sign_out_open: ({ id }: { id: string }) =>
      this.set({ prompts: [...this.state.prompts, { kind: 'sign_out', environment: id }] }),
    sign_out: ({ id, forget }: { id: string; forget: boolean }) => {
      this.#drop('sign_out', id);
      this.patch(id, {
        session: { status: 'signed_out', problem: null },
        stored_credential: { status: forget ? 'none' : 'ready' },
        page: null,
      });
    },
    sign_out_cancel: ({ id }: { id: string }) => this.#drop('sign_out', id),
    keychain_retry: () => undefined,
    keychain_use_memory: () => {
      const { keychain } = this.state;
      if (keychain.status === 'unavailable') this.set({ keychain: { ...keychain, memory_allowed: true } });
    },
    external_link_answer: ({ id }: { id: string }) =>
      this.set({
        prompts: this.state.prompts.filter((one) => !(one.kind === 'open_external' && one.id === id)),
      }),
    notice_dismiss: ({ id }: { id: string }) =>
      this.set({ notices: this.state.notices.filter((one) => one.id !== id) }),
    dashboard_reload: () => undefined,
    stage_cover: ({ cover }: { cover: Cover }) => {
      this.cover = cover;
      this.onCover(cover);
    },
    stage_focus_shell: () => undefined,
  };
}
