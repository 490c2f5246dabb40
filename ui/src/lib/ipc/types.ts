// The types that the core and the shell exchange, generated from crates/console-ipc.

export type { Accent } from './bindings/Accent';
export type { CommandError } from './bindings/CommandError';
export type { ConnectionView } from './bindings/ConnectionView';
export type { Cover } from './bindings/Cover';
export type { DraftReport } from './bindings/DraftReport';
export type { EnvironmentDraft } from './bindings/EnvironmentDraft';
export type { EnvironmentView } from './bindings/EnvironmentView';
export type { FieldError } from './bindings/FieldError';
export type { Folders } from './bindings/Folders';
export type { IdentityView } from './bindings/IdentityView';
export type { KeychainView } from './bindings/KeychainView';
export type { Notice } from './bindings/Notice';
export type { PageView } from './bindings/PageView';
export type { Problem } from './bindings/Problem';
export type { Prompt } from './bindings/Prompt';
export type { ProtectionView } from './bindings/ProtectionView';
export type { SaveOutcome } from './bindings/SaveOutcome';
export type { SessionView } from './bindings/SessionView';
export type { ShellState } from './bindings/ShellState';
export type { SignInOutcome } from './bindings/SignInOutcome';
export type { StoredCredentialView } from './bindings/StoredCredentialView';
