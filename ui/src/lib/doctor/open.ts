// The doctor's panel belongs to the core, what the operator opened by hand does not: it makes way.

import { core } from '../ipc/commands';
import { shell } from '../shell/shell.svelte';
import { view } from '../shell/view.svelte';

/** `id`: of the environment. */
export function openDoctor(id: string): void {
  view.opened = null;
  void shell.ask(core.openDoctor(id));
}

/** Whatever comes next is not hidden by it. */
export function leaveDoctor(id: string): void {
  if (shell.environment(id)?.doctor) void shell.ask(core.closeDoctor(id));
}
