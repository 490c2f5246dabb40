// `npm run dev` in a browser: `?scenario=expired` picks a state; `fake` in the browser's console is the core.

import type { Transport } from '../transport';
import { FakeCore } from './core';
import { showPretendPage } from './page';
import { scenarios } from './scenarios';

export function developmentTransport(): Transport {
  const name = new URLSearchParams(location.search).get('scenario') ?? 'active';
  const fake = new FakeCore(scenarios[name]?.());
  fake.delay = 120;
  Object.assign(window, { fake });
  showPretendPage(fake);
  return fake;
}
