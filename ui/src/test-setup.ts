import { cleanup } from '@testing-library/svelte';
import { afterEach } from 'vitest';

import { unsaved } from './lib/environment/unsaved';
import { shell } from './lib/shell/shell.svelte';
import { view } from './lib/shell/view.svelte';
import { attempts } from './lib/sign-in/attempts.svelte';

// What lives as long as the window lives here as long as a test.
afterEach(() => {
  // First: what goes away may still keep something.
  cleanup();
  shell.reset();
  view.reset();
  attempts.clear();
  unsaved.clear();
});
