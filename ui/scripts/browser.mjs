// The built shell in headless Chromium, under the policy of tauri.conf.json, with the scripted core behind it.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** The policy that the app serves the shell with. */
async function policy() {
  const config = JSON.parse(await readFile(join(root, '..', 'tauri.conf.json'), 'utf8'));
  return Object.entries(config.app.security.csp)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}

async function serve() {
  const csp = await policy();
  const server = createServer(async (request, response) => {
    const path =
      normalize(new URL(request.url ?? '/', 'http://x').pathname).replace(/^\/+/, '') || 'index.html';
    try {
      const body = await readFile(join(dist, path));
      response.writeHead(200, {
        'content-type': types[extname(path)] ?? 'application/octet-stream',
        'content-security-policy': csp,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { origin: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** The scripted core as one script; it exists only in memory. */
async function fakeCore() {
  const result = await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: { entry: join(root, 'src/lib/ipc/fake/install.ts'), name: 'fake', formats: ['iife'] },
    },
  });
  const [bundle] = Array.isArray(result) ? result : [result];
  return bundle.output[0].code;
}

/** Everything that a run needs; `close` ends all of it. */
export async function start() {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('ui/dist is missing: npm run build');
  const fake = await fakeCore();
  const site = await serve();
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  return {
    /** A page that shows `screen` (see screens.mjs) at rest. Complaints of the page are collected. */
    async open(screen, { colorScheme, width = 1280, height = 800 }) {
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height },
        reducedMotion: 'reduce',
        locale: 'en-GB',
      });
      const page = await context.newPage();
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        // The one file that is not there: no icon is linked.
        if (message.type() === 'error' && !message.location().url.endsWith('favicon.ico')) {
          complaints.push(message.text());
        }
      });
      await page.addInitScript(`window.__SCENARIO__ = ${JSON.stringify(screen.scenario)};\n${fake}`);
      // tauri.conf.json: freezePrototype
      await page.addInitScript('Object.freeze(Object.prototype);');
      await page.goto(site.origin);
      await page.locator('.frame[data-screen]:not([data-screen="loading"])').waitFor();
      await screen.act?.(page);
      await page.waitForTimeout(60);
      return { page, complaints, close: () => context.close() };
    },
    async close() {
      await browser.close();
      site.close();
    },
  };
}
