// A list that is longer than its place is reachable by the keyboard; one that is not is no stop on the way.

import type { Attachment } from 'svelte/attachments';

export const scrollable: Attachment<HTMLElement> = (element) => {
  const look = () => {
    if (element.scrollHeight > element.clientHeight) element.tabIndex = 0;
    else element.removeAttribute('tabindex');
  };
  look();
  const watch = new ResizeObserver(look);
  watch.observe(element);
  return () => watch.disconnect();
};
