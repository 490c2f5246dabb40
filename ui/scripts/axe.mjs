// axe-core on every screen of the built shell, in both colour schemes. A violation fails, and so does a complaint of
// the page itself (an error, or something that the content security policy forbids).

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { start } from './browser.mjs';
import { schemes, screens } from './screens.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await start();
let passed = 0;
let failed = 0;

try {
  // All of them, or those that are named.
  const only = process.argv.slice(2);
  for (const screen of screens.filter(({ name }) => only.length === 0 || only.includes(name))) {
    for (const colorScheme of schemes) {
      const shown = await browser.open(screen, { colorScheme, width: 900, height: 600 });
      const { page, complaints } = shown;
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
      const wrong = [
        ...violations.flatMap(({ id, nodes }) =>
          nodes.map(
            (node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`,
          ),
        ),
        ...complaints,
        ...(overflow ? ['something is wider than the window'] : []),
      ];
      if (wrong.length > 0) {
        failed += 1;
        console.log(`✗ ${screen.name} (${colorScheme})\n  ${wrong.join('\n  ')}`);
      } else {
        passed += 1;
      }
      await shown.close();
    }
  }
} finally {
  await browser.close();
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
