import { mount } from 'svelte';

import App from './App.svelte';
import { useTransport } from './lib/ipc/transport';
import { tauriTransport } from './lib/ipc/tauri';
import './styles/tokens.css';
import './styles/base.css';

async function start(): Promise<void> {
  const inTauri = '__TAURI_INTERNALS__' in window;
  if (import.meta.env.DEV && !inTauri) {
    // `npm run dev` in a browser: a scripted core. The production build drops this branch and the module with it.
    const { developmentTransport } = await import('./lib/ipc/fake/development');
    useTransport(developmentTransport());
  } else {
    useTransport(tauriTransport());
  }
  const target = document.getElementById('app');
  if (target) mount(App, { target });
}

void start();
