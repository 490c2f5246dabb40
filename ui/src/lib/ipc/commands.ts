// Every command of the core, by name and with its types. docs: the IPC contract.

import { transport } from './transport';
import type {
  Cover,
  DraftReport,
  EnvironmentDraft,
  LookReport,
  Problem,
  ProtectionView,
  SaveOutcome,
  ShellState,
  SignInOutcome,
} from './types';

function call<T>(command: string, args: Record<string, unknown> = {}): Promise<T> {
  return transport().call(command, args) as Promise<T>;
}

export const core = {
  state: () => call<ShellState>('shell_state'),

  checkEnvironment: (draft: EnvironmentDraft, id: string | null) =>
    call<DraftReport>('environment_check', { draft, id }),
  /** Its arguments are named as here: the command needs `rename_all = "snake_case"`. */
  look: (base_url: string, allow_plain_http: boolean) =>
    call<LookReport>('environment_look', { base_url, allow_plain_http }),
  addEnvironment: (draft: EnvironmentDraft) => call<SaveOutcome>('environment_add', { draft }),
  updateEnvironment: (id: string, draft: EnvironmentDraft) =>
    call<SaveOutcome>('environment_update', { id, draft }),
  removeEnvironment: (id: string) => call<null>('environment_remove', { id }),
  reorderEnvironments: (ids: string[]) => call<null>('environment_reorder', { ids }),
  selectEnvironment: (id: string | null) => call<null>('environment_select', { id }),
  setProtection: (id: string, protection: ProtectionView) => call<null>('protection_set', { id, protection }),

  openSignIn: (id: string) => call<null>('sign_in_open', { id }),
  /** What a stored answer stands for may be left out. No answer ever comes back. */
  signIn: (id: string, answers: Record<string, string>) => call<SignInOutcome>('sign_in', { id, answers }),
  /** Opens the browser again for the step that is waited for. */
  openBrowser: (id: string) => call<null>('sign_in_browser', { id }),
  confirmSignIn: (id: string, attempt: string) => call<SignInOutcome>('sign_in_confirm', { id, attempt }),
  cancelSignIn: (id: string) => call<null>('sign_in_cancel', { id }),
  signInWithStored: (id: string) => call<SignInOutcome>('sign_in_with_stored', { id }),
  confirmStored: (id: string) => call<null>('stored_credential_confirm', { id }),
  forgetStored: (id: string) => call<null>('stored_credential_forget', { id }),

  acceptApprovals: (id: string) => call<null>('approvals_accept', { id }),

  openSignOut: (id: string) => call<null>('sign_out_open', { id }),
  signOut: (id: string, forget: boolean) => call<null>('sign_out', { id, forget }),
  cancelSignOut: (id: string) => call<null>('sign_out_cancel', { id }),
  openSignOutAll: () => call<null>('sign_out_all_open'),
  signOutAll: (forget: boolean) => call<null>('sign_out_all', { forget }),
  cancelSignOutAll: () => call<null>('sign_out_all_cancel'),
  /** `false`: stay, and keep what is held. */
  answerQuit: (quit: boolean) => call<null>('quit_answer', { quit }),

  /** Does not wait for the next try at an admin that cannot be reached. */
  tryNow: (id: string) => call<null>('session_try_now', { id }),
  /** `lateConfirmed`: the operator was told how long ago it was asked for. */
  carryOutHeld: (id: string, held: string, lateConfirmed: boolean) =>
    call<null>('held_carry_out', { id, held, lateConfirmed }),
  dropHeld: (id: string, held: string) => call<null>('held_drop', { id, held }),

  openDoctor: (id: string) => call<null>('doctor_open', { id }),
  runDoctor: (id: string) => call<null>('doctor_run', { id }),
  closeDoctor: (id: string) => call<null>('doctor_close', { id }),

  openTokenCopy: (id: string) => call<null>('token_copy_open', { id }),
  /** The core copies it and clears the clipboard later: the token never comes here. */
  copyToken: (id: string, yes: boolean) => call<null>('token_copy', { id, yes }),

  retryKeychain: () => call<null>('keychain_retry'),
  useMemory: () => call<null>('keychain_use_memory'),
  answerExternalLink: (id: string, open: boolean) => call<null>('external_link_answer', { id, open }),
  openThirdParties: (id: string) => call<null>('third_parties_open', { id }),
  /** Without origins nothing changes, and the question is closed. */
  answerThirdParties: (id: string, origins: string[], allow: boolean) =>
    call<null>('third_parties_answer', { id, origins, allow }),
  dismissNotice: (id: string) => call<null>('notice_dismiss', { id }),
  reloadDashboard: (id: string) => call<null>('dashboard_reload', { id }),
  cover: (cover: Cover) => call<null>('stage_cover', { cover }),
  focusShell: () => call<null>('stage_focus_shell'),
};

/** What to show when a command was rejected, whatever it was rejected with. */
export function problemOf(error: unknown): Problem {
  if (typeof error === 'object' && error !== null && 'problem' in error) {
    return error.problem as Problem;
  }
  return {
    code: 'not_asked',
    title: 'The console could not do that',
    detail: error instanceof Error ? error.message : String(error),
    advice: 'Nothing was changed. Try again; the log has more.',
  };
}
