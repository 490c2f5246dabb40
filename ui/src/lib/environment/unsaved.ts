// Drafts that were left without saving, for as long as the window lives: coming back finds what was typed.

import type { EnvironmentDraft } from '../ipc/types';

const drafts = new Map<string, EnvironmentDraft>();

/** `null`: the environment that is being added. */
export const unsaved = {
  get: (id: string | null) => drafts.get(id ?? ''),
  keep: (id: string | null, draft: EnvironmentDraft) => void drafts.set(id ?? '', draft),
  drop: (id: string | null) => void drafts.delete(id ?? ''),
  clear: () => drafts.clear(),
};
