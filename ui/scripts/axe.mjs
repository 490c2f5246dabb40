// axe-core on every screen of the built shell, in both colour schemes, a few pages at a time. A violation fails, and so
// does a complaint of the page itself (an error, or something that the content security policy forbids).

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';

import { start } from './browser.mjs';
import { schemes, screens } from './screens.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong with one screen in one scheme, a line each. */
async function wrongWith(browser, { screen, colorScheme }) {
  const { page, complaints, close } = await browser.open(screen, { colorScheme, width: 900, height: 600 });
  try {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
    );
    // Nothing of the shell may be pushed out of its window.
    const overflow = await page.evaluate(
      () =>
        document.documentElement.scrollWidth > innerWidth ||
        document.querySelector('.bar').scrollWidth > document.querySelector('.bar').clientWidth,
    );
    return [
      ...violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`),
      ),
      ...complaints,
      ...(overflow ? ['something is wider than the window'] : []),
    ];
  } finally {
    await close();
  }
}

// All of them, or those that are named.
const only = process.argv.slice(2);
const queue = screens
  .filter(({ name }) => only.length === 0 || only.includes(name))
  .flatMap((screen) => schemes.map((colorScheme) => ({ screen, colorScheme })));
const browser = await start();
let passed = 0;
let failed = 0;

async function work() {
  for (let one = queue.shift(); one; one = queue.shift()) {
    const wrong = await wrongWith(browser, one);
    if (wrong.length === 0) passed += 1;
    else {
      failed += 1;
      console.log(`✗ ${one.screen.name} (${one.colorScheme})\n  ${wrong.join('\n  ')}`);
    }
  }
}

try {
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism() + 1) }, work));
} finally {
  await browser.close();
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
