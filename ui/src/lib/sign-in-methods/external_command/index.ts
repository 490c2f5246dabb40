import type { Method } from '../method';
import Form from './Form.svelte';

export const externalCommand: Method = {
  method: 'external_command',
  words: 'A command of yours',
  meaning: 'A program prints a token. The console runs it without a shell.',
  defaults: () => ({ method: 'external_command', command: { program: '', arguments: [] }, timeout: 30 }),
  form: Form,
  primary: 'Run the command',
  asking: 'A command prints the token.',
  trying: ({ draft }) =>
    draft.sign_in.method === 'external_command'
      ? `Running ${draft.sign_in.command.program.split(/[\\/]/).pop() || 'the command'}`
      : 'Running the command',
  goes: () => '',
  kept: null,
  without: '',
  token: true,
  ends: true,
  elsewhere: false,
  afterSignOut: '',
};
