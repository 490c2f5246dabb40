// One polite live region for what changes without anything to focus.

class Announcer {
  text = $state('');

  say(text: string): void {
    // The same words twice are said twice: a no-break space makes them differ.
    this.text = this.text === text ? `${text}\u00a0` : text;
  }
}

export const announcer = new Announcer();
