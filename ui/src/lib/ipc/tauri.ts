// The one file that talks to the platform's API.

import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import type { Transport } from './transport';
import type { ShellState } from './types';

/** `console_ipc::STATE_EVENT`. */
const STATE_EVENT = 'shell-state';

export function tauriTransport(): Transport {
  return {
    call: (command, args) => invoke(command, args),
    onState: (listener) => listen<ShellState>(STATE_EVENT, (event) => listener(event.payload)),
  };
}
