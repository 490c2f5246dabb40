import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist', 'shots', 'node_modules', 'src/lib/ipc/bindings'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  ...svelte.configs.prettier,
  { languageOptions: { globals: { ...globals.browser, ...globals.node, __VERSION__: 'readonly' } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      'no-console': 'error',
      'svelte/no-at-html-tags': 'error',
      'no-restricted-globals': ['error', 'localStorage', 'sessionStorage', 'indexedDB'],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['@tauri-apps/*'], message: 'Only src/lib/ipc/tauri.ts talks to the platform.' },
            { group: ['**/ipc/fake', '**/ipc/fake/*'], message: 'The fake is for development and tests.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/lib/ipc/tauri.ts', '**/*.test.ts', 'src/test-shows.ts', 'src/lib/ipc/fake/**'],
    rules: { 'no-restricted-imports': 'off' },
  },
  { files: ['scripts/**'], rules: { 'no-console': 'off' } },
);
