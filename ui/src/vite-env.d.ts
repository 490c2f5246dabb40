/// <reference types="svelte" />
/// <reference types="vite/client" />

/** The version of this package, put in by Vite. */
declare const __VERSION__: string;
