// Puts the keyboard where a panel begins.

import type { Attachment } from 'svelte/attachments';

export const focusOnMount: Attachment<HTMLElement> = (element) => {
  element.focus({ preventScroll: true });
};
