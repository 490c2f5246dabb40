import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The scripted core must never reach an operator: a production build that holds any of it fails. */
const noFake: Plugin = {
  name: 'no-fake-core',
  apply: 'build',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      const fake = chunk.type === 'chunk' && chunk.moduleIds.find((id) => id.includes('/ipc/fake/'));
      if (fake) this.error(`${fake} is in the production bundle`);
    }
  },
};

export default defineConfig({
  define: { __VERSION__: JSON.stringify(version) },
  // Relative: the shell is served from tauri://localhost/ (or http://tauri.localhost/ on Windows).
  base: './',
  plugins: [svelte(), svelteTesting(), noFake],
  resolve: { alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) } },
  build: {
    target: ['safari16', 'chrome111'],
    // The policy allows img-src data:, but nothing else inline: keep every asset a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    port: 1420,
    strictPort: true,
    // A test reads the core's defaults; the development server stays in its own folder.
    fs: { allow: process.env.VITEST ? ['..'] : ['.'] },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/test-setup.ts'],
    restoreMocks: true,
    // The tokens are read as they are by the contrast test.
    css: { include: [/tokens\.css/] },
  },
});
