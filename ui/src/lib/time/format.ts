// How times and durations are written. All instants are milliseconds since the epoch, shown in local time.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Under this much, the time left is counted down by the second. */
export const COUNTDOWN = 5 * MINUTE;

/** `14:02`; with the date when it is not today. */
export function shortTime(at: number, now = Date.now()): string {
  const date = new Date(at);
  const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' }).format(date);
  if (date.toDateString() === new Date(now).toDateString()) return time;
  const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
  return `${day.format(date)}, ${time}`;
}

/** The whole instant with its offset from UTC, for a title. */
export function fullTime(at: number): string {
  return new Intl.DateTimeFormat(undefined, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  }).format(new Date(at));
}

/** `4:32` under five minutes, `42 min`, `1 h 12 min`, `5 h`, `3 days`. Never more than is left. */
export function timeLeft(left: number): string {
  if (left <= 0) return '0:00';
  if (left < COUNTDOWN) {
    const seconds = Math.ceil(left / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }
  const minutes = Math.floor(left / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(left / HOUR);
  if (hours < 4) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(left / DAY)} days`;
}

/** The same without seconds, where nobody has to hurry. */
export function minutesLeft(left: number): string {
  if (left < MINUTE) return 'under 1 min';
  return left < COUNTDOWN ? `${Math.floor(left / MINUTE)} min` : timeLeft(left);
}

/** `25 min`, `2 h`, `3 days`: how long ago, as a person remembers it. */
export function timePassed(passed: number): string {
  const minutes = Math.max(1, Math.floor(passed / MINUTE));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(passed / HOUR);
  return hours < 48 ? `${hours} h` : `${Math.floor(passed / DAY)} days`;
}

/** The time left for a screen reader, without a ticking second. */
export function timeLeftSpoken(left: number): string {
  if (left <= 0) return 'no time left';
  const minutes = Math.ceil(left / MINUTE);
  if (left < COUNTDOWN) return minutes === 1 ? 'less than a minute' : `less than ${minutes} minutes`;
  return timeLeft(left).replace(' min', ' minutes').replace(' h', ' hours');
}
