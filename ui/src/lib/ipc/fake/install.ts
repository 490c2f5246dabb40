// Put into a page before the built shell runs (scripts/browser.mjs): the scripted core behind Tauri's own internals, so
// that the production bundle is what is looked at. `window.__SCENARIO__` names the state.

import { FakeCore } from './core';
import { showPretendPage } from './page';
import { scenarios } from './scenarios';

type Callback = (payload: unknown) => void;

const named = (window as unknown as { __SCENARIO__?: string }).__SCENARIO__ ?? 'active';
const scenario = scenarios[named];
if (!scenario) throw new Error(`no scenario ${named}`);
const fake = new FakeCore(scenario());
const callbacks = new Map<number, Callback>();
let next = 1;

async function invoke(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
  if (command === 'plugin:event|listen') {
    const handler = callbacks.get(args.handler as number);
    const event = next++;
    await fake.onState((payload) => handler?.({ event: 'shell-state', id: event, payload }));
    return event;
  }
  if (command === 'plugin:event|unlisten') return null;
  // As over the real boundary: only what JSON can carry.
  const answer = await fake.call(command, JSON.parse(JSON.stringify(args)) as Record<string, unknown>);
  return JSON.parse(JSON.stringify(answer)) as unknown;
}

Object.assign(window, {
  fake,
  __TAURI_INTERNALS__: {
    invoke,
    transformCallback: (callback: Callback) => {
      const id = next++;
      callbacks.set(id, callback);
      return id;
    },
    unregisterCallback: (id: number) => callbacks.delete(id),
  },
  __TAURI_EVENT_PLUGIN_INTERNALS__: { unregisterListener: () => undefined },
});
document.addEventListener('DOMContentLoaded', () => showPretendPage(fake));
