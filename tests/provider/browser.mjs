// Runs a headless Chromium that stands in for the operator's system browser and signs in at a provider. See README.md.
import { chromium } from 'playwright-core';

import { ConfigurationError, checked, run } from '../contract.mjs';

const DEFAULTS = { chromium: '/usr/bin/chromium', patience: 20 };
const VISIT = {
  visit: '',
  username: null,
  password: null,
  user_code: null,
  agree: true,
  profile: 'default',
  stop_at: null,
};
// More pages than any sign-in has.
const MOST_PAGES = 12;

const answer = (_page, { agree }) => (agree ? '#allow' : '#deny');

// What to do on each page of serve.mjs: fills it in, and answers the button to press.
const ACTS = {
  login: async (page, { username, password, agree }) => {
    if (!agree) return '#deny';
    if (username === null) return undefined;
    await page.fill('#username', username);
    await page.fill('#password', password ?? '');
    return '#sign-in';
  },
  consent: answer,
  'sign-out': answer,
  'device-confirm': answer,
  'device-code': async (page, { user_code }) => {
    if (user_code !== null) await page.fill('input[name=user_code]', user_code);
    return '#continue';
  },
};

await run('browser.mjs', DEFAULTS, async ({ chromium: executablePath, patience }) => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] }).catch((error) => {
    throw new ConfigurationError(`\`chromium\`: ${error.message.split('\n')[0]}`);
  });
  const profiles = new Map();

  async function profile(name) {
    // The test providers' authorities are not the browser's business.
    if (!profiles.has(name)) profiles.set(name, await browser.newContext({ ignoreHTTPSErrors: true }));
    return profiles.get(name);
  }

  return {
    ready: { browser: browser.version() },
    command: async (line) => {
      if ('forget' in line) {
        await profiles.get(line.forget)?.close();
        profiles.delete(line.forget);
        return { event: 'forgotten', profile: line.forget };
      }
      const wanted = { ...VISIT, ...checked(line, VISIT) };
      const page = await (await profile(wanted.profile)).newPage();
      page.setDefaultTimeout(patience * 1000);
      try {
        return { event: 'visited', ...(await walk(page, wanted)) };
      } finally {
        await page.close();
      }
    },
    end: () => browser.close(),
  };
});

/** Goes from page to page until one asks for nothing, or for something that it was not given. */
async function walk(page, wanted) {
  const seen = [];
  // Also where a navigation led that nobody answered.
  let url = wanted.visit;
  page.on('request', (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) url = request.url();
  });
  await page.goto(wanted.visit).catch(() => {});
  for (let step = 0; step < MOST_PAGES; step += 1) {
    const name = await page.getAttribute('body', 'data-page', { timeout: 1000 }).catch(() => null);
    if (name) seen.push(name);
    const failed = (await page.locator('#error').count()) > 0;
    const act = name && !failed && name !== wanted.stop_at ? ACTS[name] : undefined;
    const button = await act?.(page, wanted);
    if (!button) break;
    await Promise.all([page.waitForNavigation().catch(() => {}), page.click(button)]);
  }
  const text = await page.innerText('body', { timeout: 1000 }).catch(() => '');
  return { url, pages: seen, text: text.slice(0, 2000) };
}
