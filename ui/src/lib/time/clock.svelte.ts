// One ticking clock for everything that shows how much time is left.

const FAST = 1_000;
const SLOW = 15_000;

class Clock {
  /** Milliseconds since the epoch. */
  now = $state(Date.now());

  #timer: ReturnType<typeof setInterval> | undefined;

  /** Ticks every second when seconds are shown, else every fifteen. Call the answer to stop. */
  run(seconds: boolean): () => void {
    const tick = () => (this.now = Date.now());
    tick();
    clearInterval(this.#timer);
    this.#timer = setInterval(tick, seconds ? FAST : SLOW);
    // Timers sleep with the window and with the computer.
    document.addEventListener('visibilitychange', tick);
    window.addEventListener('focus', tick);
    return () => {
      clearInterval(this.#timer);
      document.removeEventListener('visibilitychange', tick);
      window.removeEventListener('focus', tick);
    };
  }
}

export const clock = new Clock();
