// What the operator has open in the shell itself. The core knows nothing of it, and nothing of it outlives the window.

import { tick } from 'svelte';

import type { Opened } from './screen';

class View {
  opened = $state.raw<Opened | null>(null);
  /** The environment whose removal is being asked about. */
  removing = $state.raw<string | null>(null);
  menuOpen = $state(false);
  /** Banners about a connection that were put away, as `<environment>:<problem code>`. */
  hiddenBanners = $state.raw<ReadonlySet<string>>(new Set());

  #opener: Element | null = null;

  open(what: Opened): void {
    this.#opener = document.activeElement;
    this.menuOpen = false;
    this.opened = what;
  }

  /** Closes what is open; `only`: if it still is this, and not what the operator opened meanwhile. */
  close(only = this.opened): void {
    if (this.opened !== only) return;
    const opener = this.#opener;
    this.opened = null;
    this.#opener = null;
    void tick().then(() => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    });
  }

  hideBanner(key: string): void {
    this.hiddenBanners = new Set([...this.hiddenBanners, key]);
  }

  showBanner(key: string): void {
    this.hiddenBanners = new Set([...this.hiddenBanners].filter((one) => one !== key));
  }

  reset(): void {
    this.opened = null;
    this.removing = null;
    this.menuOpen = false;
    this.hiddenBanners = new Set();
  }
}

export const view = new View();
