// Something where the dashboard would be, placed as the stage places the real one, to see what lies over what.

import type { Cover } from '../types';
import type { FakeCore } from './core';

const LEFT = 56;
const TOP = 42;

export function showPretendPage(fake: FakeCore): void {
  const page = document.createElement('div');
  page.setAttribute('aria-hidden', 'true');
  Object.assign(page.style, {
    position: 'fixed',
    left: `${LEFT}px`,
    right: '0',
    bottom: '0',
    padding: '24px',
    background: '#0f172a',
    color: '#94a3b8',
    font: '14px system-ui',
    display: 'none',
  });
  page.textContent = 'The dashboard of the admin is here.';
  document.body.append(page);

  const place = (cover: Cover) => {
    const selected = fake.state.environments.find((one) => one.id === fake.state.selected);
    const shown = cover.kind !== 'full' && selected?.page != null;
    page.style.display = shown ? 'block' : 'none';
    page.style.top = `${TOP + (cover.kind === 'strip' ? cover.height : 0)}px`;
  };
  fake.onCover = place;
  if (fake.cover) place(fake.cover);
}
