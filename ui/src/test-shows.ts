// The whole shell on a scripted core, as a test starts with it.

import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect } from 'vitest';

import App from './App.svelte';
import { FakeCore } from './lib/ipc/fake/core';
import { scenarios } from './lib/ipc/fake/scenarios';
import { useTransport } from './lib/ipc/transport';

export const PROD = 'a1b2c3d4e5f60718';

export async function shows(name: string) {
  const make = scenarios[name];
  if (!make) throw new Error(`no scenario ${name}`);
  const core = new FakeCore(make());
  useTransport(core);
  const user = userEvent.setup();
  render(App);
  await waitFor(() => expect(core.cover).not.toBeNull());
  await waitFor(() =>
    expect(document.querySelector('.frame')?.getAttribute('data-screen')).not.toBe('loading'),
  );
  return { core, user };
}

export const field = (name: string) => screen.findByTestId(`field-${name}`);
export const value = (element: HTMLElement) => (element as HTMLInputElement).value;
