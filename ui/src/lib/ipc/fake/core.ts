// A scripted core: answers every command as the real one would, well enough to develop, test and photograph the shell.
// It is never part of the production bundle.

import type { Transport } from '../transport';
import type {
  CommandError,
  Cover,
  DraftReport,
  EnvironmentDraft,
  EnvironmentView,
  LookReport,
  Problem,
  Prompt,
  ProtectionView,
  SaveOutcome,
  ShellState,
  SignInOutcome,
  StepView,
} from '../types';
import { asksOf } from './asks';
import { check } from './check';
import { look } from './look';
import { examinations } from './scenarios/doctor';
import { active, browserStep, credential, deviceStep, identity, problem, shellState } from './views';

type Args = Record<string, unknown>;
type Handler = (args: never) => unknown;

/** Tokens and passwords with a meaning of their own here. Anything else is accepted. */
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
  /** Every command in order. An answer is recorded as its length, never as itself. */
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
    const said = Object.entries((args.answers ?? {}) as Record<string, string>).map(
      ([key, answer]) => [key, `(${answer.length} characters)`] as const,
    );
    this.calls.push({ command, args: args.answers ? { ...args, answers: Object.fromEntries(said) } : args });
    if (this.delay > 0) await new Promise((done) => setTimeout(done, this.delay));
    const failure = this.failing[command];
    if (failure) throw { problem: failure } satisfies CommandError;
    const handler = this.#handlers[command];
    if (!handler) throw `Command ${command} not found`;
    return (await handler(args as never)) ?? null;
  }

  #ask(prompt: Prompt): void {
    this.set({ prompts: [...this.state.prompts, prompt] });
  }

  #drop(kind: Prompt['kind'], environment: string | null = null): void {
    this.set({
      prompts: this.state.prompts.filter(
        (one) =>
          !(
            one.kind === kind &&
            (environment === null || ('environment' in one && one.environment === environment))
          ),
      ),
    });
  }

  #check(draft: EnvironmentDraft, id: string | null): DraftReport {
    return check(
      draft,
      this.state.environments.find((one) => one.id === id),
    );
  }

  #signedIn(id: string): SignInOutcome {
    this.patch(id, {
      session: active(),
      stored_credential: { status: 'ready' },
      credential: credential(),
    });
    this.#drop('sign_in', id);
    const one = this.#environment(id);
    if (one) this.patch(id, { page: { url: one.draft.base_url, loading: false } });
    return { status: 'signed_in' };
  }

  #signedOut(id: string, forget: boolean): void {
    const before = this.#environment(id)?.stored_credential.status;
    this.patch(id, {
      session: { status: 'signed_out', problem: null },
      stored_credential: { status: forget || before === 'none' ? 'none' : 'ready' },
      page: null,
      held: [],
    });
  }

  #unhold(id: string, held: string): void {
    this.patch(id, { held: this.#environment(id)?.held.filter((one) => one.id !== held) ?? [] });
  }

  #environment(id: string): EnvironmentView | undefined {
    return this.state.environments.find((each) => each.id === id);
  }

  /** Stays where it is until it is cancelled, or `finish` is called. */
  #wait(id: string, step: StepView | null): Promise<SignInOutcome> {
    const before = this.#environment(id)?.session;
    this.patch(id, { session: { status: 'signing_in', step } });
    return new Promise((answer) =>
      this.#pendingSignIns.set(id, (outcome) => {
        if (before) this.patch(id, { session: before });
        answer(outcome);
      }),
    );
  }

  /** The operator did what the step asks for. */
  finish(id: string): void {
    const answer = this.#pendingSignIns.get(id);
    this.#pendingSignIns.delete(id);
    answer?.(this.#signedIn(id));
    this.patch(id, { session: active() });
  }

  #signIn({
    id,
    answers,
  }: {
    id: string;
    answers: Record<string, string>;
  }): SignInOutcome | Promise<SignInOutcome> {
    const method = this.#environment(id)?.draft.sign_in.method;
    if (method === 'openid_connect') return this.#wait(id, browserStep());
    if (method === 'device_code') return this.#wait(id, deviceStep());
    const words = (answers.token ?? answers.password ?? '').trim();
    if (words === tokens.crash) {
      throw {
        problem: problem('internal', 'The sign-in could not be tried', 'The keychain is busy.', 'Try again.'),
      };
    }
    if (words === tokens.never) {
      return this.#wait(id, null);
    }
    if (words === tokens.rejected && method === 'login_form') {
      return {
        status: 'rejected',
        problem: problem(
          'login_form',
          'The admin’s login form did not accept this user name and password',
          '',
          'Type them again. The admin does not say which of the two is wrong.',
        ),
        identity: null,
      };
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
      this.patch(id, { draft: stored, asks: asksOf(stored) });
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
          asks: asksOf(stored),
          approvals: [],
          credential: null,
          history: [],
          held: [],
          on_their_way: 0,
          third_parties: [],
          doctor: null,
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
    sign_in_open: ({ id }: { id: string }) => this.#ask({ kind: 'sign_in', environment: id }),
    sign_in: (args: { id: string; answers: Record<string, string> }) => this.#signIn(args),
    sign_in_browser: () => undefined,
    approvals_accept: ({ id }: { id: string }) => this.patch(id, { approvals: [] }),
    token_copy_open: ({ id }: { id: string }) => this.#ask({ kind: 'copy_token', environment: id }),
    token_copy: ({ id }: { id: string }) => this.#drop('copy_token', id),
    environment_look: ({ base_url }: { base_url: string }): LookReport => look(base_url),
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
    sign_out_open: ({ id }: { id: string }) => this.#ask({ kind: 'sign_out', environment: id }),
    sign_out: ({ id, forget }: { id: string; forget: boolean }) => {
      this.#drop('sign_out', id);
      this.#signedOut(id, forget);
    },
    sign_out_cancel: ({ id }: { id: string }) => this.#drop('sign_out', id),
    sign_out_all_open: () => this.#ask({ kind: 'sign_out_all' }),
    sign_out_all_cancel: () => this.#drop('sign_out_all'),
    sign_out_all: ({ forget }: { forget: boolean }) => {
      this.#drop('sign_out_all');
      for (const { id } of this.state.environments) this.#signedOut(id, forget);
    },
    quit_answer: () => this.#drop('quit'),
    session_try_now: () => undefined,
    held_carry_out: ({ id, held }: { id: string; held: string }) => this.#unhold(id, held),
    held_drop: ({ id, held }: { id: string; held: string }) => this.#unhold(id, held),
    doctor_open: ({ id }: { id: string }) => this.patch(id, { doctor: examinations.begun() }),
    doctor_run: ({ id }: { id: string }) => this.patch(id, { doctor: examinations.begun() }),
    doctor_close: ({ id }: { id: string }) => this.patch(id, { doctor: null }),
    keychain_retry: () => undefined,
    keychain_use_memory: () => {
      const { keychain } = this.state;
      if (keychain.status === 'unavailable') this.set({ keychain: { ...keychain, memory_allowed: true } });
    },
    external_link_answer: ({ id }: { id: string }) =>
      this.set({
        prompts: this.state.prompts.filter((one) => !(one.kind === 'open_external' && one.id === id)),
      }),
    third_parties_open: ({ id }: { id: string }) => this.#ask({ kind: 'third_parties', environment: id }),
    third_parties_answer: ({ id, origins, allow }: { id: string; origins: string[]; allow: boolean }) => {
      const one = this.#environment(id);
      if (!one) return;
      // As in the real core: what was not answered is asked about next.
      const left = one.third_parties.filter(
        (each) => each.allowed === null && !origins.includes(each.origin),
      );
      if (left.length === 0) this.#drop('third_parties', id);
      this.patch(id, {
        third_parties: one.third_parties.map((each) =>
          origins.includes(each.origin)
            ? { ...each, allowed: allow, kept_out: allow ? [] : each.kept_out }
            : each,
        ),
      });
    },
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
