// What carries commands to the core: Tauri in the app, a scripted core in development and tests.

import type { ShellState } from './types';

export interface Transport {
  /** Rejects with a `CommandError`, or with whatever the platform says when it could not ask at all. */
  call(command: string, args: Record<string, unknown>): Promise<unknown>;
  /** Calls `listener` with each new state; resolves, once it listens, to what stops it. */
  onState(listener: (state: ShellState) => void): Promise<() => void>;
}

let current: Transport | null = null;

export function useTransport(transport: Transport): void {
  current = transport;
}

export function transport(): Transport {
  if (!current) throw new Error('no transport: main.ts sets one before anything is drawn');
  return current;
}
